"""Scratches and dust of an old print or film: found, and painted over.

A scratch is a thin line, brighter or darker than what lies on both its sides, that runs straight for longer than most
things in a picture do; dust is a small spot that stands alone. Both are found by how far a pixel departs from the median
of its neighbourhood, counted in what is usual there, so that grass and cloth are not taken for dust (after Kokaram 1998,
"Motion Picture Restoration", chapter 4, with oriented sums in place of its Hough transform). What is a whisker and what a
scratch no pixel says: give a mask to say where to look.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.image.edit.bm3d import Floats
from mofang.image.edit.masks import Mask
from mofang.image.edit.smooth import continued

THICKEST = 7
"""Pixels of the widest scratch; spots may be twice as wide."""
LONG = 61
"""Pixels over which a line is followed: long enough that round things bend out of it."""
WAYS = 32
CONTRAST = 0.05
"""How much brighter or darker than both its sides a scratch is, of 1."""
UNBROKEN = 0.75
"""The share of a line's length that must stand out so."""
SPOT = 6.0
"""How far a spot departs, in what is usual nearby."""


def scratches(image: Floats, sensitivity: float = 1.0, where: Mask | None = None,
              graph: Path | None = None) -> tuple[Floats, Mask]:  # fmt: skip
    """(rows, columns, 3) without its scratches and dust, and where they were. `where` bounds the search; `graph` as in
    `inpaint`."""
    found = marks(image, sensitivity)
    if where is not None:
        found &= where
    return (continued(image, found, graph), found) if found.any() else (image.copy(), found)


def marks(image: Floats, sensitivity: float = 1.0) -> Mask:
    """(rows, columns): the pixels of scratches and dust. A higher sensitivity finds fainter ones, and more that are none."""
    import cv2

    grey = np.ascontiguousarray(image.mean(2), np.float32)
    if min(grey.shape) < 2 * THICKEST:
        return np.zeros(grey.shape, np.bool_)
    found = _spots(grey, SPOT / sensitivity)
    for sign in (1, -1):
        found |= _lines(sign * grey, np.float32(CONTRAST / sensitivity))
    grown: Mask = cv2.dilate(found.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return grown


def _lines(grey: Floats, contrast: np.float32) -> NDArray[np.bool_]:
    """Pixels on long lines that are brighter than both their sides, which are alike: an edge's are not."""
    import cv2

    found = np.zeros(grey.shape, np.bool_)
    soft = cv2.GaussianBlur(grey, (0, 0), 0.8)
    # The sides are what lies there mostly, not the grain of one pixel.
    wide = cv2.GaussianBlur(grey, (0, 0), 1.2)
    for way in range(WAYS):
        angle = way * np.pi / WAYS
        kernel = _line(angle)
        across, down = -np.sin(angle), np.cos(angle)
        for apart in (THICKEST * 0.55, THICKEST):
            one, other = (_moved(wide, round(sign * across * apart), round(sign * down * apart)) for sign in (1, -1))
            above = soft - np.maximum(one, other) - np.abs(one - other)
            stands = np.clip(above / contrast, 0, 1)
            along = cv2.filter2D(stands, -1, kernel, borderType=cv2.BORDER_REFLECT)
            sure = along > UNBROKEN
            if sure.any():
                reached = cv2.dilate(sure.astype(np.uint8), (kernel > 0).astype(np.uint8)) > 0
                found |= reached & (cv2.dilate(stands, np.ones((3, 3), np.uint8)) > 0.4)
    # Line upon line is a cloth, a fence or a page of writing.
    crowded: NDArray[np.bool_] = cv2.blur(found.astype(np.float32), (LONG, LONG)) > 0.25
    return found & ~crowded


def _departure(grey: Floats, side: int) -> tuple[Floats, Floats]:
    """How far each pixel lies from the median around it, and how far pixels usually do there."""
    import cv2

    bytes_ = (np.clip(grey, 0, 1) * 255).round().astype(np.uint8)
    departure = grey - cv2.medianBlur(bytes_, side).astype(np.float32) / 255
    # A mean of roots: one scratch through the neighbourhood does not become what is usual in it.
    usual = cv2.blur(np.sqrt(np.abs(departure)), (6 * side + 1,) * 2) ** 2
    return departure, np.maximum(usual * 1.6, np.float32(2.5 / 255))


def _line(angle: float) -> Floats:
    import cv2

    kernel = np.zeros((LONG, LONG), np.float32)
    middle, reach = LONG // 2, LONG // 2
    across, down = np.cos(angle) * reach, np.sin(angle) * reach
    ends = [(round(middle - across), round(middle - down)), (round(middle + across), round(middle + down))]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1)
    found: Floats = kernel / kernel.sum()
    return found


def _moved(values: Floats, across: int, down: int) -> Floats:
    import cv2

    move = np.array([[1, 0, across], [0, 1, down]], np.float32)
    size = (values.shape[1], values.shape[0])
    moved: Floats = cv2.warpAffine(values, move, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return moved


def _spots(grey: Floats, limit: float) -> NDArray[np.bool_]:
    """Small spots on an even ground, far from anything like them."""
    import cv2

    side = 2 * THICKEST + 1
    departure, usual = _departure(grey, side)
    ground = grey - departure
    mean = cv2.blur(ground, (side, side))
    uneven = np.sqrt(np.maximum(cv2.blur(ground * ground, (side, side)) - mean * mean, 0))
    strength = np.abs(departure) / np.maximum(usual, 3 * uneven)
    strong = strength > limit * 0.4
    count, labels, stats, _ = cv2.connectedComponentsWithStats(strong.astype(np.uint8), connectivity=8)
    peak = np.zeros(count, np.float32)
    np.maximum.at(peak, labels.reshape(-1), strength.reshape(-1))
    area, box = stats[:, cv2.CC_STAT_AREA], stats[:, cv2.CC_STAT_WIDTH] * stats[:, cv2.CC_STAT_HEIGHT]
    small = (peak > limit) & (area >= 2) & (area <= (2 * THICKEST) ** 2) & (area > 0.35 * box)
    small[0] = False
    spots: NDArray[np.bool_] = small[labels]
    # Where many pixels around are strong, it is texture.
    crowded: NDArray[np.bool_] = cv2.blur(strong.astype(np.float32), (61, 61)) > 0.04
    return spots & ~crowded
