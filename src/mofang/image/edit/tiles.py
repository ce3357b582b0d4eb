"""Large pictures in tiles, so that memory stays bounded and a result does not depend on the picture's size."""

from collections.abc import Callable

import numpy as np

from mofang.image.edit.bm3d import Floats

TILE = 1024
"""Side of a tile in pixels: a multiple of eight, so that JPEG's grid lies alike in all of them."""


def tiled(image: Floats, work: Callable[[Floats], Floats], overlap: int = 32, tile: int = TILE) -> Floats:
    """`work`, which keeps a picture's size, on tiles of (rows, columns, 3) that overlap by `overlap` pixels.

    What a tile gives within half the overlap of its neighbours is not used: filters know less of the picture there.
    """
    rows, columns = image.shape[:2]
    if max(rows, columns) <= tile + 2 * overlap:
        return work(image)
    overlap = -(-overlap // 8) * 8
    out = np.empty_like(image)
    for top in range(0, rows, tile):
        for left in range(0, columns, tile):
            y0, x0 = max(top - overlap, 0), max(left - overlap, 0)
            part = work(np.ascontiguousarray(image[y0 : top + tile + overlap, x0 : left + tile + overlap]))
            high, wide = min(tile, rows - top), min(tile, columns - left)
            out[top : top + high, left : left + wide] = part[top - y0 :, left - x0 :][:high, :wide]
    return out
