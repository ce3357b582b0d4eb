"""How like two texts are: chrF and BLEU, as their papers define them, and the share that is exactly right."""

import math
import re
from collections import Counter
from collections.abc import Sequence

from mofang.text.language import HAN

_WORD = re.compile(rf"[{HAN}]|[^\W{HAN}]+(?:['’][^\W{HAN}]+)*|[^\w\s]|_")
Counts = Counter[tuple[str, ...]]


def words(text: str) -> list[str]:
    """Words and marks as BLEU counts them; each Chinese character is one."""
    return _WORD.findall(text)


def chrf(texts: Sequence[str], references: Sequence[Sequence[str]], order: int = 6, beta: float = 2.0) -> float:
    """chrF of a corpus, 0..100: the F score of character n-grams up to `order`, recall `beta` times as heavy as precision.

    Popović 2015 (https://aclanthology.org/W15-3049): white space does not count; counts are summed over the corpus before
    precision and recall are averaged over the orders. Of several `references` of a text, the one most like it counts.
    """
    total = [[0, 0, 0] for _ in range(order)]
    for text, alternatives in zip(texts, references, strict=True):
        own = _characters(text, order)
        found = [_matches(own, _characters(reference, order)) for reference in alternatives]
        best = max(found, key=lambda matches: _f_score(matches, beta))
        total = [[a + b for a, b in zip(one, other, strict=True)] for one, other in zip(total, best, strict=True)]
    return 100 * _f_score(total, beta)


def _characters(text: str, order: int) -> list[Counter[str]]:
    plain = "".join(text.split())
    return [Counter(plain[at : at + n] for at in range(len(plain) - n + 1)) for n in range(1, order + 1)]


def _matches(own: list[Counter[str]], reference: list[Counter[str]]) -> list[list[int]]:
    """Of each order: n-grams shared, of the text, of the reference."""
    return [[(a & b).total(), a.total(), b.total()] for a, b in zip(own, reference, strict=True)]


def _f_score(matches: list[list[int]], beta: float) -> float:
    # Orders longer than either text say nothing about it.
    present = [(shared / own, shared / other) for shared, own, other in matches if own and other]
    if not present:
        return 0.0
    precision, recall = (sum(side) / len(present) for side in zip(*present, strict=True))
    below = beta * beta * precision + recall
    return (1 + beta * beta) * precision * recall / below if below else 0.0


def bleu(texts: Sequence[str], references: Sequence[Sequence[str]], order: int = 4) -> float:
    """BLEU of a corpus, 0..100 (Papineni et al. 2002, https://aclanthology.org/P02-1040), over `words`.

    Clipped precisions of n-grams up to `order`, their geometric mean, times the brevity penalty against the closest
    reference lengths. Without a single match of some order it is 0.
    """
    shared, all_, length, closest = [0] * order, [0] * order, 0, 0
    for text, alternatives in zip(texts, references, strict=True):
        own, others = words(text), [words(reference) for reference in alternatives]
        length += len(own)
        closest += min((len(other) for other in others), key=lambda size: (abs(size - len(own)), size))
        for n in range(1, order + 1):
            grams, clip = _grams(own, n), Counts()
            for other in others:
                clip |= _grams(other, n)
            shared[n - 1] += (grams & clip).total()
            all_[n - 1] += grams.total()
    if not all(shared):
        return 0.0
    precision = math.fsum(math.log(a / b) for a, b in zip(shared, all_, strict=True)) / order
    return 100 * math.exp(precision + min(0.0, 1 - closest / length))


def _grams(tokens: Sequence[str], n: int) -> Counts:
    return Counts(tuple(tokens[at : at + n]) for at in range(len(tokens) - n + 1))


def exact(texts: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """The share of texts that are a reference to the letter, 0..1."""
    right = sum(text in alternatives for text, alternatives in zip(texts, references, strict=True))
    return right / max(1, len(texts))
