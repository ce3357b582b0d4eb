"""How far what was heard is from what was meant: the least insertions, deletions and substitutions, and which they are.

Two units are the same if they share a sound. The alignment is Hirschberg's (1975): the memory of a row, so that a chapter of ten
thousand words can be compared.
"""

from collections import defaultdict
from collections.abc import Sequence, Set

import numpy as np
from numpy.typing import NDArray

from mofang.sound.frontend import Lang
from mofang.sound.hearing.units import units

Sounds = Sequence[Set[str]]
ERROR = 1 << 24
"""What an error costs. A unit that is the same earns one: of alignments with as few errors, the one with most in common."""
Pair = tuple[int | None, int | None]
"""Places in what was meant and in what was heard; None where one has nothing for the other."""


def distance(meant: Sounds, heard: Sounds) -> int:
    """Levenshtein's: insertions, deletions and substitutions."""
    return -int(-_last_row(meant, heard)[-1] // ERROR)


def align(meant: Sounds, heard: Sounds) -> list[Pair]:
    """Which unit was heard for which, at the least errors, in order."""
    return _align(meant, heard, 0, 0)


def error_rate(texts: Sequence[str], heard: Sequence[str], language: Lang, tones: bool = False) -> float:
    """Errors over the length of all the texts: by syllable in Mandarin, by word in English. Raises `ValueError` if nothing is
    meant."""
    wrong = total = 0
    for text, transcript in zip(texts, heard, strict=True):
        meant = [unit.sounds for unit in units(text, language, tones)]
        wrong += distance(meant, [unit.sounds for unit in units(transcript, language, tones, every=True)])
        total += len(meant)
    if not total:
        raise ValueError("nothing is meant to be heard")
    return wrong / total


def _last_row(meant: Sounds, heard: Sounds) -> NDArray[np.int64]:
    """Of the table of costs: all of `meant` against every beginning of `heard`."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, sounds in enumerate(heard):
        for sound in sounds:
            places[sound].append(place)
    steps = np.arange(len(heard) + 1) * ERROR
    row = steps.copy()
    for sounds in meant:
        other = np.full(len(heard), ERROR)
        for sound in sounds:
            other[places.get(sound, [])] = -1
        new = np.concatenate(([row[0] + ERROR], np.minimum(row[:-1] + other, row[1:] + ERROR)))
        # An insertion costs the same for every step to the right: the running minimum of what is left without the steps.
        row = np.minimum.accumulate(new - steps) + steps
    return row


def _align(meant: Sounds, heard: Sounds, first: int, start: int) -> list[Pair]:
    if not meant or not heard:
        return [*((first + at, None) for at in range(len(meant))), *((None, start + at) for at in range(len(heard)))]
    if len(meant) == 1:
        same = next((at for at, sounds in enumerate(heard) if sounds & meant[0]), 0)
        return [(first if at == same else None, start + at) for at in range(len(heard))]
    half = len(meant) // 2
    costs = _last_row(meant[:half], heard) + _last_row(meant[half:][::-1], heard[::-1])[::-1]
    cut = int(np.argmin(costs))
    return [*_align(meant[:half], heard[:cut], first, start), *_align(meant[half:], heard[cut:], first + half, start + cut)]
