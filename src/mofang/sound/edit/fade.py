"""Fades: in and out, along a chosen curve."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mofang.sound.edit.source import Sound

Curve = Literal["cosine", "linear", "power", "exponential"]
CURVES: tuple[Curve, ...] = ("cosine", "linear", "power", "exponential")


def rise(count: int, curve: Curve = "cosine") -> NDArray[np.float32]:
    """A gain (count,) from 0 to 1: raised cosine, straight, equal power (sine), or straight in decibels from −60 dB."""
    x = (np.arange(count) + 0.5) / max(count, 1)
    shapes = {"cosine": 0.5 - 0.5 * np.cos(np.pi * x), "linear": x, "power": np.sin(np.pi / 2 * x), "exponential": 10 ** (3 * (x - 1))}
    return np.asarray(shapes[curve], np.float32)


def fade(sound: Sound, fade_in: float = 0.0, fade_out: float = 0.0, curve: Curve = "cosine") -> Sound:
    """`sound` rising over its first `fade_in` seconds and falling over its last `fade_out`."""
    out = sound.samples.copy()
    count = min(round(fade_in * sound.rate), len(out))
    out[:count] *= rise(count, curve)[:, None]
    count = min(round(fade_out * sound.rate), len(out))
    out[len(out) - count :] *= rise(count, curve)[::-1, None]
    return Sound(out, sound.rate)
