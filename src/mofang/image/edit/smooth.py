"""Filling holes with what their rim foretells: sharp within a few pixels of it, smooth beyond."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.image.edit.bm3d import Floats, Prior
from mofang.image.edit.repair import filled


def continued(image: Floats, hole: NDArray[np.bool_], graph: Path | None = None, rounds: int = 12) -> Floats:
    """Fill by a network that repairs, or without one by iterated denoising and back-projection (IDBP; Tirer & Giryes 2019)
    with BM3D as the denoiser: from a first guess by diffusion, noise of falling strength is taken out and what is known
    put back."""
    import cv2

    if graph is not None:
        return filled(image, hole, graph)

    guess = cv2.inpaint((image * 255).round().astype(np.uint8), hole.astype(np.uint8), 3, cv2.INPAINT_NS)
    out = image.copy()
    out[hole] = guess[hole] / np.float32(255)
    prior = Prior(hole)
    for number, sigma in enumerate(np.geomspace(36 / 255, 3 / 255, rounds)):
        out[hole] = prior(out, float(sigma), again=number % 3 == 0)[hole]
    return np.clip(out, 0, 1)
