"""Tempo: faster or slower at the same pitch, by a phase vocoder that keeps attacks sharp.

Phases are locked around spectral peaks (Laroche & Dolson 1999, identity locking) and set anew at transients (Röbel 2003);
stereo channels share the rotation of their sum, so that the image stays where it is. The time map runs straight through an
attack at the old speed and makes up for it after, so that drums are not smeared.
"""

import numpy as np
from numpy.typing import NDArray

from mofang.sound.edit.source import LONGEST, Sound
from mofang.sound.edit.stft import istft, stft, window
from mofang.studio.errors import UserError

SLOWEST, FASTEST = 0.25, 4.0
RISE = 2.2
"""A frame whose flux stands so far above its surroundings' median is an attack."""


def tempo(sound: Sound, speed: float) -> Sound:
    """`sound` at `speed` times its tempo, in ⌈n / speed⌋ samples. Raises `UserError` outside ¼ to 4 or past an hour."""
    if not SLOWEST <= speed <= FASTEST:
        raise UserError(f"a speed of {speed:g} cannot be made; give {SLOWEST:g} to {FASTEST:g}")
    if sound.seconds / speed > LONGEST:
        raise UserError(f"the result would last {sound.seconds / speed / 60:.0f} minutes; cut it first")
    return sound if speed == 1 else Sound(stretched(sound.samples, sound.rate, 1 / speed), sound.rate)


def stretched(samples: NDArray[np.float32], rate: int, factor: float) -> NDArray[np.float32]:
    """Samples (n, channels) made `factor` times as long, (round(n · factor), channels)."""
    size = 1 << round(np.log2(0.05 * rate))  # about 50 ms: resolves a bass, and a drum stays short
    hop, length = size // 4, round(len(samples) * factor)
    mono = samples.mean(1) if samples.shape[1] > 1 else samples[:, 0]
    starts, attacks = _time_map(mono, rate, hop, length, factor)
    made = [np.empty((len(starts), size // 2 + 1), np.complex64) for _ in samples.T]
    # Padding on both sides, so that frames at the very edges and one hop before them exist.
    padded = np.pad(samples, ((size, 2 * size), (0, 0)))
    weights = window(size)
    phase = np.zeros(size // 2 + 1)
    advance = 2 * np.pi * np.arange(size // 2 + 1) * hop / size
    for number, start in enumerate(starts):
        at = int(start) + size // 2  # centre `start` lies at start + size; the frame begins half a size before
        now = [np.fft.rfft(padded[at : at + size, c] * weights) for c in range(samples.shape[1])]
        both = now[0] + now[1] if len(now) > 1 else now[0]
        angle: NDArray[np.float64] = np.angle(both)
        if number == 0 or attacks[number]:
            phase = angle
        else:
            before = padded[at - hop : at - hop + size]
            old = np.angle(np.fft.rfft((before.mean(1) if len(now) > 1 else before[:, 0]) * weights))
            moved = angle - old - advance
            phase = _locked(np.abs(both), angle, phase, advance + moved - 2 * np.pi * np.round(moved / (2 * np.pi)))
        turn = np.exp(1j * (phase - angle))
        for channel, spectrum in enumerate(now):
            made[channel][number] = spectrum * turn
    return np.stack([istft(each, size, hop, length) for each in made], 1)


def _locked(strength: NDArray[np.float64], angle: NDArray[np.float64], before: NDArray[np.float64], step: NDArray[np.float64]
            ) -> NDArray[np.float64]:  # fmt: skip
    """Phases of a frame: peaks go on from the frame before by `step`; what lies around a peak turns with it."""
    inner = strength[2:-2]
    peak = (inner > strength[1:-3]) & (inner >= strength[3:-1]) & (inner > strength[:-4]) & (inner >= strength[4:])
    peaks = np.flatnonzero(peak) + 2
    if not len(peaks):
        return before + step
    borders = (peaks[1:] + peaks[:-1]) // 2 + 1
    owner = peaks[np.searchsorted(borders, np.arange(len(strength)), side="right")]
    return np.asarray(angle + (before + step - angle)[owner])


def _time_map(mono: NDArray[np.float32], rate: int, hop: int, length: int, factor: float
              ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:  # fmt: skip
    """For each frame of the result, the sample of the source at its centre, and whether it begins an attack."""
    frames = 1 + -(-length // hop)
    out = np.arange(frames) * hop
    onsets = attacks_of(mono, rate)
    anchors_in, anchors_out = [0.0], [0.0]
    keep = 1.5 * hop  # samples around an attack that pass at the old speed
    for onset in onsets:
        middle = onset * factor
        if onset - keep > anchors_in[-1] + hop and middle - keep > anchors_out[-1] + hop / 2 and middle + keep < length:
            anchors_in += [onset - keep, onset + keep]
            anchors_out += [middle - keep, middle + keep]
    anchors_in.append(float(len(mono)))
    anchors_out.append(max(float(length), anchors_out[-1] + 1))
    starts = np.interp(out, anchors_out, anchors_in)
    attacks = np.zeros(frames, bool)
    for onset in anchors_out[1:-1:2]:  # the frame where the straight stretch begins: phases as they were
        attacks[min(int(np.ceil((onset + keep / 2) / hop)), frames - 1)] = True
    return starts, attacks


def attacks_of(mono: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """Samples at which something is struck: frames whose rise in level over all bands stands far above its surroundings."""
    size = 1 << round(np.log2(0.023 * rate))
    hop = size // 4
    level = np.log1p(100 * np.abs(stft(mono, size, hop)) / size)
    flux = np.maximum(np.diff(level, axis=0, prepend=level[:1]), 0).mean(1)
    wide = max(3, round(0.1 * rate / hop)) | 1
    around = np.lib.stride_tricks.sliding_window_view(np.pad(flux, wide // 2, mode="reflect"), wide)
    if not len(flux) > wide:
        return np.zeros(0)
    peak = (flux == around.max(1)) & (flux > RISE * np.median(around, 1) + 0.1 * flux.max() + 1e-4)
    return np.asarray(np.flatnonzero(peak) * hop, np.float64)
