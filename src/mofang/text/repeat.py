"""Loops and repetition: what small models fall into, found before anyone has to hear it."""

import re
from collections import Counter
from collections.abc import Sequence

from mofang.text.language import Lang, han_count

_WORD = re.compile(r"[^\W_]+")
NEAR = 0.6
"""Share of character trigrams two sentences may have in common before they count as the same sentence."""


def normal(sentence: str) -> str:
    """A sentence without its punctuation, spaces and case: what a listener compares."""
    return "".join(_WORD.findall(sentence.lower()))


def similarity(one: str, other: str) -> float:
    """0 (nothing in common) to 1 (the same): the Dice coefficient over character n-grams (2 for Chinese, 4 for English,
    whose letters say less each)."""
    a, b = normal(one), normal(other)
    if a == b:
        return 1.0
    n = 2 if han_count(one) else 4
    left, right = _grams(a, n), _grams(b, n)
    total = left.total() + right.total()
    return 2 * (left & right).total() / total if total else 0.0


def _grams(text: str, n: int) -> Counter[str]:
    return Counter(text[at : at + n] for at in range(max(1, len(text) - n + 1)))


def repeats(sentence: str, earlier: Sequence[str], near: float = NEAR) -> bool:
    """Whether `sentence` says again, word for word or nearly, what an earlier one said."""
    said = normal(sentence)
    return any(said == (before := normal(other)) or (len(said) > 5 and len(before) > 5 and (said in before or before in said))
               or similarity(sentence, other) >= near for other in earlier)  # fmt: skip


def units(text: str, lang: Lang) -> list[str]:
    """What n-grams are counted over: characters in Chinese, words in English."""
    words = _WORD.findall(text.lower())
    return list("".join(words)) if lang == "zh" else words


def loops(text: str, lang: Lang) -> bool:
    """Whether `text` is stuck: a run said three times in a row, or two runs covering most of it.

    A single character doubled (天天, 慢慢) and a word said twice (very, very) are language, not loops.
    """
    words = units(text, lang)
    size = len(words)
    for length in range(1, min(size // 2, 40) + 1):
        for start in range(size - 2 * length + 1):
            times = 1
            while words[start + times * length : start + (times + 1) * length] == words[start : start + length]:
                times += 1
            if times >= (4 if length == 1 else 3) or (times == 2 and length >= (4 if lang == "zh" else 3)):
                return True
    n = 4 if lang == "zh" else 3
    grams = Counter(tuple(words[at : at + n]) for at in range(size - n + 1))
    again = sum(count - 1 for count in grams.values())
    return size >= 4 * n and again > 0.3 * grams.total()


def stuck_ending(text: str, lang: Lang) -> bool:
    """Whether the last words of `text` were its last words already before: the mark of a model going round."""
    words = units(text, lang)
    n = 6 if lang == "zh" else 4
    tail = words[-n:]
    return len(words) >= 3 * n and sum(words[at : at + n] == tail for at in range(len(words) - 2 * n + 1)) >= 1


def distinct(texts: Sequence[str], lang: Lang, n: int = 2) -> float:
    """Distinct-n (Li et al. 2016): different n-grams over all n-grams; 1 means nothing is ever said twice."""
    grams: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        words = units(text, lang)
        grams.update(tuple(words[at : at + n]) for at in range(len(words) - n + 1))
    return len(grams) / grams.total() if grams.total() else 0.0


def repeated_sentences(texts: Sequence[str]) -> list[str]:
    """The sentences that repeat an earlier one."""
    return [text for at, text in enumerate(texts) if repeats(text, texts[:at])]
