"""A passage as clauses of words: text, dictionary form and part of speech, in Chinese (jieba) and English."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from mofang.image.engines.collage.read_english import lemma, tag

LONGEST = 6_000
"""Characters read of one passage; a picture is not asked for by more."""
_CLAUSE = re.compile(r"[^，。！？；：、,.!?;:\n…—()（）“”\"「」『』《》]{1,240}")
_ENGLISH = re.compile(r"[A-Za-z]+(?:[-'’][A-Za-z]+)*|\d[\d,.]*|[^\sA-Za-z\d]")
_CLASSICAL_NEVER = frozenset("的了着吗呢们这那很都把被给你您她它")


@dataclass(frozen=True, slots=True)
class Word:
    """One word. `lemma` is what the lexicon knows it by; `tag` is n, v, a, d, m (number), r (pronoun), p, name or x."""

    text: str
    lemma: str
    tag: str


@dataclass(frozen=True, slots=True)
class Clause:
    """Words between two punctuation marks. `classical`: one character may be one word."""

    text: str
    words: tuple[Word, ...]
    classical: bool


def clean(text: str) -> str:
    """The text without what no reader can use: lone surrogates, control characters, and anything past `LONGEST`."""
    text = text[:LONGEST].encode("utf-8", "ignore").decode("utf-8")
    return unicodedata.normalize("NFC", "".join(c for c in text if c >= " " or c in "\n\t"))


def clauses(text: str, lang: str) -> list[Clause]:
    """Split cleaned `text` into clauses of words."""
    parts = [part for part in (found.strip() for found in _CLAUSE.findall(text)) if part]
    if lang == "en":
        return [Clause(part, english_words(part), False) for part in parts]
    classical = is_classical(parts)
    return [Clause(part, chinese_words(part), classical) for part in parts]


def is_classical(parts: list[str]) -> bool:
    """Whether the clauses scan as verse: all of five or seven (or, four or more of them, of four) characters,
    and none of the particles modern Chinese cannot do without."""
    lengths = {len(part) for part in parts}
    regular = len(parts) >= 2 and (lengths in ({5}, {7}) or (lengths == {4} and len(parts) >= 4))
    return regular and not any(char in _CLASSICAL_NEVER for part in parts for char in part)


def english_words(text: str) -> tuple[Word, ...]:
    """English words with a dictionary form and a part of speech guessed from the neighbours."""
    found = [match.replace("’", "'") for match in _ENGLISH.findall(text)]
    tags = [tag(found, index) for index in range(len(found))]
    return tuple(Word(text, lemma(text.lower()), what) for text, what in zip(found, tags, strict=True))


def chinese_words(text: str) -> tuple[Word, ...]:
    """Chinese words as jieba cuts and tags them; the tags folded to the few the reader uses."""
    return tuple(Word(pair.word, pair.word.lower(), _folded(pair.flag)) for pair in _jieba().cut(text) if pair.word.strip())


def _folded(flag: str) -> str:
    if flag.startswith("nr"):
        return "name"
    if flag[:1] in "vn" or flag in {"zg", "g", "i", "l", "s", "t", "f", "j", "ng"}:
        return "v" if flag.startswith("v") and flag != "vn" else "n"
    return flag[:1] if flag[:1] in "admrpucq" else "x"


def _jieba() -> Any:
    import logging

    import jieba
    import jieba.posseg

    jieba.setLogLevel(logging.WARNING)
    return jieba.posseg
