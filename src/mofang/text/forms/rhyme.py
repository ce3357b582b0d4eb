"""Rhyme as it is heard today: the fourteen groups of 中华新韵 (中华诗词学会, 2005), by the finals of pinyin."""

import re
import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mofang.text.forms.automaton import TABLE
from mofang.text.language import is_han

GROUPS = {
    "麻": "a ia ua", "波": "o e uo", "皆": "ie üe", "开": "ai uai", "微": "ei uei", "豪": "ao iao", "尤": "ou iou",
    "寒": "an ian uan üan", "文": "en in uen ün", "唐": "ang iang uang", "庚": "eng ing ueng ong iong", "齐": "i ü er",
    "支": "-i", "姑": "u",
}  # fmt: skip
_BITS = {final: 1 << number for number, finals in enumerate(GROUPS.values()) for final in finals.split()}
_INITIAL = re.compile(r"(zh|ch|sh|[bpmfdtnlgkhjqxrzcs]?)(.+)")
_SPELT = {"ui": "uei", "iu": "iou", "un": "uen", "ue": "üe", "v": "ü", "ve": "üe"}
_ZERO = {"yi": "i", "wu": "u", "yu": "ü", "you": "iou", "wei": "uei", "wen": "uen", "yue": "üe", "yuan": "üan", "yun": "ün",
         "yin": "in", "ying": "ing", "yong": "iong"}  # fmt: skip


def final_of(syllable: str) -> str:
    """The final of a pinyin syllable, with or without its tone mark: `yuè` → `üe`, `shī` → `-i`."""
    plain = unicodedata.normalize("NFD", syllable)
    plain = unicodedata.normalize("NFC", "".join(mark for mark in plain if mark not in "\u0300\u0301\u0304\u030c"))
    if plain in _ZERO:
        return _ZERO[plain]
    if plain[:1] in ("y", "w"):
        return {"y": "i", "w": "u"}[plain[0]] + plain[1:]
    found = _INITIAL.fullmatch(plain)
    if not found:
        return plain
    initial, final = found.groups()
    if final == "i" and initial in ("zh", "ch", "sh", "r", "z", "c", "s"):
        return "-i"
    if initial in ("j", "q", "x") and final.startswith("u"):
        return "ü" + final[1:]
    return _SPELT.get(final, final)


@cache
def rhyme_table() -> NDArray[np.uint32]:
    """For every code point the bits of the groups its readings belong to; 0 for what has no reading or is no Han character
    (pypinyin reads radicals and signs too)."""
    from pypinyin.pinyin_dict import pinyin_dict

    table = np.zeros(TABLE, np.uint32)
    for point, readings in pinyin_dict.items():
        if point < TABLE and is_han(chr(point)):
            for reading in readings.split(","):
                table[point] |= _BITS.get(final_of(reading), 0)
    return table


def groups_of(character: str) -> list[str]:
    """The names of the groups a character rhymes in."""
    bits = int(rhyme_table()[ord(character)]) if ord(character) < TABLE else 0
    return [name for number, name in enumerate(GROUPS) if bits >> number & 1]
