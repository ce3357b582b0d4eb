"""Clipping: samples held at a ceiling, found, and drawn out again above it."""

import numpy as np
from numpy.typing import NDArray

from mofang.sound.clean.clicks import BLOCK, ORDER, fill, predictor
from mofang.sound.edit.source import Sound

FLAT = 3
"""Samples in a row at the ceiling that are no chance."""
MOST = 0.4
"""Of a block: where more is clipped there is nothing to rebuild it from."""


def clipped(samples: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which of (n, channels) are clipped: runs of three or more within a thousandth of the channel's own ceiling."""
    out = np.zeros(samples.shape, bool)
    for number, channel in enumerate(samples.T):
        for side in (channel, -channel):
            top = float(side.max(initial=0.0))
            if top < 0.05:
                continue
            at = side >= top * 0.999 - 1e-4
            edges = np.flatnonzero(np.diff(np.concatenate([[False], at, [False]]).astype(np.int8)))
            # A run of equal peaks may be a square wave's or silence's; clipping has many runs, all rising steeply to it.
            for a, b in edges.reshape(-1, 2):
                if b - a >= FLAT:
                    out[a:b, number] = True
    return out


def declip(sound: Sound) -> Sound:
    """`sound` with clipped peaks rebuilt by an autoregressive model, never lower than they were; ±1 may be passed."""
    bad = clipped(sound.samples)
    if not bad.any():
        return sound
    out = sound.samples.astype(np.float64)
    for number in range(out.shape[1]):
        for start in range(0, len(out), BLOCK):
            first, last = max(0, start - 2 * ORDER), min(len(out), start + BLOCK + 2 * ORDER)
            here = bad[first:last, number]
            if not here.any() or here.mean() > MOST or last - first < 8 * ORDER:
                continue
            _rebuilt(out[first:last, number], np.flatnonzero(here))
    return Sound(out.astype(np.float32), sound.rate)


def _rebuilt(part: NDArray[np.float64], gap: NDArray[np.int64]) -> None:
    """The clipped samples of a block, in place."""
    held = part[gap].copy()
    ceiling = float(np.abs(held).max())
    for _ in range(3):  # the model learns from the rebuilt wave, the wave from the better model
        model = predictor(part)
        for run in np.split(gap, np.flatnonzero(np.diff(gap) > ORDER) + 1):
            fill(part, run, model)
        # At least as far out as it was held, and not further than a voice could have gone.
        part[gap] = np.sign(held) * np.clip(np.sign(held) * part[gap], np.abs(held), 2.5 * ceiling)
