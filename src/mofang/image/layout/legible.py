"""Words that can be read: the contrast under their glyphs is measured, and mended where it is too small."""

import numpy as np
from numpy.typing import NDArray

from mofang.image.engines.collage.colour import mix
from mofang.image.layout.colours import READABLE, Rgb8, contrast, luminance, luminance_of

Mask = NDArray[np.uint8]
WORST = 0.02
"""The share of pixels under and around the glyphs that may fall short: single grains do not hide a letter."""


def measured(ground: Rgb8, mask: Mask, colour: str) -> float:
    """The contrast of `colour` with what lies under and right beside the glyphs: all but the worst two per cent exceed it."""
    import cv2

    reach = max(3, round(min(mask.shape) * 0.03)) | 1
    near = cv2.dilate(mask, np.ones((reach, reach), np.uint8)) > 64
    if not near.any():
        return 21.0
    below = luminance(ground[near])
    own = luminance_of(colour)
    ratio = (np.maximum(below, own) + 0.05) / (np.minimum(below, own) + 0.05)
    return float(np.quantile(ratio, WORST))


def chosen(ground: Rgb8, mask: Mask, colours: tuple[str, ...]) -> str:
    """The first of the colours that can be read there, else the best of them."""
    values = [measured(ground, mask, colour) for colour in colours]
    for colour, value in zip(colours, values, strict=True):
        if value >= READABLE:
            return colour
    return colours[int(np.argmax(values))]


def veiled(ground: NDArray[np.float32], shape: NDArray[np.float32], colour: str, share: float) -> NDArray[np.float32]:
    """The ground with a colour laid over it, as strongly as `shape` (0..1) times `share`."""
    tint = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float32)
    weight = (shape * share)[..., None]
    out: NDArray[np.float32] = ground + (tint - ground) * weight
    return out


def veil_for(ground: Rgb8, shape: NDArray[np.float32], texts: list[tuple[Mask, str, int, int]], tint: str) -> float:
    """How strong a veil of `tint` must be for all texts (mask, colour, x, y) to be read: 0 if none is needed, at most 1."""
    windows = []
    for mask, colour, x, y in texts:
        window = np.s_[y : y + mask.shape[0], x : x + mask.shape[1]]
        windows.append((ground[window].astype(np.float32), shape[window], mask, colour))

    def reads(share: float) -> bool:
        return all(measured(veiled(part, weight, tint, share).round().astype(np.uint8), mask, colour) >= READABLE + 0.05
                   for part, weight, mask, colour in windows)  # fmt: skip

    if reads(0.0):
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(7):
        middle = (low + high) / 2
        low, high = (low, middle) if reads(middle) else (middle, high)
    return high


def opposite(colour: str, roles: dict[str, str]) -> str:
    """What a veil under text of this colour is made of: the page's own darkest or lightest."""
    dark, light = mix(roles["deep"], "#000000", 0.45), mix(roles["paper"], "#ffffff", 0.3)
    return dark if contrast(colour, dark) > contrast(colour, light) else light
