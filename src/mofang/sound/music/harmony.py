"""Which chord sounds on which beat: template matching, and the cheapest way from chord to chord.

A beat's pitch classes, weighed by how long they sound, are held against templates (Fujishima 1999); a change costs, least at a
bar line, so that passing notes make no chords. The best path is Viterbi's.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mofang.sound.music.score import DRUMS, FIFTHS, Key, Score

QUALITIES = {"": (0, 4, 7), "m": (0, 3, 7), "dim": (0, 3, 6), "7": (0, 4, 7, 10), "m7": (0, 3, 7, 10)}
"""Semitones above the root."""
NAMES = tuple(QUALITIES)
CHORDS = 12 * len(QUALITIES) + 1
NONE = CHORDS - 1
"""No chord: silence."""
SHARPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
CHANGE, AT_BAR = 0.55, 0.2
"""What a change of chord costs on a beat, and on the first of a bar, where 1 is a beat wholly inside its chord."""


class Change(NamedTuple):
    """From grid step `start` on, `chord` (see `chord_name`) sounds."""

    start: int
    chord: int


def pitch_classes(chord: int) -> frozenset[int]:
    """The pitch classes of a chord; none for `NONE`."""
    if chord == NONE:
        return frozenset()
    root, quality = divmod(chord, len(NAMES))
    return frozenset((root + step) % 12 for step in QUALITIES[NAMES[quality]])


def transposed(chord: int, semitones: int) -> int:
    """The chord so many semitones higher."""
    return chord if chord == NONE else (chord + semitones * len(NAMES)) % NONE


def chord_name(chord: int, key: Key) -> str:
    """`C`, `F#m`, `Bb7`, `N.C.` as a player reads it; flats in flat keys."""
    if chord == NONE:
        return "N.C."
    root, quality = divmod(chord, len(NAMES))
    flats = {(number - 7) * 7 % 12: name for number, name in enumerate(FIFTHS) if number < 7}
    return (flats.get(root, SHARPS[root]) if key.fifths < 0 else SHARPS[root]) + NAMES[quality]


def chords(score: Score) -> list[Change]:
    """The score's chords, the first at step 0; only changes are told. Drums have none."""
    beat, metre = score.metre.beat, score.metre
    beats = max(1, -(-score.end // beat))
    fits = _profiles(score, beats) @ _templates(score.key).T
    fits[:, NONE] = np.where(fits[:, :NONE].any(1), -0.3, 0.01)
    costs = np.where(np.arange(beats) * beat % metre.bar == 0, AT_BAR, CHANGE)
    best, came = fits[0].copy(), np.zeros((beats, CHORDS), np.int64)
    for at in range(1, beats):
        leader = int(best.argmax())
        moved = best[leader] - costs[at] > best
        came[at] = np.where(moved, leader, np.arange(CHORDS))
        best = np.where(moved, best[leader] - costs[at], best) + fits[at]
    path = [int(best.argmax())]
    for at in range(beats - 1, 0, -1):
        path.append(int(came[at, path[-1]]))
    path.reverse()
    return [Change(at * beat, chord) for at, chord in enumerate(path) if at == 0 or chord != path[at - 1]]


def _profiles(score: Score, beats: int) -> NDArray[np.float64]:
    """For each beat how much each pitch class sounds, and (columns 12 …) which is lowest; both sum to 1 or are 0."""
    beat = score.metre.beat
    found = np.zeros((beats, 24))
    lowest = np.full(beats, 128)
    for track in score.tracks:
        if track.program == DRUMS:
            continue
        for note in track.notes:
            for at in range(note.start // beat, min(beats, -(-note.end // beat))):
                sounding = min(note.end, (at + 1) * beat) - max(note.start, at * beat)
                # What begins on the beat is heard as its harmony; what passes is not.
                found[at, note.pitch % 12] += sounding * (1.5 if note.start <= at * beat else 1.0)
                lowest[at] = min(lowest[at], note.pitch)
    heard = found.sum(1)
    found[heard > 0] /= heard[heard > 0, None]
    found[heard > 0, 12 + lowest[heard > 0] % 12] = 1
    return found


def _templates(key: Key) -> NDArray[np.float64]:
    """(chords, 24): what each pitch class speaks for or against a chord, and each bass."""
    scale = {(key.tonic + step) % 12 for step in ((0, 2, 3, 5, 7, 8, 10, 11) if key.minor else (0, 2, 4, 5, 7, 9, 11))}
    found = np.zeros((CHORDS, 24))
    for chord in range(NONE):
        root, quality = divmod(chord, len(NAMES))
        inside = pitch_classes(chord)
        # A foreign chord must be worth it; four notes fit more than three do, for nothing.
        near = 0.1 if root in (key.tonic, (key.tonic + 7) % 12, (key.tonic + 5) % 12) else 0.0
        foreign, seventh = not inside <= scale, len(inside) == 4
        worth = near - 0.3 * foreign - 0.22 * seventh - 0.1 * (NAMES[quality] == "dim")
        for pitch in range(12):
            found[chord, pitch] = worth + (1.0 if pitch in inside else -0.7)
        found[chord, 12 + root] = 0.25
    return found
