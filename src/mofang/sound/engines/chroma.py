"""Which pitch class is loudest when: what MusicGen's melody model hears of a tune (section 2.3 of arXiv:2306.05284)."""

from typing import Any

import numpy as np

from mofang.sound.edit.stft import window
from mofang.sound.engines.base import Samples

SIZE, HOP = 16384, 4096
"""Samples of a spectrum and between two, at the rate the model runs at."""


def chroma(samples: Samples, rate: int, classes: int = 12) -> Samples:
    """Samples (n,) as (1 + ⌊n / HOP⌋, classes) of zeros with a single one: the class, from C on, that has the most power."""
    from transformers.audio_utils import chroma_filter_bank

    filters: Any = chroma_filter_bank(num_frequency_bins=SIZE, num_chroma=classes, sampling_rate=rate, tuning=0)
    short = max(0, SIZE - len(samples))
    samples = np.pad(samples, (short // 2, short - short // 2))
    padded = np.pad(samples, SIZE // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, SIZE)[::HOP]
    power = np.abs(np.fft.rfft(frames * window(SIZE), axis=1)) ** 2
    return np.asarray(np.eye(classes, dtype=np.float32)[(power @ filters.T).argmax(1)])
