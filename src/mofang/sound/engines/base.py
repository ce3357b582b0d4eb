"""What every voice engine takes and gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mofang.sound.frontend import Unit
from mofang.studio.alignment import Aligned

Samples = NDArray[np.float32]
"""Sound between -1 and 1: shape (n,) for one channel, (n, channels) for more."""

PAUSES = frozenset(" ,.!?;:…—“”()")
"""Symbols that are heard as a rest or not at all."""


@dataclass(frozen=True, eq=False)
class Speech:
    """Spoken text: `samples` (n,) at `rate` Hz, and when each piece of the text sounds.

    The texts of `alignment` joined are the text that was spoken; their times do not go backwards and stay inside.
    """

    samples: Samples
    rate: int
    alignment: tuple[Aligned, ...]

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate


class VoiceEngine(Protocol):
    """A model that says one chunk of phonemes in one go.

    `rate` is in Hz; `longest` is how many phoneme symbols it can say at once; `tells_times` whether its alignment is the
    model's own account, or an estimate that nothing may be cut by.
    """

    rate: int
    longest: int
    tells_times: bool

    def speak(self, units: Sequence[Unit], voice: str, speed: float) -> Speech:
        """Say `units` (at most `longest` symbols); same input, same samples. Raises `UserError` for damaged weights."""
        ...

    def utter(self, tokens: Sequence[int], voice: str, speed: float) -> tuple[Samples, Samples]:
        """Samples for symbols by number (`vocabulary.numbers`), and the duration of each in frames of equal length."""
        ...


def estimated(units: Sequence[Unit], samples: Samples, rate: int) -> tuple[Aligned, ...]:
    """About when each unit sounds, where the engine does not tell: the time between the first and the last sound, shared out by
    the number of phonemes, a mark counting as three. No unit has `sounds`."""
    level = np.abs(samples)
    loud = np.flatnonzero(level > 0.02 * level.max(initial=0.0))
    first, last = (float(loud[0]) / rate, float(loud[-1] + 1) / rate) if loud.size else (0.0, len(samples) / rate)
    said = np.array([sum(symbol not in PAUSES for symbol in unit.phonemes) for unit in units], np.float64)
    rests = np.array([3.0 * any(symbol in PAUSES and symbol != " " for symbol in unit.phonemes) for unit in units])
    rests[-1:] = 0.0
    scale = (last - first) / max(float(said.sum() + rests.sum()), 1.0)
    starts = first + scale * np.concatenate([[0.0], np.cumsum(said + rests)[:-1]])
    return tuple(Aligned(unit.text, float(start), float(min(start + scale * length, last)))
                 for unit, start, length in zip(units, starts, said, strict=True))  # fmt: skip


def timed(
    units: Sequence[Unit], known: frozenset[str], frames: NDArray[np.float32], frame: float
) -> tuple[Aligned, ...]:
    """When each unit sounds, from the model's own durations.

    `frames` holds one duration for each symbol in `known`, in order, between one for the opening pad and one for the
    closing pad; `frame` is the length of one frame in seconds. A unit spans its first to its last voiced symbol, which
    are its sounds.
    """
    ends = np.cumsum(frames) * frame
    aligned = []
    at, now = 0, float(ends[0])
    for unit in units:
        sounds = []
        for symbol in unit.phonemes:
            if symbol in known:
                at += 1
                if symbol not in PAUSES:
                    sounds.append(Aligned(symbol, float(ends[at - 1]), float(ends[at])))
        start = sounds[0].start if sounds else now
        now = sounds[-1].end if sounds else now
        aligned.append(Aligned(unit.text, start, now, tuple(sounds)))
    assert at == len(frames) - 2, (at, len(frames))
    return tuple(aligned)
