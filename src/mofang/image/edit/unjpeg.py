"""JPEG's blocks and rings taken out: a picture without noise that the same quantisation would have turned into this one."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.image.edit.bm3d import Floats, Prior

# ITU-T T.81, table K.1, in reading order.
LUMINANCE = np.array([16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29,
                      51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121,
                      120, 101, 72, 92, 95, 98, 112, 100, 103, 99], np.float32).reshape(8, 8)  # fmt: skip


def table_of(path: Path) -> NDArray[np.float32] | None:
    """(8, 8) the luminance quantisation steps of a JPEG file, None for any other picture."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            tables = getattr(image, "quantization", None)
    except (OSError, ValueError, SyntaxError):
        return None
    if not tables or len(tables.get(0, ())) != 64:
        return None
    return np.array(tables[0], np.float32).reshape(8, 8)


def table_at(quality: int) -> NDArray[np.float32]:
    """(8, 8) the steps of a quality 1..100 as the Independent JPEG Group's library scales table K.1."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((LUMINANCE * scale + 50) // 100, 1, 255).astype(np.float32)


def coarseness(table: NDArray[np.float32]) -> float:
    """How coarse a table's steps are where pictures have most, of 1; steps so coarse that nothing survives count as 60."""
    return float(np.minimum(table[:4, :4], 60).mean()) / 255


def unjpeg(image: Floats, table: NDArray[np.float32] | None, strength: float = 1.0) -> Floats:
    """(rows, columns, 3) repaired. `table` are the quantisation steps; without them those of quality 50 are assumed.

    BM3D at the strength of the quantisation noise; then every luminance coefficient is put back into the interval that the
    quantiser sent to the value that was stored (projection onto the quantisation constraint set; Zakhor 1992). Only where
    the picture still lies on its 8×8 grid, which one that was cropped or scaled does not.
    """
    steps = LUMINANCE if table is None else table
    # Uniform noise of a step has its variance over twelve.
    # Twice that: it is not white, and what the filter takes away too much the projection gives back (tried on photographs).
    sigma = coarseness(steps) / 12**0.5 * 2 * strength
    if sigma < 1 / 1020:
        return image.copy()
    prior = Prior()
    out = prior(image, sigma)
    if table is not None:
        out = _projected(out, image, steps)
    out = prior(out, sigma * 0.5)
    if table is not None:
        out = _projected(out, image, steps)
    return np.clip(out, 0, 1)


def _projected(out: Floats, stored: Floats, steps: NDArray[np.float32]) -> Floats:
    """Luminance coefficients within a quarter of a step of the stored ones.

    The true ones lie within half, but huddle near the middle: a quarter leaves least error on photographs.
    """
    import cv2

    rows, columns = stored.shape[0] // 8 * 8, stored.shape[1] // 8 * 8
    if not rows or not columns:
        return out
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    before, after = stored[:rows, :columns] @ weights * 255, out[:rows, :columns] @ weights * 255
    fixed = np.empty_like(after)
    slack = steps * np.float32(0.25)
    for y in range(0, rows, 8):
        for x in range(0, columns, 8):
            kept = cv2.dct(before[y : y + 8, x : x + 8])
            now = cv2.dct(after[y : y + 8, x : x + 8])
            fixed[y : y + 8, x : x + 8] = cv2.idct(np.clip(now, kept - slack, kept + slack))
    moved = out.copy()
    moved[:rows, :columns] += ((fixed - after) / 255)[..., None]
    return moved
