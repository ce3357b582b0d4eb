"""Whether a model says many things or the same thing over and over."""

from collections.abc import Sequence
from dataclasses import dataclass

from mofang.text.language import Lang
from mofang.text.repeat import distinct, loops, units


@dataclass(frozen=True)
class Diversity:
    """`distinct`: distinct-1, -2 and -3 over all texts (Li et al. 2016, arXiv:1510.03055). `repeated`: rep-4 within a text,
    averaged (Welleck et al. 2020, arXiv:1908.04319). `looping`: share of texts stuck in a loop. `twins`: share of texts
    that another one equals."""

    distinct: tuple[float, float, float]
    repeated: float
    looping: float
    twins: float


def diversity(texts: Sequence[str], lang: Lang) -> Diversity:
    """Measure `texts` over characters in Chinese, words in English. Distinct-n falls with the amount of text, so compare
    equal amounts."""
    one, two, three = (distinct(texts, lang, n) for n in (1, 2, 3))
    count = max(1, len(texts))
    twins = count - len({text.strip() for text in texts}) if texts else 0
    return Diversity((one, two, three), sum(repetition(text, lang, 4) for text in texts) / count,
                     sum(loops(text, lang) for text in texts) / count, twins / count)  # fmt: skip


def repetition(text: str, lang: Lang, n: int) -> float:
    """Rep-n: the share of n-grams of a text that stand in it already."""
    words = units(text, lang)
    count = len(words) - n + 1
    return 1 - len({tuple(words[at : at + n]) for at in range(count)}) / count if count > 0 else 0.0
