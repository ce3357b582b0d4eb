"""What a text is about, in a few words; and a name for a text that has none."""

import re
from collections import Counter
from functools import cache
from typing import Any

from mofang.text.language import HAN, Lang
from mofang.text.stop_words import stop_words

_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*[A-Za-z]|[A-Za-z]")
_CLAUSE = re.compile(r"[，。！？；：、…\n,.!?;:—“”\"「」『』()（）]+")


@cache
def _jieba() -> Any:
    import logging

    import jieba
    import jieba.analyse

    jieba.setLogLevel(logging.ERROR)
    return jieba


def keywords(text: str, lang: Lang, n: int = 5) -> list[str]:
    """The `n` words that say most about `text`, best first.

    Chinese: TF-IDF with jieba's table of word frequencies. English: frequency of content words, early ones first,
    plurals counted with their singular.
    """
    if lang == "zh" and re.search(f"[{HAN}]", text):
        jieba = _jieba()
        found = jieba.analyse.extract_tags(text[:50_000], topK=n + 20)
        return [word for word in found if word not in stop_words("zh") and not word.isdigit()][:n]
    counts: Counter[str] = Counter()
    for word in _WORD.findall(text[:200_000]):
        word = word.lower().replace("’", "'").removesuffix("'s")
        if len(word) > 2 and word not in stop_words("en"):
            counts[word] += 1
    for word in list(counts):
        if word.endswith("s") and word[:-1] in counts:
            counts[word[:-1]] += counts.pop(word)
    return [word for word, _ in counts.most_common(n)]


def title_for(text: str, lang: Lang) -> str:
    """A name for an untitled text: its first clause if that is short, else its keywords."""
    limit = 12 if lang == "zh" else 40
    for clause in _CLAUSE.split(text)[:3]:
        clause = clause.strip(" *#-\t")
        if any(character.isalnum() for character in clause) and len(clause) <= limit:
            return clause
    if lang == "zh":
        words = keywords(text, lang, 2)
        return "和".join(words) if words else text.strip()[:limit]
    words = keywords(text, lang, 2)
    return " and ".join(words).capitalize() if words else text.strip()[:limit]
