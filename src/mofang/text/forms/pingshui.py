"""Pingshui tones and rhyme groups (平水韵): how classical verse hears a character, whatever it sounds like today."""

from collections.abc import Mapping
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from mofang.text.forms.automaton import TABLE

LEVEL, OBLIQUE = 1, 2
"""Bits of a character's tone: 平, and 仄 (rising, departing, entering). A character with readings in both has both bits."""


@cache
def _table() -> tuple[Mapping[str, int], Mapping[str, frozenset[str]], Mapping[str, str]]:
    """Tones and level groups of every character in the table, and the group a group's characters belong to."""
    tones: dict[str, int] = {}
    groups: dict[str, set[str]] = {}
    members: dict[str, str] = {}
    text = resources.files("mofang.text.forms.data").joinpath("pingshui.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        volume, group, characters, further = line.split("\t")
        bit = LEVEL if volume == "平" else OBLIQUE
        members[f"{volume}{group}"] = characters + further
        for character in characters + further:
            tones[character] = tones.get(character, 0) | bit
            groups.setdefault(character, set()).add(f"{volume}{group}")
    return tones, {character: frozenset(names) for character, names in groups.items()}, members


def tone(character: str) -> int:
    """`LEVEL`, `OBLIQUE`, both, or 0 for a character that the table does not hold."""
    return _table()[0].get(character, 0)


def rhyme_groups(character: str) -> frozenset[str]:
    """The groups a character's readings rhyme in, named by volume and head character: `{"平东"}`; empty if not held."""
    return _table()[1].get(character, frozenset())


def level_groups(character: str) -> frozenset[str]:
    """The level-tone ones among `rhyme_groups`: regulated verse rhymes in these alone."""
    return frozenset(group for group in rhyme_groups(character) if group[0] == "平")


def all_groups() -> Mapping[str, str]:
    """The 106 groups: name → its characters, in the table's order, both scripts."""
    return _table()[2]


@cache
def tone_table() -> NDArray[np.uint8]:
    """Tone bits by code point, (TABLE,); 0 for what the table does not hold."""
    table = np.zeros(TABLE, np.uint8)
    for character, bits in _table()[0].items():
        table[ord(character)] = bits
    return table


@cache
def level_table() -> NDArray[np.uint32]:
    """The level groups a character rhymes in, by code point, (TABLE,): bit n for the n-th of the thirty level groups."""
    table = np.zeros(TABLE, np.uint32)
    names = [name for name in all_groups() if name[0] == "平"]
    for number, name in enumerate(names):
        for character in all_groups()[name]:
            table[ord(character)] |= 1 << number
    return table
