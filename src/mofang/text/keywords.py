"""What a text is about, in a few words; and a name for a text that has none."""

import re
from collections import Counter
from functools import cache
from typing import Any

from mofang.text.language import HAN, Lang

_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*[A-Za-z]|[A-Za-z]")
_CLAUSE = re.compile(r"[，。！？；：、…\n,.!?;:—“”\"「」『』()（）]+")
_COMMON = (
    "a about above after again all almost along also although always am among an and another any are around as asked at away "
    "back be became because been before began behind being below between both but by came can cannot come could did do does "
    "doing done down during each else even ever every few first for from get give go goes going gone good got great had has "
    "have having he her here hers herself him himself his how however i if in into is it its itself just keep knew know last "
    "later let like little long looked made make many may maybe me might more most much must my never new next no nor not "
    "nothing now of off often old on once one only onto or other our out over own people perhaps quite rather really said same "
    "saw say says see seemed shall she should since small so some something soon still such take than that the their them "
    "themselves then there these they thing things think this those though three through time to today together too took "
    "toward towards two under until up upon us use used very was way we well went were what when where whether which while "
    "who whole whom whose why will with within without would yes yet you your yours it's i'm don't"
)
_STOP = frozenset(_COMMON.split())
_COMMON_ZH = (
    "一个 一种 这个 那个 什么 怎么 如何 为什么 他们 我们 你们 自己 已经 就是 可以 没有 不是 还是 因为 所以 但是 知道 "
    "觉得 有人 时候 起来 出来 这样 那样 这里 那里 一下 一些 一样 不会 不能 真的 非常 许多 很多 由来 如果 虽然 于是 "
    "然后 终于 只是"
)
_STOP_ZH = frozenset(_COMMON_ZH.split())


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
        return [word for word in found if word not in _STOP_ZH and not word.isdigit()][:n]
    counts: Counter[str] = Counter()
    for word in _WORD.findall(text[:200_000]):
        word = word.lower().replace("’", "'").removesuffix("'s")
        if len(word) > 2 and word not in _STOP:
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
