"""Words of any language: Chinese cut by jieba's dictionary (through rjieba), the rest by Unicode's letters."""

import re
from typing import Any

from mofang.text.language import HAN, foreign_script, han_count, language_of
from mofang.text.stop_words import all_stop_words

_HAN = re.compile(f"[{HAN}]")
_KANA = re.compile("[\u3040-\u30ff]")
_WORD = re.compile(f"[{HAN}]+|[^\\W\\d_{HAN}]+(?:['’][^\\W\\d_{HAN}]+)*")
_SPACED = re.compile(f"[{HAN}]+|[^\\W\\d_{HAN}]+(?:['’][^\\W\\d_{HAN}]+)*[ \\t]?")


def _cut(text: str) -> list[str]:
    import rjieba

    cut: Any = rjieba.cut
    return list(cut(text))


def tokens(text: str) -> list[str]:
    """Words in order, other marks perhaps between them: what is counted, quickly, before `is_word` sorts it out."""
    if not _HAN.search(text):
        return _WORD.findall(text.lower().replace("’", "'"))
    return _cut(text)


def is_word(token: str) -> bool:
    """Whether a token begins with a letter."""
    return token[:1].isalpha()


def words(text: str) -> list[str]:
    """The words of a text, in order; Latin ones in lower case."""
    found: list[str] = []
    for part in _WORD.findall(text):
        found += _cut(part) if _HAN.match(part) else [part.lower().replace("’", "'")]
    return found


def without_stop_words(text: str) -> str:
    """The text with its stop words taken out, all else in its place."""
    stop = all_stop_words()

    def kept(found: re.Match[str]) -> str:
        part = found[0]
        if _HAN.match(part):
            return "".join(word for word in _cut(part) if word not in stop)
        return "" if part.strip().lower().replace("’", "'") in stop else part

    return _SPACED.sub(kept, text)


def language(text: str) -> str:
    """`zh`, `ja`, `en` for Latin letters, or the name of another writing system in lower case (`cyrillic`), by the text's
    beginning."""
    head = text[:400]
    if head.isascii():
        return "en"
    if len(_KANA.findall(head)) > 0.2 * han_count(head) + 2:
        return "ja"
    if han_count(head):
        return language_of(head)
    return (foreign_script(head) or "en").lower()
