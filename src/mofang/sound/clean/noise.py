"""Noise: estimated while the voice speaks (IMCRA), taken out by OM-LSA.

Cohen & Berdugo 2001 (doi:10.1016/S0165-1684(01)00128-1) for the gain: log-spectral amplitude (Ephraim & Malah 1985) weighed
by the probability that there is speech; Cohen 2003 (doi:10.1109/TSA.2003.811544) for the noise: minima of a smoothed
spectrum, found twice, the second time with the speech taken out.
"""

import numpy as np
from numpy.typing import NDArray

from mofang.sound.clean.omlsa import FRAMES, WINDOWS, gains
from mofang.sound.edit.source import Sound
from mofang.sound.edit.stft import istft, stft


def denoise(sound: Sound, strength: float = 1.0) -> Sound:
    """`sound` with steady and slowly changing noise lower by up to 20 dB · `strength` (0 … 2)."""
    size = 1 << round(np.log2(0.032 * sound.rate))
    hop = size // 4
    spectra = [stft(channel, size, hop) for channel in sound.samples.T]
    power = np.asarray(np.mean([np.square(each.real) + np.square(each.imag) for each in spectra], 0, np.float64))
    quiet = float(power.max()) * 1e-12
    if quiet <= 0:
        return sound
    np.maximum(power, quiet, out=power)
    gain = gains(power, _start(power), 10 ** (-20 * strength / 20))
    made = [istft(each * gain, size, hop, len(sound.samples)) for each in spectra]
    return Sound(np.stack(made, 1), sound.rate)


def _start(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """The noise (bins,) before anything is known: the mean of the first second, or of the quiet fifth of all if somebody speaks at
    once."""
    first = power[: min(len(power), WINDOWS * FRAMES)].mean(0)
    some = power[:: max(1, len(power) // 500)]
    return np.asarray(np.maximum(np.minimum(first, np.quantile(some, 0.2, axis=0) * 2), 1e-20), np.float64)
