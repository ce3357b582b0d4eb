"""Which of the two languages a text is in, and which writing system it mostly uses."""

import re
import unicodedata
from typing import Literal

Lang = Literal["zh", "en"]

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f〇"
_HAN = re.compile(f"[{HAN}]")
_WORD = re.compile(r"[A-Za-zÀ-ɏ]+")


def is_han(character: str) -> bool:
    """Whether it is one Chinese character."""
    return _HAN.fullmatch(character) is not None


def han_count(text: str) -> int:
    """Chinese characters in `text`."""
    return len(_HAN.findall(text))


def word_count(text: str) -> int:
    """Words in Latin letters in `text`."""
    return len(_WORD.findall(text))


def language_of(text: str) -> Lang:
    """`zh` if a fair share of the text is Chinese, else `en`: Chinese texts carry Latin names, hardly the other way round."""
    han, words = han_count(text), word_count(text)
    return "zh" if han and han >= 0.4 * words else "en"


def foreign_script(text: str) -> str:
    """The name of the writing system most letters belong to if it is neither Han nor Latin (`ARABIC`), else nothing."""
    counts: dict[str, int] = {}
    for character in text[:20_000]:
        if character.isalpha():
            name = unicodedata.name(character, "").split(" ")[0].split("-")[0]
            counts[name] = counts.get(name, 0) + 1
    most = max(counts, key=lambda name: counts[name], default="")
    return "" if most in ("CJK", "LATIN", "FULLWIDTH") else most
