"""Audio fingerprints: is this recording, or a part of it, in that one? Landmark hashes after Wang, "An Industrial-Strength Audio
Search Algorithm", ISMIR 2003.

Peaks of the spectrogram survive noise, codecs and levels. Each is paired with a few that follow; the two frequencies and the time
between make one hash. A recording holds another when many of their hashes agree on one and the same shift in time.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mofang.sound.engines.base import Samples
from mofang.sound.pcm import resample

RATE, SIZE, HOP = 8000, 1024, 256
"""Hz, and samples of a window and between two: bins of 7.8 Hz, frames of 32 ms."""
AROUND_FREQUENCY, AROUND_TIME = 12, 7
"""Bins and frames to either side over which a peak must be the highest."""
DENSITY = 30
"""Peaks a second at most, the strongest."""
FAN, REACH = 6, 63
"""Partners of a peak, and how many frames ahead they may be."""
QUIET = 60.0
"""dB below the loudest bin of the recording under which nothing is a peak."""
LEAST, SHARE = 14, 0.02
"""Hashes that must agree on a shift, and their share of the shorter recording's, before it is called a match."""

Hashes = NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Print:
    """A recording's fingerprint: `hashes` (n,) sorted, and the frame each begins at, `times` (n,)."""

    hashes: Hashes
    times: NDArray[np.int32]


@dataclass(frozen=True)
class Match:
    """What of a recording was found in the one called `name`: from `start` seconds here, which is `there` seconds there, over
    `seconds`; `hashes` of them agree, a `share` of all in the shorter one."""

    name: str
    start: float
    there: float
    seconds: float
    hashes: int
    share: float


def fingerprint(samples: Samples, rate: int) -> Print:
    """The fingerprint of (n,) or (n, channels) samples; silence has none."""
    mono = samples.mean(1) if samples.ndim == 2 else samples
    frames, bins = _peaks(_spectrogram(resample(np.asarray(mono, np.float32), rate, RATE)))
    found: list[NDArray[np.int64]] = []
    for ahead in range(1, FAN * 3 + 1):  # The peaks are in order of time: partners are among the next ones.
        first, second = slice(None, -ahead), slice(ahead, None)
        apart = frames[second] - frames[first]
        near = (apart >= 1) & (apart <= REACH) & (np.abs(bins[second] - bins[first]) < 128)
        found.append(np.stack([frames[first], bins[first], bins[second], apart, np.full(len(apart), ahead)])[:, near])
    pairs = np.concatenate(found, 1) if found else np.zeros((5, 0), np.int64)
    pairs = pairs[:, np.lexsort((pairs[4], pairs[0] * 1024 + pairs[1]))]
    key = pairs[0] * 1024 + pairs[1]
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if key.size else np.zeros(0, np.int64)
    rank = np.arange(len(key)) - np.repeat(starts, np.diff(np.r_[starts, len(key)]))
    kept = pairs[:, rank < FAN]
    hashes = (kept[1] << 15 | kept[2] << 6 | kept[3]).astype(np.uint32)
    order = np.argsort(hashes, kind="stable")
    return Print(hashes[order], kept[0][order].astype(np.int32))


def _spectrogram(samples: Samples) -> NDArray[np.float32]:
    """Level in dB, (frames, SIZE // 2)."""
    if len(samples) < SIZE:
        return np.zeros((0, SIZE // 2), np.float32)
    window = np.hanning(SIZE).astype(np.float32)
    views = np.lib.stride_tricks.sliding_window_view(samples, SIZE)[::HOP]
    parts = [20 * np.log10(np.abs(np.fft.rfft(views[at : at + 4096] * window, axis=1))[:, : SIZE // 2] + 1e-6)
             for at in range(0, len(views), 4096)]  # fmt: skip
    return np.concatenate(parts).astype(np.float32)


def _peaks(level: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Frames and bins of the landmarks, in order of time."""
    if not level.size or level.max() < -60:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    around = _highest(_highest(level, AROUND_FREQUENCY).T, AROUND_TIME).T
    frames, bins = np.nonzero((level == around) & (level > level.max() - QUIET))
    # Only the strongest of each second, so that a busy second tells no more than others.
    second = frames * HOP // RATE
    order = np.lexsort((-level[frames, bins], second))
    starts = np.flatnonzero(np.r_[True, np.diff(second[order]) > 0])
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    kept = np.sort(order[rank < DENSITY])
    return frames[kept], bins[kept]


def _highest(values: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    """The running maximum over `reach` to either side along the last axis."""
    padded = np.pad(values, ((0, 0), (reach, reach)), constant_values=-np.inf)
    width, window = 1, 2 * reach + 1
    while 2 * width <= window:
        padded = np.maximum(padded[:, : padded.shape[1] - width], padded[:, width:])
        width *= 2
    left = window - width
    return np.maximum(padded[:, : padded.shape[1] - left], padded[:, left:])[:, : values.shape[1]]


def match(query: Print, known: Mapping[str, Print]) -> list[Match]:
    """Where parts of `query` stand in the recordings known by name, the surest first; nothing for what only sounds alike."""
    found = [match for name, each in known.items() if (match := _against(query, each, name))]
    return sorted(found, key=lambda match: -match.hashes)


def _against(query: Print, known: Print, name: str) -> Match | None:
    first = np.searchsorted(known.hashes, query.hashes, "left")
    count = np.searchsorted(known.hashes, query.hashes, "right") - first
    # A hash that stands a hundred times in a recording (a steady tone) says nothing about where.
    count = np.where(count > 64, 0, count)
    total = int(count.sum())
    if total < LEAST:
        return None
    here = np.repeat(query.times, count)
    places = np.repeat(first - np.r_[0, np.cumsum(count)[:-1]], count) + np.arange(total)
    shift = known.times[places] - here
    shifts, sums = np.unique(shift, return_counts=True)
    best = int(shifts[np.argmax(sums)])
    # Frames do not fall on the same samples: a shift is spread over two neighbours.
    agree = np.abs(shift - best) <= 1
    times = np.unique(here[agree])
    agreed = int(agree.sum())
    # Chance puts its hits at any shift: what agrees must stand far above that.
    chance = (total - agreed) * 3 / (int(query.times.max()) + int(known.times.max()) + 1)
    share = agreed / max(min(len(query.hashes), len(known.hashes)), 1)
    if agreed < max(LEAST, 8 * chance) or share < SHARE:
        return None
    start, end = float(times[0]) * HOP / RATE, float(times[-1]) * HOP / RATE
    there, seconds = start + best * HOP / RATE, end - start + SIZE / RATE
    return Match(name, round(start, 2), round(there, 2), round(seconds, 2), agreed, round(share, 4))
