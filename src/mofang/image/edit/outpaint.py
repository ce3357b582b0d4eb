"""A picture continued past its frame."""

import re

import numpy as np

from mofang.image.edit.bm3d import Floats
from mofang.image.edit.inpaint import inpaint
from mofang.studio.errors import UserError

MOST = 0.6
"""The largest extension on one side, as a share of the picture's own length there."""


def outpaint(image: Floats, sides: tuple[int, int, int, int], seed: int = 0) -> Floats:
    """The picture with `sides` (top, right, bottom, left) pixels more, filled from its own patches, step by step outwards.

    Raises `UserError` for more than six tenths of the picture on a side.
    """
    rows, columns = image.shape[:2]
    top, right, bottom, left = sides
    if min(sides) < 0 or not any(sides):
        raise UserError("say how many pixels to add, as --sides 0,200,0,200 (top, right, bottom, left)")
    if max(top, bottom) > rows * MOST or max(left, right) > columns * MOST:
        raise UserError(f"a picture can be continued by {MOST:.0%} of its own size on a side; extend it less, or twice")
    padded = np.pad(image, ((top, bottom), (left, right), (0, 0)), mode="reflect" if min(rows, columns) > max(sides) else "edge")
    hole = np.ones(padded.shape[:2], np.bool_)
    hole[top : top + rows, left : left + columns] = False
    return inpaint(np.ascontiguousarray(padded), hole, seed, "exemplar")


def read_sides(text: str) -> tuple[int, int, int, int]:
    """`top,right,bottom,left`. Raises `UserError`."""
    match = re.fullmatch(r"\s*(\d{1,5})\s*,\s*(\d{1,5})\s*,\s*(\d{1,5})\s*,\s*(\d{1,5})\s*", text)
    if not match:
        raise UserError(f"'{text[:30]}' are no sides; write top,right,bottom,left in pixels, as 0,200,0,200")
    return int(match[1]), int(match[2]), int(match[3]), int(match[4])


def sides_for(ratio: str, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """What to add so that the picture has the shape `ratio` (`16:9`) and stands in its middle. Raises `UserError`."""
    match = re.fullmatch(r"\s*(\d{1,4})\s*[:：x×]\s*(\d{1,4})\s*", ratio)
    if not match or not int(match[1]) or not int(match[2]):
        raise UserError(f"'{ratio[:20]}' is no shape; write width:height, as 16:9")
    rows, columns = shape[:2]
    wide, high = round(rows * int(match[1]) / int(match[2])) - columns, round(columns * int(match[2]) / int(match[1])) - rows
    if wide > 1:
        return 0, wide - wide // 2, 0, wide // 2
    if high > 1:
        return high // 2, 0, high - high // 2, 0
    raise UserError(f"the picture has the shape {ratio} already; nothing is to be added")
