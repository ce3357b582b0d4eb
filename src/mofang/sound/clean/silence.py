"""Silence: where nothing is said, and recordings without it."""

import numpy as np
from numpy.typing import NDArray

from mofang.sound.edit.fade import rise
from mofang.sound.edit.source import Sound
from mofang.studio.errors import UserError

BLOCK = 0.01
"""Seconds of a level."""
SHORTEST = 0.3
"""Seconds of a pause worth the name."""
MARGIN = 0.12
"""Seconds kept before and after what is heard."""


def levels(sound: Sound) -> NDArray[np.float64]:
    """dB of every ten milliseconds, at least −120."""
    size = max(1, round(BLOCK * sound.rate))
    square = np.square(sound.samples.astype(np.float64)).mean(1)
    blocks = np.pad(square, (0, -len(square) % size)).reshape(-1, size).mean(1)
    return np.asarray(10 * np.log10(np.maximum(blocks, 1e-12)))


def threshold(level: NDArray[np.float64]) -> float:
    """dB below which is silence: between the quiet and the loud of this recording, and never louder than −35 under its peak."""
    loud, quiet = float(np.quantile(level, 0.95)), float(np.quantile(level, 0.05))
    return max(-75.0, min(loud - 35.0, 0.7 * quiet + 0.3 * loud) if loud - quiet > 12 else loud - 35.0)


def pauses(sound: Sound, shortest: float = SHORTEST) -> list[tuple[float, float]]:
    """Stretches of silence of at least `shortest` seconds, as (start, end) in seconds."""
    level = levels(sound)
    still = np.concatenate([[False], level < threshold(level), [False]])
    edges = np.flatnonzero(np.diff(still.astype(np.int8))).reshape(-1, 2) * BLOCK
    return [(float(a), min(float(b), sound.seconds)) for a, b in edges if b - a >= shortest - 1e-9]


def trimmed(sound: Sound, pause: float = 0.0) -> Sound:
    """`sound` without silence at its ends; with `pause`, no silence inside longer than so many seconds.

    Raises `UserError` if there is nothing but silence.
    """
    still = pauses(sound, SHORTEST)
    if not np.any(sound.samples) or (still and still[0][0] <= BLOCK and still[0][1] >= sound.seconds - BLOCK):
        raise UserError("there is nothing but silence in it; give a recording with sound")
    keep = np.ones(len(sound.samples), bool)
    for start, end in still:
        first, last = start <= BLOCK, end >= sound.seconds - 2 * BLOCK
        if not (first or last) and (not pause or end - start <= pause):
            continue
        if first or last:
            a, b = (0.0 if first else start + MARGIN), (sound.seconds if last else end - MARGIN)
        else:
            middle = (start + end) / 2
            a, b = middle - (end - start - pause) / 2, middle + (end - start - pause) / 2
        if b > a:
            keep[round(a * sound.rate) : round(b * sound.rate)] = False
    out = sound.samples[keep]
    count = min(round(0.01 * sound.rate), len(out) // 2)
    out[:count] *= rise(count)[:, None]
    out[len(out) - count :] *= rise(count)[::-1, None]
    return Sound(out, sound.rate)
