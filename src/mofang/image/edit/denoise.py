"""Noise taken out, as much as there is: its strength is measured first."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.image.edit.bm3d import Floats, bm3d
from mofang.image.edit.repair import cleaned

SIDE = 7
HARDEST = 0.3
"""Side of the patches noise is measured on, in pixels; the strongest noise that is believed, of 1."""


def noise_of(image: Floats) -> float:
    """Standard deviation of the noise (0..1): the patches' covariance has a few large eigenvalues, which are the picture,
    and many alike, which are the noise; the largest are dropped until mean and median agree (Chen, Zhu & Heng 2015)."""
    layers = image[..., None] if image.ndim == 2 else image
    if min(layers.shape[:2]) < 3 * SIDE:
        return 0.0
    patches = [np.lib.stride_tricks.sliding_window_view(layers[..., c], (SIDE, SIDE))[::3, ::3].reshape(-1, SIDE**2)
               for c in range(layers.shape[2])]  # fmt: skip
    rows = np.concatenate(patches).astype(np.float64)
    # Clipped patches have lost their noise.
    rows = rows[(rows.min(1) > 0.004) & (rows.max(1) < 0.996)]
    if len(rows) < 4 * SIDE**2:
        return 0.0
    values = np.linalg.eigvalsh(np.cov(rows.T))
    for kept in range(len(values), 1, -1):
        if values[:kept].mean() <= np.median(values[:kept]):
            break
    return float(np.sqrt(max(np.median(values[:kept]), 0)))


def denoise(image: Floats, strength: float = 1.0, sigma: float | None = None, graph: Path | None = None) -> Floats:
    """(rows, columns, 3) without its noise: BM3D, or the network that repairs in `graph`, at the measured strength (or
    `sigma`, 0..1) times `strength`."""
    level = noise_of(image) if sigma is None else sigma
    if level * strength <= 1 / 1020:
        return image.copy()
    if graph is not None:
        return cleaned(image, graph, min(level * strength, HARDEST))
    found: NDArray[np.float32] = np.clip(bm3d(image, min(level * strength, HARDEST)), 0, 1)
    return found
