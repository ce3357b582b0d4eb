"""The blur of a picture, found from the picture alone.

A picture of few, strong edges is fitted to the blurred one by ℓ0 gradient minimisation, and the blur to the two of them, in
turns, from coarse to fine (Xu, Zheng & Jia 2013, "Unnatural L0 Sparse Representation for Natural Image Deblurring").
One blur is looked for, the same everywhere.
"""

import numpy as np
from numpy.typing import NDArray

from mofang.image.edit.bm3d import Floats
from mofang.image.edit.deblur import otf, taper
from mofang.studio.errors import UserError

SIDE = 512
"""Pixels of the part of the picture that is looked at: the one with the most edges."""
TURNS = 5
EDGES, EDGES_LEAST = 4e-3, 1e-4
"""λ of the paper: how costly an edge is, at first and at the least."""
SMOOTH = 2.0
"""γ of the paper: how costly a peaked kernel is."""


def blur_of(image: Floats, size: int = 25) -> Floats:
    """The kernel (odd sides up to `size`, sum 1) that blurred (rows, columns, 3). Raises `UserError` for a picture without edges."""
    import cv2

    grey = _busiest(image.mean(2))
    if float(np.abs(np.diff(grey)).max(initial=0)) < 0.02 or min(grey.shape) < 48:
        raise UserError("there are no edges to find the blur by; say what it is with --blur gaussian:2, disk:4 or motion:15,30")
    size = min(size | 1, min(grey.shape) // 4 | 1)
    sides = [size]
    while sides[-1] > 5:
        sides.append(max(round(sides[-1] / np.sqrt(2)) | 1, 3) if sides[-1] > 3 else 3)
    kernel = np.zeros((sides[-1],) * 2, np.float32)
    kernel[sides[-1] // 2, sides[-1] // 2 - 1 : sides[-1] // 2 + 1] = 0.5
    cost = EDGES
    for side in reversed(sides):
        scale = side / size
        level = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
        kernel = _cleaned(cv2.resize(kernel, (side, side), interpolation=cv2.INTER_LINEAR))
        for _ in range(TURNS):
            even = taper(np.ascontiguousarray(level[..., None]), kernel)[..., 0]
            latent = _edges(even, kernel, cost)
            kernel = _kernel(even, latent, side)
            cost = max(cost / 1.1, EDGES_LEAST)
    return kernel


def _busiest(grey: Floats) -> Floats:
    """The square of `SIDE` pixels with the most gradient in it."""
    import cv2

    rows, columns = grey.shape
    high, wide = min(rows, SIDE), min(columns, SIDE)
    slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    sums = np.pad(slope.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    held = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
    y, x = np.unravel_index(int(held.argmax()), held.shape)
    return np.ascontiguousarray(grey[y : y + high, x : x + wide], np.float32)


def _gradients(picture: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    return np.roll(picture, -1, 1) - picture, np.roll(picture, -1, 0) - picture


def _edges(seen: Floats, kernel: Floats, cost: float) -> Floats:
    """argmin ‖k ∗ x − y‖² + λ‖∇x‖₀ by half-quadratic splitting (equation 9 of the paper)."""
    shape = seen.shape
    transfer = otf(kernel, shape)
    fixed = np.fft.rfft2(seen) * transfer.conj()
    power = np.abs(transfer) ** 2
    unit = np.zeros(shape, np.float32)
    unit[0, 0] = 1
    across, down = (np.fft.rfft2(each) for each in _gradients(unit))
    slopes = np.abs(across) ** 2 + np.abs(down) ** 2
    latent, penalty = seen, 2 * cost
    while penalty < 1e5:
        dx, dy = _gradients(latent)
        small = dx * dx + dy * dy < cost / penalty
        dx, dy = np.where(small, 0, dx), np.where(small, 0, dy)
        pulled = np.fft.rfft2(dx) * across.conj() + np.fft.rfft2(dy) * down.conj()
        latent = np.fft.irfft2((fixed + penalty * pulled) / (power + penalty * slopes), shape).astype(np.float32)
        penalty *= 2
    return latent


def _kernel(seen: Floats, latent: Floats, side: int) -> Floats:
    """argmin ‖k ∗ ∇x − ∇y‖² + γ‖k‖², cut to its side."""
    x = [np.fft.rfft2(each) for each in _gradients(latent)]
    y = [np.fft.rfft2(each) for each in _gradients(seen)]
    top = sum(a.conj() * b for a, b in zip(x, y, strict=True))
    bottom = sum(np.abs(a) ** 2 for a in x) + SMOOTH
    whole = np.fft.irfft2(top / bottom, seen.shape)
    return _cleaned(np.roll(whole, (side // 2, side // 2), (0, 1))[:side, :side])


def _cleaned(kernel: NDArray[np.floating]) -> Floats:
    """Positive, without specks: parts with less than a tenth of the light go."""
    import cv2

    kernel = np.where(kernel < 0.05 * kernel.max(), 0, kernel)
    count, labels = cv2.connectedComponents((kernel > 0).astype(np.uint8), connectivity=8)
    for label in range(1, count):
        if kernel[labels == label].sum() < 0.1 * kernel.sum():
            kernel[labels == label] = 0
    total = kernel.sum()
    if total <= 0:
        kernel[kernel.shape[0] // 2, kernel.shape[1] // 2] = total = 1
    found: Floats = (kernel / total).astype(np.float32)
    return found
