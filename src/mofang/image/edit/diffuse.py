"""A first guess at what a hole hides: the surroundings flow in, coarse to fine."""

import numpy as np
from numpy.typing import NDArray

from mofang.image.edit.bm3d import Floats

ROUNDS = 8
"""Relaxations a level; the coarser level has done the rest."""


def diffused(image: Floats, hole: NDArray[np.bool_]) -> Floats:
    """(rows, columns, channels) with `hole` filled smoothly: Laplace's equation, nearly, by a pyramid of known means and a
    few relaxations at each level. A picture that is all hole becomes grey."""
    import cv2

    known = (~hole).astype(np.float32)
    if not known.any():
        return np.full_like(image, 0.5)
    levels = [(image * known[..., None], known)]
    while (levels[-1][1] == 0).any() and max(levels[-1][1].shape) > 1:
        total, mass = levels[-1]
        size = ((mass.shape[1] + 1) // 2, (mass.shape[0] + 1) // 2)
        mass_below = cv2.resize(mass, size, interpolation=cv2.INTER_AREA)
        levels.append((cv2.resize(total, size, interpolation=cv2.INTER_AREA).reshape(*size[::-1], -1), mass_below))
    total, mass = levels.pop()
    current = total / np.maximum(mass, 1e-6)[..., None]
    while levels:
        total, mass = levels.pop()
        finer = cv2.resize(current, mass.shape[::-1], interpolation=cv2.INTER_LINEAR).reshape(total.shape)
        sure = (mass > 0)[..., None]
        current = np.where(sure, total / np.maximum(mass, 1e-6)[..., None], finer)
        for _ in range(ROUNDS):
            current = np.where(sure, current, cv2.blur(current, (3, 3)).reshape(total.shape))
    found: Floats = current.astype(np.float32)
    found[~hole] = image[~hole]
    return found
