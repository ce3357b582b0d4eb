"""When each phoneme of a recording sounds: a ready voice reads the same words, and the two are laid on one another.

The reading's durations are known to the frame. Dynamic time warping (Sakoe & Chiba 1978, doi:10.1109/TASSP.1978.1163055)
of the two spectra carries its borders over to the recording.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mofang.sound.own.features import BANDS
from mofang.sound.wavenet.kernels import compiled

Floats = NDArray[np.float32]


def carried(durations: Sequence[int], reading: Floats, recording: Floats) -> tuple[int, ...]:
    """The durations of `reading` (n, SIZE), which add up to n, as they are in `recording` (m, SIZE), adding up to m."""
    path: NDArray[np.int64] = _warp(_distances(_shape(reading), _shape(recording)))
    borders = np.minimum(np.cumsum([0, *durations]), len(reading))
    carried_to = np.concatenate([path, [len(recording)]])[borders]
    carried_to[0], carried_to[-1] = 0, len(recording)
    return tuple(int(length) for length in np.diff(np.maximum.accumulate(carried_to)))


def _shape(features: Floats) -> Floats:
    """Spectral shape by cepstrum: voices differ in level and tilt, words in the rest."""
    bands = features[:, :BANDS]
    k = np.arange(1, 20)[:, None] * (np.arange(BANDS) + 0.5) * np.pi / BANDS
    cepstrum = bands @ np.cos(k).T.astype(np.float32) / BANDS
    level = bands.mean(1, keepdims=True)
    whole = np.concatenate([2 * cepstrum, level], 1)
    return np.asarray((whole - whole.mean(0)) / (whole.std(0) + 0.1), np.float32)


def _distances(a: Floats, b: Floats) -> Floats:
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.asarray(np.sqrt(np.maximum(squares, 0)), np.float32)


@compiled
def _warp(cost: Floats) -> NDArray[np.int64]:
    """For each row the first column the cheapest path crosses; steps (1,1), (1,0), (0,1), the diagonal counted twice."""
    n, m = cost.shape
    total = np.empty((n, m), np.float32)
    for i in range(n):
        for j in range(m):
            if i == 0 and j == 0:
                total[i, j] = cost[i, j]
            else:
                best = np.float32(np.inf)
                if i > 0 and j > 0:
                    best = total[i - 1, j - 1] + 2 * cost[i, j]
                if i > 0:
                    best = min(best, total[i - 1, j] + cost[i, j])
                if j > 0:
                    best = min(best, total[i, j - 1] + cost[i, j])
                total[i, j] = best
    first = np.zeros(n, np.int64)
    i, j = n - 1, m - 1
    first[i] = j
    while i > 0 or j > 0:
        if i > 0 and j > 0 and total[i - 1, j - 1] + 2 * cost[i, j] <= total[i, j]:
            i, j = i - 1, j - 1
        elif i > 0 and (j == 0 or total[i - 1, j] + cost[i, j] <= total[i, j]):
            i -= 1
        else:
            j -= 1
        first[i] = j
    return first
