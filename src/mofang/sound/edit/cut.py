"""Cut: keep a part, or take a part out."""

import numpy as np

from mofang.sound.edit.source import Sound
from mofang.studio.errors import UserError

EDGE = 0.004
"""Seconds of fade at a cut: shorter clicks, longer is heard."""


def cut(sound: Sound, start: float, end: float | None = None, *, remove: bool = False) -> Sound:
    """The part from `start` to `end` seconds, or with `remove` all but that part. Raises `UserError` for an empty result."""
    last = sound.seconds if end is None else min(end, sound.seconds)
    if start >= last:
        raise UserError(f"there is nothing from {start:g} to {last:g} s; the sound lasts {sound.seconds:.2f} s")
    a, b = round(start * sound.rate), round(last * sound.rate)
    if not remove:
        return Sound(_edges(sound.samples[a:b], sound.rate, a > 0, b < len(sound.samples)), sound.rate)
    before, after = sound.samples[:a], sound.samples[b:]
    if len(before) + len(after) == 0:
        raise UserError("that would remove all of it; leave something")
    joined = np.concatenate([_edges(before, sound.rate, False, True), _edges(after, sound.rate, True, False)])
    return Sound(joined, sound.rate)


def _edges(samples: np.typing.NDArray[np.float32], rate: int, first: bool, last: bool) -> np.typing.NDArray[np.float32]:
    """Short fades where something was cut off; a beginning or an end that was there stays as it is."""
    count = min(round(EDGE * rate), len(samples) // 2)
    out = samples.copy()
    rise = np.linspace(0, 1, count, endpoint=False, dtype=np.float32)[:, None]
    if count and first:
        out[:count] *= rise
    if count and last:
        out[len(out) - count :] *= rise[::-1]
    return out
