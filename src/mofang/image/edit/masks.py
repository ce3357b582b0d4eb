"""Which pixels a verb is about: from a file, a colour painted over the picture, or boxes."""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.image.safe import open_picture
from mofang.studio.errors import UserError

Mask = NDArray[np.bool_]
Box = tuple[int, int, int, int]
"""Left, top, width, height in pixels."""


def from_file(path: Path, shape: tuple[int, ...]) -> Mask:
    """White where it applies; a mask of the same proportions is brought to size. Raises `UserError` for another shape."""
    import cv2

    grey = open_picture(path).mean(2)
    rows, columns = shape[:2]
    if grey.shape != (rows, columns):
        if abs(grey.shape[1] / grey.shape[0] / (columns / rows) - 1) > 0.02:
            raise UserError(f"{path.name} is {grey.shape[1]}×{grey.shape[0]} and the picture {columns}×{rows}; "
                            "paint the mask over the picture itself")  # fmt: skip
        grey = cv2.resize(grey.astype(np.float32), (columns, rows), interpolation=cv2.INTER_LINEAR)
    found: Mask = grey > 127
    return found


def box(where: Box, shape: tuple[int, ...]) -> Mask:
    """A rectangle. Raises `UserError` if none of it is in the picture."""
    mask = np.zeros(shape[:2], np.bool_)
    left, top, width, height = where
    mask[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)] = True
    if not mask.any():
        raise UserError(f"the box {left},{top},{width},{height} lies outside the picture of {shape[1]}×{shape[0]} pixels; "
                        "count from its upper left corner")  # fmt: skip
    return mask


def read_box(text: str) -> Box:
    """`x,y,w,h`. Raises `UserError`."""
    match = re.fullmatch(r"\s*(-?\d{1,6})\s*,\s*(-?\d{1,6})\s*,\s*(\d{1,6})\s*,\s*(\d{1,6})\s*", text)
    if not match or not int(match[3]) or not int(match[4]):
        raise UserError(f"'{text[:30]}' is no box; write left,top,width,height in pixels, as 120,80,200,60")
    return int(match[1]), int(match[2]), int(match[3]), int(match[4])


def keyed(image: NDArray[np.uint8], colour: str, tolerance: int = 40) -> Mask:
    """Where the picture is painted over with `colour` (`#rrggbb`), give or take JPEG's blur, and a pixel around it."""
    import cv2

    if not re.fullmatch(r"#?[0-9a-fA-F]{6}", colour):
        raise UserError(f"'{colour[:20]}' is no colour; write it as #ff00ff")
    digits = colour.removeprefix("#")
    wanted = np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)], np.int16)
    mask = np.abs(image.astype(np.int16) - wanted).max(2) <= tolerance
    if not mask.any():
        raise UserError(f"nothing in the picture is painted #{digits}; paint over what is to go in exactly that colour")
    found: Mask = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return found


def union(masks: list[Mask]) -> Mask:
    """All of them together."""
    found: Mask = np.logical_or.reduce(masks)
    return found
