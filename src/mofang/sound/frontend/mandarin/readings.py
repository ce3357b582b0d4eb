"""Which reading a Chinese character has here: a table of rules over words, tags and neighbours.

pypinyin (MIT) knows the readings of characters and of 47,000 phrases; what it cannot see is the sentence. The rules in
`polyphones.tsv` look there. Its lines, in order of power:

    教书 jiao1 shu1                  a phrase, wherever it stands in the text
    还 huan2 next=给/.*              a rule: the character, its reading, conditions that must all hold; the first that
                                    holds wins, and beats the phrases of pypinyin

Conditions are regular expressions. `word` and `tag` must match the whole of the word the character is in and of its
part-of-speech tag; `prev` and `next` the whole of the neighbouring word as `word/tag` ('' at an end); `left` must end
where the character begins, `right` must begin where it ends.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

from mofang.sound.frontend.mandarin.segment import Word

_REACH = 12  # how many characters to the left a rule may see
_FIELDS = ("word", "tag", "prev", "next", "left", "right")


@dataclass(frozen=True, slots=True)
class Rule:
    """A reading and the conditions under which it holds."""

    reading: str
    conditions: dict[str, re.Pattern[str]]

    def holds(self, text: str, at: int, words: list[Word], index: int) -> bool:
        """Whether the rule applies to the character at `at`, which is in `words[index]`."""
        for name, pattern in self.conditions.items():
            match name:
                case "word":
                    fits = pattern.fullmatch(words[index].text)
                case "tag":
                    fits = pattern.fullmatch(words[index].tag)
                case "prev":
                    fits = pattern.fullmatch(_label(words, index - 1))
                case "next":
                    fits = pattern.fullmatch(_label(words, index + 1))
                case "left":
                    fits = pattern.search(text[max(0, at - _REACH) : at])
                case _:
                    fits = pattern.match(text, at + 1)
            if not fits:
                return False
        return True


@dataclass(frozen=True, slots=True)
class Table:
    """The rules of each character and the phrases of each first character, longest first."""

    rules: dict[str, list[Rule]] = field(default_factory=lambda: defaultdict(list))
    phrases: dict[str, list[tuple[str, list[str]]]] = field(default_factory=lambda: defaultdict(list))


def _label(words: list[Word], index: int) -> str:
    return f"{words[index].text}/{words[index].tag}" if 0 <= index < len(words) else ""


@lru_cache(maxsize=1)
def table() -> Table:
    """The rules of `polyphones.tsv`; ValueError names a line that cannot be read."""
    read = Table()
    lines = (files(__package__) / "polyphones.tsv").read_text("utf-8").splitlines()
    for count, line in enumerate(lines, 1):
        if not (parts := line.split()) or line.startswith("#"):
            continue
        written, rest = parts[0], parts[1:]
        if len(written) > 1:
            if len(rest) != len(written):
                raise ValueError(f"polyphones.tsv:{count}: {len(written)} characters, {len(rest)} readings")
            read.phrases[written[0]].append((written, rest))
            continue
        conditions = {}
        for condition in rest[1:]:
            name, _, pattern = condition.partition("=")
            if name not in _FIELDS:
                raise ValueError(f"polyphones.tsv:{count}: unknown condition {name!r}")
            conditions[name] = re.compile(f"(?:{pattern})$" if name == "left" else pattern)
        read.rules[written].append(Rule(rest[0], conditions))
    for phrases in read.phrases.values():
        phrases.sort(key=lambda phrase: -len(phrase[0]))
    return read


def is_han(c: str) -> bool:
    """Whether `c` is a Chinese character (a Unified Ideograph or 〇)."""
    return "\u4e00" <= c <= "\u9fff" or "\u3400" <= c <= "\u4dbf" or c == "〇" or "\U00020000" <= c <= "\U0003ffff"


def readings(text: str, words: list[Word], written: str | None = None) -> list[str]:
    """The citation reading ('zhong4') of every character of `text`, before sandhi; '' where it has none.

    `words` are the words of `text` in order. `written` is the same text as the author wrote it, which may be in
    traditional characters where `text` is simplified: 髮 tells fa4 where 发 does not.
    """
    found = [""] * len(text)
    for word in words:
        if any(map(is_han, word.text)):
            found[word.start : word.start + len(word.text)] = _dictionary(word.text)
    for index, word in enumerate(words):
        for at in range(word.start, word.start + len(word.text)):
            for rule in table().rules.get(text[at], ()):
                if rule.holds(text, at, words, index):
                    found[at] = rule.reading
                    break
    for at, c in enumerate(text):
        for phrase, sounds in table().phrases.get(c, ()):
            if text.startswith(phrase, at):
                found[at : at + len(phrase)] = sounds
                break
    for at, c in enumerate(written or ""):
        if c != text[at] and (only := _only_reading(c)):
            found[at] = only
    return found


@lru_cache(maxsize=65536)
def _dictionary(word: str) -> list[str]:
    from pypinyin import Style, lazy_pinyin

    # A mark for each character without a reading keeps the places; the stubs of pypinyin know only one for all.
    blanks: Any = lambda s: [""] * len(s)  # noqa: E731
    sounds: list[str] = lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True, errors=blanks)
    return sounds if len(sounds) == len(word) else [_only_reading(c, first=True) for c in word]


@lru_cache(maxsize=65536)
def _only_reading(c: str, first: bool = False) -> str:
    """The reading of a character that has but one (or, if asked, the first of several); else ''."""
    from pypinyin import Style, pinyin

    found = pinyin(c, style=Style.TONE3, neutral_tone_with_five=True, heteronym=True, errors="ignore")
    sounds = found[0] if found else []
    return sounds[0] if sounds and (first or len(sounds) == 1) else ""
