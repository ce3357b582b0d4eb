"""Blurs: the shapes a point is smeared into (point spread functions), written as a person writes them."""

import re

import numpy as np

from mofang.image.edit.bm3d import Floats
from mofang.studio.errors import UserError

WIDEST = 61
"""Pixels of the widest blur that is undone."""


def read_blur(text: str) -> Floats:
    """`gaussian:2` (standard deviation), `disk:4` (radius), `motion:15,30` (length, degrees from the right upwards).

    Lengths are in pixels. Returns the kernel, odd sides, sum 1. Raises `UserError`.
    """
    number = r"(\d{1,3}(?:\.\d{1,3})?)"
    even, moved = rf"(gaussian|disk)\s*:\s*{number}", rf"(motion)\s*:\s*{number}\s*,\s*(-?\d{{1,3}}(?:\.\d{{1,3}})?)"
    match = re.fullmatch(rf"\s*(?:{even}|{moved})\s*", text)
    if not match:
        raise UserError(f"'{text[:30]}' is no blur; write gaussian:2, disk:4, motion:15,30, or auto")
    size = float(match[2] or match[4])
    kind = match[1] or match[3]
    if not 0.3 <= size <= {"gaussian": 10, "disk": 30, "motion": 60}[kind]:
        raise UserError(f"a {kind} blur of {size:g} pixels cannot be undone; 0.3 to {WIDEST // 2 if kind == 'disk' else 60} can")
    if kind == "gaussian":
        return gaussian(size)
    return disk(size) if kind == "disk" else motion(size, float(match[5]))


def gaussian(sigma: float) -> Floats:
    """Out of focus a little, or smoothed by a program."""
    reach = min(max(int(np.ceil(3.5 * sigma)), 1), WIDEST // 2)
    line = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return _normal(np.outer(line, line))


def disk(radius: float) -> Floats:
    """Out of focus: an evenly lit aperture. Edges are anti-aliased."""
    reach = int(np.ceil(radius))
    fine = np.arange(-reach * 8 - 4, reach * 8 + 4) / 8 + 1 / 16
    inside = (np.hypot(fine[:, None], fine) <= radius).astype(np.float64)
    side = 2 * reach + 1
    return _normal(inside.reshape(side, 8, side, 8).mean((1, 3)))


def motion(length: float, degrees: float) -> Floats:
    """The camera moved evenly along a line."""
    reach = int(np.ceil(length / 2))
    kernel = np.zeros((2 * reach + 1,) * 2)
    # Many points along the line, each shared by its four pixels.
    along = np.linspace(-length / 2, length / 2, max(round(length * 16), 2))
    x, y = along * np.cos(np.radians(degrees)) + reach, -along * np.sin(np.radians(degrees)) + reach
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    for down in (0, 1):
        for across in (0, 1):
            weight = np.abs(1 - down - (y - top)) * np.abs(1 - across - (x - left))
            row, column = np.clip(top + down, 0, 2 * reach), np.clip(left + across, 0, 2 * reach)
            np.add.at(kernel, (row, column), weight)
    return _normal(kernel)


def _normal(kernel: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Floats:
    found: Floats = (kernel / kernel.sum()).astype(np.float32)
    return found
