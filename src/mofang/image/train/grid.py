"""Many pictures on one sheet, to look at."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

GROUND = 0.94
"""Lightness of the paper behind transparent pictures."""


def sheet(pictures: NDArray[np.float32], columns: int) -> NDArray[np.uint8]:
    """(rows, columns, 3) of pictures (N, 3 or 4, H, W) in -1..1, the fourth channel premultiplied alpha."""
    x = np.clip(pictures / 2 + 0.5, 0, 1)
    if x.shape[1] == 4:
        x = x[:, :3] + (1 - x[:, 3:]) * GROUND
    count, channels, height, width = x.shape
    rows = -(-count // columns)
    page = np.full((rows * columns, channels, height, width), GROUND, np.float32)
    page[:count] = x
    page = page.reshape(rows, columns, channels, height, width).transpose(0, 3, 1, 4, 2)
    whole: NDArray[np.uint8] = np.rint(np.clip(page, 0, 1) * 255).astype(np.uint8)
    return whole.reshape(rows * height, columns * width, channels)


def save_grid(pictures: NDArray[np.float32], path: Path, columns: int) -> Path:
    """Write `sheet` of the pictures as PNG."""
    from PIL import Image

    Image.fromarray(sheet(pictures, columns)).save(path)
    return path
