"""Lettering that is not captions: the opening title, the end credits, the cover."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.studio.typeset import Block, Ink, Typeface, draw, fit, wrap
from mofang.video.captions import insides
from mofang.video.pictures import fill, read

Rgb = NDArray[np.uint8]
Rgba = NDArray[np.uint8]

TITLE_INK = Ink((255, 255, 255, 255), (0, 0, 0, 0), 0.0, (8, 10, 24, 210), 0.16)
SMALL_INK = Ink((255, 255, 255, 230), (0, 0, 0, 0), 0.0, (8, 10, 24, 200), 0.2)


@dataclass(frozen=True)
class Faces:
    """The typefaces of a film: heavy for titles, plain for small print."""

    bold: Typeface
    regular: Typeface


def title(text: str, author: str, width: int, height: int, faces: Faces) -> Rgba:
    """The title and a line under it as a transparent picture of the film's size (rows, columns, 4)."""
    short = min(width, height)
    room = width * 0.8
    block = fit(text, faces.bold, round(short * 0.13), round(short * 0.045), room, height * 0.4, 4, insides(text), 1.2)
    canvas = np.zeros((height, width, 4), np.uint8)
    small = wrap(author, faces.regular, round(short * 0.04), room) if author.strip() else None
    rule = round(short * 0.05)
    total = block.height + (small.height + 2 * rule if small else rule)
    # A little above the middle, where a title looks centred.
    top = round(height * 0.44 - total / 2)
    _place(canvas, block, TITLE_INK, top)
    middle = top + block.height + rule // 2
    line = canvas[middle : middle + max(2, short // 360), width // 2 - rule : width // 2 + rule]
    line[:] = (255, 214, 92, 255)
    if small:
        _place(canvas, small, SMALL_INK, middle + rule // 2)
    return canvas


def credits(lines: Sequence[str], width: int, height: int, faces: Faces) -> list[Rgba]:
    """Small print, centred, as transparent pictures of the film's size: as many as it takes to stay legible."""
    short = min(width, height)
    size, room = round(short * 0.036), width * 0.82
    pages: list[list[Block]] = [[]]
    for line in lines:
        block = wrap(line, faces.regular, size, room, leading=1.5)
        if pages[-1] and sum(other.height for other in pages[-1]) + block.height > height * 0.7:
            pages.append([])
        pages[-1].append(block)
    pictures = []
    for blocks in pages:
        canvas = np.zeros((height, width, 4), np.uint8)
        top = round((height - sum(block.height for block in blocks)) / 2)
        for block in blocks:
            _place(canvas, block, SMALL_INK, top)
            top += block.height
        pictures.append(canvas)
    return pictures


def _place(canvas: Rgba, block: Block, ink: Ink, top: int) -> None:
    picture, (dx, dy) = draw(block, ink)
    height, width = canvas.shape[:2]
    left = round((width - block.width) / 2) + dx
    top += dy
    a, b = max(top, 0), min(top + picture.shape[0], height)
    c, d = max(left, 0), min(left + picture.shape[1], width)
    if a >= b or c >= d:
        return
    _over(canvas[a:b, c:d], picture[a - top : b - top, c - left : d - left])


def _over(below: Rgba, above: Rgba) -> None:
    """Porter–Duff 'over' with straight alpha, in place."""
    top, bottom = above[..., 3:] / 255.0, below[..., 3:] / 255.0
    alpha = top + bottom * (1 - top)
    colour = (above[..., :3] * top + below[..., :3] * bottom * (1 - top)) / np.maximum(alpha, 1e-6)
    below[..., :3], below[..., 3:] = np.round(colour), np.round(alpha * 255)


def backdrop(picture: Path, width: int, height: int, dim: float = 0.45, blur: float = 0.015) -> Rgb:
    """A picture made quiet enough to carry lettering: cut to size, blurred (share of its width) and darkened."""
    import cv2

    image = fill(read(picture), width, height)
    image = cv2.GaussianBlur(image, (0, 0), width * blur).astype(np.float32)
    # Noise before rounding: a smooth dark slope shows its steps otherwise.
    noise = np.random.default_rng(0).random(image.shape, np.float32)
    dark: Rgb = (
        np.floor(image * np.array([dim * 0.92, dim * 0.95, dim * 1.08]).clip(0, 1) + noise)
        .clip(0, 255)
        .astype(np.uint8)
    )
    return dark


def cover(picture: Path, text: str, author: str, width: int, height: int, faces: Faces) -> Rgb:
    """The first picture, darkened under the lettering only, with the title over it (rows, columns, 3)."""
    plain = fill(read(picture), width, height).astype(np.float32)
    rows = np.linspace(0, 1, height)[:, None, None]
    # A soft band of shade behind the title; the picture's edges keep their light.
    shade = 1 - 0.4 * np.exp(-(((rows - 0.44) / 0.26) ** 2))
    lettering = title(text, author, width, height, faces).astype(np.float32)
    alpha = lettering[..., 3:] / 255
    return np.round(plain * shade * (1 - alpha) + lettering[..., :3] * alpha).astype(np.uint8)
