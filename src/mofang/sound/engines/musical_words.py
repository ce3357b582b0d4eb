"""A Chinese description of music as an English prompt, word by word: for models whose text encoder reads English alone.

Such prompts are lists of instruments, moods and scenes rather than sentences, and a Chinese modifier stands before its noun as an
English one does. So words in their order are enough; `musical_words.tsv` has them.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from mofang.sound.frontend.mandarin.segment import segment
from mofang.sound.frontend.voicing import simplified
from mofang.studio.errors import UserError

LEADING = frozenset(("with", "no", "not", "only", "like", "for", "very", "slightly", "distant"))
"""English that says nothing without the word after it."""
BETWEEN = frozenset(("and", "or", "then"))
"""The same, and not without the word before it."""
MOST = 5
"""Words of jieba's in one entry."""
LONGEST = 2000
"""Characters of a description; more is a text."""
_HAN = re.compile(r"[\u3400-\u9fff]+")
_PACE = re.compile(r"每分钟\s*(\d{2,3})\s*拍")


@dataclass(frozen=True)
class Told:
    """The `english` of a description, and the words in it that were `left_out` for want of an English one."""

    english: str
    left_out: tuple[str, ...]


@lru_cache(maxsize=1)
def table() -> dict[str, str]:
    """Chinese word → English, which is empty for one that says nothing by itself."""
    rows = (files("mofang.sound.engines") / "musical_words.tsv").read_text("utf-8").splitlines()
    pairs = (row.partition("\t") for row in rows if row and not row.startswith("#"))
    return {word: english for chinese, _, english in pairs for word in chinese.split()}


def is_chinese(text: str) -> bool:
    """Whether any of it is."""
    return bool(_HAN.search(unicodedata.normalize("NFKC", text)))


def in_english(text: str) -> Told:
    """The description in English; what is English already stays. Raises `UserError` when less than half of its words are known."""
    if len(text) > LONGEST:
        raise UserError(f"this describes music in {len(text):,} characters; say it in a sentence or two, of at most {LONGEST:,}")
    plain = _PACE.sub(r" \1 bpm ", unicodedata.normalize("NFKC", text).translate(simplified()))
    known, left_out, said = 0, list[str](), list[str]()
    for word, english in _words(plain):
        if english is None:
            left_out.append(word)
        if english in (None, ","):
            _drop(said)  # What would have been joined is not there.
        if english and not (english in BETWEEN and _is_start(said)):
            said.append(english)
            known += english not in (",", *LEADING, *BETWEEN)
    _drop(said)
    if not known or len(left_out) > known:
        unknown = "、".join(dict.fromkeys(left_out))[:60]
        raise UserError(f"too little of this is known in English ({unknown or 'it names no sound'}); describe the music in English, "
                        "or by instruments, moods and scenes: 缓慢忧伤的钢琴曲，伴着雨声")  # fmt: skip
    return Told(re.sub(r"[ ,]*,[ ,]*", ", ", " ".join(said)).strip(", "), tuple(dict.fromkeys(left_out)))


def _is_start(said: list[str]) -> bool:
    return not said or said[-1] == ","


def _drop(said: list[str]) -> None:
    while said and said[-1] in LEADING | BETWEEN:
        said.pop()


def _words(text: str) -> Iterator[tuple[str, str | None]]:
    """Each word with its English: None for a Chinese one that has none, a comma for any stop."""
    at = 0
    for run in _HAN.finditer(text):
        yield from _others(text[at : run.start()])
        yield from _chinese([word.text for word in segment(run[0])])
        at = run.end()
    yield from _others(text[at:])


def _others(text: str) -> Iterator[tuple[str, str | None]]:
    for word in re.findall(r"[A-Za-z\d][\w&'’/.+#-]*|[,;:!?.()。、\n]", text):
        yield word, word if word[0].isalnum() else ","


def _chinese(words: list[str]) -> Iterator[tuple[str, str | None]]:
    """The longest entries first, then the parts of a compound (钢琴 + 独奏)."""
    known, at = table(), 0
    while at < len(words):
        end = next((end for end in range(min(at + MOST, len(words)), at, -1) if "".join(words[at:end]) in known), 0)
        if end:
            yield "", known["".join(words[at:end])]
        elif parts := _parts(words[at]):
            yield from (("", known[part]) for part in parts)
        else:
            yield words[at], None
        at = max(end, at + 1)


def _parts(word: str) -> list[str]:
    """A compound of words that each say something; empty for any other: 上海 is no sea."""
    parts, at = [], 0
    while at < len(word):
        size = next((size for size in range(len(word) - at, 0, -1) if table().get(word[at : at + size])), 0)
        if not size:
            return []
        parts.append(word[at : at + size])
        at += size
    return parts
