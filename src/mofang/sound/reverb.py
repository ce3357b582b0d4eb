"""A room: a feedback delay network (Jot & Chaigne 1991), and an equaliser that leaves phases alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mofang.sound.engines.base import Samples

DELAYS = (1423, 1559, 1693, 1867, 2003, 2203, 2371, 2579)
"""Samples at 48 kHz, primes, so that echoes of the lines never fall together."""
DAMPING = 0.28
"""How much of a neighbouring sample is mixed in at every turn: high notes die first."""


def reverb(samples: Samples, rate: int, seconds: float = 1.6) -> Samples:
    """The room's answer alone to stereo `samples` (n, 2), (n + tail, 2): −60 dB after `seconds`.

    Eight delay lines feed each other through a Householder matrix, which loses nothing; each turn of a line loses what
    makes the whole decay in time. Nothing returns before the shortest line, so blocks of its length are computed at once.
    """
    delays = [round(delay * rate / 48_000) for delay in DELAYS]
    gains = np.array([10 ** (-3 * delay / rate / seconds) for delay in delays], np.float32)[:, None]
    count, block, longest = len(delays), min(delays) - 1, max(delays) + 1
    length = len(samples) + round(seconds * rate)
    lines = np.zeros((count, longest + length + block), np.float32)
    out = np.zeros((length, 2), np.float32)
    # Odd lines hear and answer one side, even ones the other; signs keep the sides apart.
    signs = np.where(np.arange(count) % 4 < 2, 1, -1).astype(np.float32)[:, None]
    given = np.zeros((length + block, 2), np.float32)
    given[: len(samples)] = samples
    for start in range(0, length, block):
        at = start + longest
        behind = [line[at - delay - 1 : at - delay + block] for line, delay in zip(lines, delays, strict=True)]
        heard = np.stack([(1 - DAMPING) * line[1:] + DAMPING * line[:-1] for line in behind])
        fed = gains * (heard - np.float32(2 / count) * heard.sum(0))
        fed[0::2] += given[start : start + block, 0]
        fed[1::2] += given[start : start + block, 1]
        lines[:, at : at + block] = fed
        room = min(block, length - start)
        out[start : start + room, 0] = (signs * heard)[0::2, :room].sum(0)
        out[start : start + room, 1] = (signs * heard)[1::2, :room].sum(0)
    return out * np.float32(count**-0.5)


def equalise(samples: Samples, rate: int, curve: Sequence[tuple[float, float]]) -> Samples:
    """`samples` (n, channels) with the gain (dB) of `curve` at its frequencies (Hz), straight lines over octaves between."""
    size = 1 << (len(samples) + rate // 10 - 1).bit_length()
    frequencies = np.maximum(np.fft.rfftfreq(size, 1 / rate), 1.0)
    points, decibels = zip(*curve, strict=True)
    gain: NDArray[np.float64] = 10 ** (np.interp(np.log2(frequencies), np.log2(points), decibels) / 20)
    channels = [np.fft.irfft(np.fft.rfft(channel, size) * gain, size)[: len(samples)] for channel in samples.T]
    return np.stack(channels, 1).astype(np.float32)
