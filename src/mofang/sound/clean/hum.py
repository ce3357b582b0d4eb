"""Hum: the mains at 50 or 60 Hz and what it carries along, found and notched out."""

import numpy as np
from numpy.typing import NDArray

from mofang.sound.edit.source import Sound

PARTIALS = 12
WIDTH = 1.2
"""Hz on each side of a partial that go with it."""
STANDS = 6.0
"""Times its surroundings: what a partial must be to count as hum."""


def hum_of(sound: Sound) -> float:
    """The mains frequency in Hz (about 50 or 60) if its partials stand out of the long-time spectrum; 0 if not."""
    if sound.seconds < 2:
        return 0.0
    level, bins = _long_spectrum(sound)
    best, found = 0.0, 0.0
    for mains in (50.0, 60.0):
        for frequency in np.arange(mains - 0.6, mains + 0.61, 0.1):
            ratios = [_stands(level, bins, k * frequency) for k in range(1, 7) if k * frequency < sound.rate / 2 - 60]
            strong = sum(ratio > STANDS for ratio in ratios)
            score = float(np.log(np.maximum(ratios, 1)).sum())
            if strong >= 2 and score > best:
                best, found = score, float(frequency)
    return found


def dehum(sound: Sound, mains: float = 0.0) -> Sound:
    """`sound` without hum; `mains` in Hz if it is known. What has no hum is left alone."""
    frequency = mains or hum_of(sound)
    if not frequency:
        return sound
    level, bins = _long_spectrum(sound)
    length = len(sound.samples)
    size = length + sound.rate  # a second of rest, so that the notches' ringing does not come round
    hertz = np.fft.rfftfreq(size, 1 / sound.rate)
    gain = np.ones(len(hertz))
    for k in range(1, PARTIALS + 1):
        centre = k * frequency
        if centre < sound.rate / 2 - 60 and (mains or _stands(level, bins, centre) > STANDS):
            gain *= 1 - np.exp(-0.5 * ((hertz - centre) / (WIDTH / 2)) ** 2)
    made = [np.fft.irfft(np.fft.rfft(channel, size) * gain, size)[:length] for channel in sound.samples.T]
    return Sound(np.stack(made, 1).astype(np.float32), sound.rate)


def _long_spectrum(sound: Sound) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The median over time of power in bins of half a hertz: hum never stops, music and voices do."""
    mono = sound.mono()
    size = min(2 * sound.rate, len(mono))
    starts = np.linspace(0, len(mono) - size, min(40, max(1, 4 * (len(mono) // size)))).astype(int)
    weights = np.hanning(size)
    powers = [np.abs(np.fft.rfft(mono[start : start + size] * weights)) ** 2 for start in starts]
    return np.asarray(np.median(powers, axis=0)), np.asarray(np.fft.rfftfreq(size, 1 / sound.rate))


def _stands(level: NDArray[np.float64], bins: NDArray[np.float64], hertz: float) -> float:
    step = bins[1]
    centre = round(hertz / step)
    near, far = max(1, round(0.8 / step)), round(12 / step)
    peak = level[max(centre - near, 0) : centre + near + 1].max(initial=0.0)
    around = np.concatenate([level[max(centre - far, 0) : max(centre - 4 * near, 0)], level[centre + 4 * near : centre + far]])
    return float(np.sqrt(peak / max(float(np.median(around)) if len(around) else 0.0, 1e-12)))
