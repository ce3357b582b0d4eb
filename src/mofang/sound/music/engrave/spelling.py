"""How a pitch is written in a key: letter, alteration, octave.

Twelve neighbours on the line of fifths have every pitch class once. From the key's lowered third to its raised fifth they hold
what major and its relative minor use, so that the leading note of D minor is C sharp and not D flat.
"""

from typing import NamedTuple

from mofang.sound.music.score import Key

LINE = "FCGDAEB"
LETTERS = "CDEFGAB"
SHARPS, FLATS = "FCGDAEB", "BEADGCF"
"""The order of signs in a signature."""
PLACES = {"sharp": (4, 1, 5, 2, -1, 3, 0), "flat": (0, 3, -1, 2, -2, 1, -3)}
"""Steps above the middle line where a treble staff's signature has its signs; a bass staff's are two steps lower."""


class Spelled(NamedTuple):
    """`step` counts letters from C in octave −1 (middle C: 35), `alter` semitones from the plain letter."""

    step: int
    alter: int


def spelled(pitch: int, key: Key) -> Spelled:
    """The pitch as it is written in `key`."""
    place = next(place for place in range(key.fifths - 3, key.fifths + 9) if place * 7 % 12 == pitch % 12)
    letter, alter = LETTERS.index(LINE[(place + 1) % 7]), (place + 1) // 7
    # A plain letter's octave is that of the pitch without its sign: B sharp lies below the C it sounds as.
    return Spelled((pitch - alter) // 12 * 7 + letter, alter)


def signature(key: Key) -> dict[int, int]:
    """Letter number → alteration, for the letters that the key signs."""
    letters = SHARPS[: key.fifths] if key.fifths > 0 else FLATS[: -key.fifths]
    return {LETTERS.index(letter): 1 if key.fifths > 0 else -1 for letter in letters}
