"""Features as a picture: spectrograms one above another, the pitch drawn over them."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from mofang.sound.own.features import BANDS, PITCH, VOICED

Floats = NDArray[np.float32]

SCALE = 3
"""Pixels of a band and of a frame."""


def spectrograms(parts: Sequence[Floats]) -> bytes:
    """A PNG of features (frames, SIZE), time to the right, low bands at the bottom, with the pitch as a line."""
    width = max(len(part) for part in parts)
    return bytes(cv2.imencode(".png", np.concatenate([_one(part, width) for part in parts]))[1])


def _one(features: Floats, width: int) -> NDArray[np.uint8]:
    bands = np.zeros((BANDS, width), np.float32)
    bands[:, : len(features)] = np.clip((features[:, :BANDS].T[::-1] + 2.2) / 4.4, 0, 1)
    grey = np.kron((bands * 255).astype(np.uint8), np.ones((SCALE, SCALE), np.uint8))
    picture = cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO)
    heights = np.clip((2.5 - features[:, PITCH]) / 5, 0, 1) * (BANDS * SCALE - 1)
    for at in np.flatnonzero(features[:, VOICED] > 0.5):
        cv2.circle(picture, (int(at) * SCALE + 1, int(heights[at])), 1, (255, 255, 0), -1)
    picture[-2:] = 255
    return np.asarray(picture, np.uint8)
