"""Colours of pictures that are clear in places."""

import numpy as np

from mofang.image.edit.bm3d import Floats
from mofang.image.edit.diffuse import diffused

SURE = 0.1
"""How opaque a pixel must be for its colour to be told from the paper's: 8 bits leave too few steps below."""


def straight(image: Floats, alpha: Floats) -> Floats:
    """The colours (rows, columns, 3) of a picture laid on white, without the white; `alpha` (rows, columns) in 0..1.

    Where it is clear its surroundings flow in, so that what looks at neighbours, a network or a filter, sees no edge there.
    """
    solid = np.maximum(alpha, SURE)[..., None]
    colours = np.clip((image - (1 - solid)) / solid, 0, 1).astype(np.float32)
    return diffused(colours, alpha < SURE)
