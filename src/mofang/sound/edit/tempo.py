"""Tempo: faster or slower at the same pitch, by a phase vocoder that keeps attacks sharp.

Phases are locked around spectral peaks (Laroche & Dolson 1999, identity locking) and set anew at transients (Röbel 2003);
stereo channels share the rotation of their sum, so that the image stays where it is. The time map runs straight through an
attack at the old speed and makes up for it after, so that drums are not smeared.
"""

import numpy as np
from numpy.typing import NDArray

from mofang.sound.edit.source import LONGEST, Sound
from mofang.sound.edit.stft import Spectra, istft, stft, window
from mofang.studio.errors import UserError

SLOWEST, FASTEST = 0.25, 4.0
RISE = 2.2
"""A frame whose flux stands so far above its surroundings' median is an attack."""
BLOCK = 256
"""Frames whose spectra are computed together."""


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
    made = np.empty((samples.shape[1], len(starts), size // 2 + 1), np.complex64)
    # Padding on both sides, so that frames at the very edges and one hop before them exist.
    padded = np.pad(samples.T, ((0, 0), (size, 2 * size)))
    places = starts.astype(int) + size // 2  # centre `start` lies at start + size; the frame begins half a size before
    weights = window(size)

    def spectra(signal: NDArray[np.float32], at: NDArray[np.int64]) -> Spectra:
        pieces = np.lib.stride_tricks.sliding_window_view(signal, size)[at] * weights
        return np.fft.rfft(pieces, axis=1).astype(np.complex64, copy=False)

    whole = padded.sum(0)
    last, turn = np.ones((1, size // 2 + 1), np.complex64), np.ones(size // 2 + 1, np.complex64)
    for start in range(0, len(starts), BLOCK):
        at = places[start : start + BLOCK]
        parts = [spectra(channel, at) for channel in padded]
        now = parts[0] if len(parts) == 1 else np.asarray(sum(parts), np.complex64)
        # A peak's phase grows by what it grows by over a hop of the source, whose frame one hop before is at hand: relative to the
        # source, it turns by that from the frame before it there to the one before it here.
        turned = _unit(np.concatenate((last, now[:-1])) * spectra(whole, at - hop).conj())
        turns = _locked(np.abs(now), turned, turn, attacks[start : start + BLOCK])
        last, turn = now[-1:], _unit(turns[-1])
        for number, part in enumerate(parts):
            np.multiply(part, turns, out=made[number, start : start + BLOCK])
    return np.stack([istft(each, size, hop, length) for each in made], 1)


def _unit(values: Spectra) -> Spectra:
    """values / |values|; 1 where there is nothing."""
    strength = np.abs(values)
    return np.where(strength > 0, values / np.maximum(strength, np.float32(1e-37)), np.complex64(1))


def _locked(strength: NDArray[np.float32], turned: Spectra, turn: Spectra, attacks: NDArray[np.bool_]) -> Spectra:
    """How far the bins of frames (T, bins) are turned: peaks by `turned` on from the frame before them (`turn` before the first), and
    what lies around a peak with it; at an attack nothing is."""
    count, bins = strength.shape
    inner = strength[:, 2:-2]
    peak = (inner > strength[:, 1:-3]) & (inner >= strength[:, 3:-1]) & (inner > strength[:, :-4]) & (inner >= strength[:, 4:])
    rows, peaks = np.nonzero(peak)
    peaks += 2
    edges = np.searchsorted(rows, np.arange(count + 1))
    # Bins belong to the nearer peak; the first and the last of a frame to its ends.
    begins, ends = np.zeros(len(peaks), int), np.full(len(peaks), bins)
    inside = np.flatnonzero(rows[1:] == rows[:-1])
    ends[inside] = begins[inside + 1] = (peaks[inside] + peaks[inside + 1]) // 2 + 1
    widths, steps = ends - begins, turned[rows, peaks]
    out = np.empty_like(turned)
    for number, (a, b) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)):
        if attacks[number]:
            turn = np.ones(bins, np.complex64)
        elif a == b:
            turn = turn * turned[number]
        else:
            turn = np.repeat(turn[peaks[a:b]] * steps[a:b], widths[a:b])
        out[number] = turn
    return out


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
    attacks = np.arange(frames) == 0
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
