"""Pitch: higher or lower in the same time; a voice may keep its formants."""

import numpy as np
from numpy.typing import NDArray

from mofang.sound.edit.source import Sound
from mofang.sound.edit.stft import istft, stft
from mofang.sound.edit.tempo import stretched
from mofang.studio.errors import UserError

MOST = 24.0
"""Semitones."""


def pitch(sound: Sound, semitones: float, *, formants: bool = False) -> Sound:
    """`sound` so many semitones higher, as long as before: stretched, then played faster.

    With `formants` the envelope of every spectrum is put back where it was (source-filter): a voice stays the same person.
    Raises `UserError` past two octaves.
    """
    if not -MOST <= semitones <= MOST:
        raise UserError(f"{semitones:g} semitones cannot be shifted; give −{MOST:g} to {MOST:g}")
    if semitones == 0:
        return sound
    ratio = 2 ** (semitones / 12)
    longer = stretched(sound.samples, sound.rate, ratio)
    made = np.stack([_resampled(channel, ratio, len(sound.samples)) for channel in longer.T], 1)
    if formants:
        pairs = zip(sound.samples.T, made.T, strict=True)
        made = np.stack([_with_envelope(new, old, sound.rate) for old, new in pairs], 1)
    return Sound(made, sound.rate)


def _resampled(samples: NDArray[np.float32], step: float, length: int, half: int = 24) -> NDArray[np.float32]:
    """`samples` read at every `step`-th place, (length,): a Hann-windowed sinc that cuts off below both Nyquist rates."""
    cutoff = min(1.0, 1 / step) * 0.97
    reach = int(np.ceil(half / cutoff))
    padded = np.pad(samples, (reach, 2 * reach + int(step) + 2))
    out = np.empty(length, np.float32)
    taps = np.arange(-reach + 1, reach + 1)
    block = 8192
    for at in range(0, length, block):
        place = np.arange(at, min(at + block, length)) * step
        whole = np.minimum(np.floor(place).astype(np.int64), len(samples))
        x = taps - (place - np.floor(place))[:, None]
        kernel = cutoff * np.sinc(cutoff * x) * (0.5 + 0.5 * np.cos(np.pi * np.clip(x / reach, -1, 1)))
        out[at : at + len(place)] = (padded[whole[:, None] + taps + reach] * kernel).sum(1)
    return out


def _with_envelope(shifted: NDArray[np.float32], original: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """`shifted` with the spectral envelopes of `original` (n,)."""
    size = 1 << round(np.log2(0.04 * rate))
    hop = size // 4
    new = stft(shifted, size, hop)
    old = stft(original, size, hop)
    gain = envelope(np.abs(old), rate) - envelope(np.abs(new), rate)
    # Where the shifted voice has nothing, noise must not be raised to what the original had there.
    new *= np.exp(np.clip(gain, -4.0, 2.5)).astype(np.float32)
    made = istft(new, size, hop, len(shifted))
    level = np.sqrt(np.square(original, dtype=np.float64).mean() / max(float(np.square(made, dtype=np.float64).mean()), 1e-12))
    return np.asarray(made * min(level, 4.0), np.float32)


def envelope(magnitudes: NDArray[np.float32], rate: int, lag: float = 0.0022, rounds: int = 12) -> NDArray[np.float32]:
    """ln of the envelope over the partials of (frames, bins) by the true envelope (Röbel & Rodet 2005): a cepstrum cut at
    `lag` seconds, fitted again and again to the larger of itself and the spectrum."""
    target = np.log(np.maximum(magnitudes, 1e-6))
    keep = max(4, round(lag * rate))
    smooth = target
    for _ in range(rounds):
        cepstrum = np.fft.irfft(np.maximum(target, smooth) if smooth is not target else target, axis=1)
        cepstrum[:, keep : cepstrum.shape[1] - keep + 1] = 0
        smooth = np.fft.rfft(cepstrum, axis=1).real
    return np.asarray(smooth, np.float32)
