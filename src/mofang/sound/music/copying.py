"""Whether a melody stands in the training scores: runs of intervals, whatever the key.

A run of n notes is known by its n − 1 intervals. Runs of `LONG` notes of every training track are kept as 64-bit hashes beside
the model, so that a composition is checked without the scores at hand.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mofang.sound.music import tokens
from mofang.sound.music.score import DRUMS, Score, Track
from mofang.studio.atomic import atomic
from mofang.studio.errors import UserError

LONG = 12
"""Notes of a run that counts as copied."""
FILE = "melodies.npy"
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


class Copied(NamedTuple):
    """`share` of a score's notes that lie in copied runs, and the `longest` of these in notes (0: none)."""

    share: float
    longest: int


@dataclass(frozen=True, eq=False)
class Index:
    """The hashes of all runs of `LONG` notes of the training scores, sorted."""

    hashes: NDArray[np.uint64]

    def write(self, folder: Path) -> None:
        """Keep them in a model's folder."""
        with atomic(folder / FILE, suffix=".npy") as temporary:
            np.save(temporary, self.hashes)

    def copied(self, score: Score) -> Copied:
        """How much of `score` stands in the training scores. Drums have no melody."""
        total, inside, longest = 0, 0, 0
        for track in score.tracks:
            if track.program == DRUMS:
                continue
            melody = line(track)
            total += len(melody)
            runs = hashes(melody)
            hit = self.hashes[np.searchsorted(self.hashes[:-1], runs)] == runs if len(self.hashes) else np.zeros(len(runs), bool)
            covered = np.zeros(len(melody), bool)
            for at in np.flatnonzero(hit):
                covered[at : at + LONG] = True
            inside += int(covered.sum())
            # Neighbouring hits are one longer run; two that only touch are not told apart.
            edges = np.flatnonzero(np.diff(np.concatenate(([0], hit.astype(np.int8), [0]))))
            longest = max([longest, *(int(end - start) + LONG - 1 for start, end in edges.reshape(-1, 2))])
        return Copied(inside / total if total else 0.0, longest)


def line(track: Track) -> list[int]:
    """The top note of every start, in order: what is heard as the melody."""
    top: dict[int, int] = {}
    for note in track.notes:
        top[note.start] = max(note.pitch, top.get(note.start, 0))
    return [top[start] for start in sorted(top)]


def hashes(melody: Sequence[int]) -> NDArray[np.uint64]:
    """A hash of the intervals of every run of `LONG` notes, (notes − `LONG` + 1,)."""
    steps = np.diff(np.asarray(melody, np.int64)).astype(np.uint64)
    count = max(0, len(melody) - LONG + 1)
    found = np.zeros(count, np.uint64)
    with np.errstate(over="ignore"):
        for place in range(LONG - 1):
            found = (found ^ (steps[place : place + count] + np.uint64(131))) * MULTIPLIER
            found ^= found >> np.uint64(29)
    return found


def index(pieces: Iterable[NDArray[np.uint16]]) -> Index:
    """The index of tokenised pieces."""
    runs = [hashes(line(track)) for piece in pieces for track in tokens.decode(piece).tracks if track.program != DRUMS]
    return Index(np.unique(np.concatenate([np.empty(0, np.uint64), *runs])))


def open_index(folder: Path) -> Index:
    """The index in a model's folder. Raises `UserError`."""
    try:
        found = np.load(folder / FILE, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{folder / FILE} cannot be read ({str(error)[:60]}); train or fetch the model again") from error
    if found.dtype != np.uint64 or found.ndim != 1:
        raise UserError(f"{folder / FILE} is no index of melodies; train or fetch the model again")
    return Index(found)
