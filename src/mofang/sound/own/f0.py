"""Fundamental frequency: YIN (de Cheveigné & Kawahara 2002, doi:10.1121/1.1458024) in numpy."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LOWEST, HIGHEST = 60.0, 500.0
"""Hz: from a deep man's creak to a child's cry."""
THRESHOLD = 0.15
"""Of the normalised difference; above three times this nothing is periodic."""


def track(samples: Floats, rate: int, hop: int) -> tuple[Floats, NDArray[np.bool_]]:
    """F0 in Hz and whether the voice sounds, for each of n // hop frames centred on their hops.

    Where it does not sound, F0 runs straight from the tone before to the one after; 0 Hz if it never does.
    """
    longest, shortest = int(np.ceil(rate / LOWEST)), int(rate / HIGHEST)
    window = longest  # one period of the lowest tone; the difference reaches another one further
    size = 1 << (2 * window + longest).bit_length()
    count = len(samples) // hop
    before = window - hop // 2
    padded = np.pad(samples.astype(np.float64), (before, 2 * window + hop))
    found, periodic = np.zeros(count), np.zeros(count, bool)
    loud = np.zeros(count)
    for start in range(0, count, 2000):  # frames at a time, for the memory of the transforms
        at = np.arange(start, min(start + 2000, count))
        pieces = padded[at[:, None] * hop + np.arange(2 * window)]
        differences = _differences(pieces, window, longest, size)
        found[at], periodic[at] = _best(differences, shortest, rate)
        loud[at] = np.sqrt((pieces**2).mean(1))
    periodic &= loud > max(1e-4, 0.02 * loud.max(initial=0.0))
    periodic &= np.convolve(periodic, np.ones(3), "same")[:count] >= 2  # one frame alone is chance
    if not periodic.any():
        return np.zeros(count, np.float32), periodic
    voiced = np.flatnonzero(periodic)
    smooth = _median(found[voiced])
    return np.interp(np.arange(count), voiced, smooth).astype(np.float32), periodic


def _differences(pieces: NDArray[np.float64], window: int, longest: int, size: int) -> NDArray[np.float64]:
    """d'(τ), equations 6 and 8: squared differences over a window, normalised by their running mean, for τ ≤ longest."""
    head = pieces[:, :window]
    spectrum = np.fft.rfft(pieces, size)
    products = np.fft.irfft(spectrum * np.conj(np.fft.rfft(head, size)), size)[:, : longest + 1]
    energy = np.cumsum(np.pad(pieces**2, ((0, 0), (1, 0))), 1)
    lags = np.arange(longest + 1)
    shifted = energy[:, np.minimum(lags + window, pieces.shape[1])] - energy[:, lags]
    d = np.maximum(energy[:, window, None] + shifted - 2 * products, 0)
    running = np.cumsum(d[:, 1:], 1)
    d[:, 1:] *= np.arange(1, longest + 1) / np.maximum(running, 1e-12)
    d[:, 0] = 1
    return d


def _best(d: NDArray[np.float64], shortest: int, rate: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The first dip under the threshold (or the deepest), refined by a parabola."""
    inner = d[:, shortest:-1]
    dips = (inner <= d[:, shortest - 1 : -2]) & (inner <= d[:, shortest + 1 :])
    under = dips & (inner < THRESHOLD)
    lag = np.where(under.any(1), under.argmax(1), np.where(dips, inner, 9).argmin(1)) + shortest
    every = np.arange(len(d))
    a, b, c = d[every, lag - 1], d[every, lag], d[every, np.minimum(lag + 1, d.shape[1] - 1)]
    curve = a - 2 * b + c
    shift = np.where(curve > 1e-9, 0.5 * (a - c) / np.maximum(curve, 1e-9), 0)
    return rate / (lag + np.clip(shift, -0.5, 0.5)), b < 3 * THRESHOLD


def _median(values: NDArray[np.float64], width: int = 5) -> NDArray[np.float64]:
    edge = np.pad(values, width // 2, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(edge, width), 1))
