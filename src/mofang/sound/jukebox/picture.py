"""Sound as a picture: log-mel spectrograms one above another."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from mofang.sound.mel import Mel, log_mel

Floats = NDArray[np.float32]
WIDEST = 1600
"""Pixels; longer sounds are thinned."""


def spectrograms(parts: Sequence[Floats], rate: int) -> bytes:
    """A PNG of sounds (n,) at `rate` Hz, time to the right, 100 frames a second, low bands at the bottom, 80 dB from dark to light."""
    mel = Mel(rate, rate // 100, rate // 25, 1 << (rate // 25 - 1).bit_length(), 96, 40.0, rate * 0.475)
    found = [log_mel(np.pad(part, (0, mel.hop)), mel) for part in parts]
    top, width = max(float(each.max()) for each in found), max(len(each) for each in found)
    sheet = np.concatenate([_one(each, width, top) for each in found])
    if width > WIDEST:
        sheet = cv2.resize(sheet, (WIDEST, len(sheet)), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".png", sheet)[1])


def _one(mel: Floats, width: int, top: float) -> NDArray[np.uint8]:
    grey = np.zeros((mel.shape[1], width), np.float32)
    grey[:, : len(mel)] = np.clip((mel.T[::-1] - top) / 9.2 + 1, 0, 1)  # 80 dB are 9.2 in natural logarithms of magnitude
    tall = np.repeat((grey * 255).astype(np.uint8), 2, 0)
    picture = cv2.applyColorMap(tall, cv2.COLORMAP_INFERNO)
    picture[-2:] = 255
    return np.asarray(picture, np.uint8)
