"""Pingshui tones and rhyme groups (平水韵): how classical verse hears a character, whatever it sounds like today."""

from collections.abc import Mapping
from functools import cache
from importlib import resources

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
