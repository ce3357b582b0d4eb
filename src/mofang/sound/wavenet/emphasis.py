"""Pre-emphasis: a vocoder's noise is white, and after the inverse filter it lies low, where speech covers it."""

import numpy as np
from numpy.typing import NDArray

from mofang.sound.wavenet.kernels import compiled

Floats = NDArray[np.float32]


def emphasised(samples: Floats, coefficient: float) -> Floats:
    """y_t = x_t − a x_{t−1}; with a = 0 the samples themselves."""
    if not coefficient:
        return samples
    past = np.concatenate([np.zeros(1, np.float32), samples[:-1]])
    return np.asarray(samples - np.float32(coefficient) * past, np.float32)


@compiled
def flattened(samples: Floats, coefficient: float) -> Floats:
    """The inverse: x_t = y_t + a x_{t−1}."""
    out = np.empty_like(samples)
    last = 0.0
    for t in range(samples.size):
        last = samples[t] + coefficient * last
        out[t] = last
    return out
