"""A picture continued past its frame."""

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
