"""What is heard, a frame every 12.5 ms: a log-mel spectrum, the pitch, and whether the voice sounds."""

import numpy as np
from numpy.typing import NDArray

from mofang.sound.mel import Mel, log_mel
from mofang.sound.own import f0

Floats = NDArray[np.float32]

MEL = Mel()
RATE, HOP, BANDS = MEL.rate, MEL.hop, MEL.bands
PITCH, VOICED, SIZE = BANDS, BANDS + 1, BANDS + 2
"""Columns: the bands, then ln F0, then 1 where the voice sounds and 0 where not."""

MIDDLE, SPREAD = -5.0, 3.0
"""Of the log-mel values of speech at −23 LUFS, so that features are about ±2."""
MIDDLE_F0, SPREAD_F0 = float(np.log(180.0)), 0.4


def features(samples: Floats) -> Floats:
    """(n // HOP, SIZE) of samples (n,) at RATE Hz, scaled for networks."""
    spectrum = (log_mel(samples, MEL) - MIDDLE) / SPREAD
    pitch, voiced = f0.track(samples, RATE, HOP)
    tone = (np.log(np.where(pitch > 0, pitch, np.exp(MIDDLE_F0))) - MIDDLE_F0) / SPREAD_F0
    return np.concatenate([spectrum, tone[:, None], voiced[:, None]], 1).astype(np.float32)


def as_mel(values: Floats) -> Floats:
    """The log-mel spectrum (frames, BANDS) that features stand for."""
    return np.asarray(values[:, :BANDS] * SPREAD + MIDDLE, np.float32)


def as_hertz(values: Floats) -> Floats:
    """F0 in Hz that features stand for, 0 where the voice does not sound."""
    return np.asarray(np.exp(values[:, PITCH] * SPREAD_F0 + MIDDLE_F0) * (values[:, VOICED] > 0.5), np.float32)
