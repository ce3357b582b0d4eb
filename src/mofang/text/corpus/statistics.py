"""What a corpus is like: words, how the vocabulary grows, what repeats."""

import heapq
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mofang.text.corpus.words import is_word, tokens
from mofang.text.stop_words import all_stop_words

_KNOWN = 2_000_000
_SAMPLE = 400_000
TOP = 40


@dataclass
class Statistics:
    """The figures of the report. `growth` pairs words read with distinct words met; `repeats` maps n to the share of
    n-word sequences that stand more than once in the sample; `heaps` is β of Heaps' law V = K·nᵝ."""

    words: int = 0
    distinct: int = 0
    once: int = 0
    growth: list[tuple[int, int]] = field(default_factory=list)
    heaps: float = math.nan
    top: list[tuple[str, int]] = field(default_factory=list)
    repeats: dict[int, float] = field(default_factory=dict)
    repeated: list[tuple[str, int]] = field(default_factory=list)
    lengths: list[tuple[str, int]] = field(default_factory=list)


class WordCounter:
    """Counts words as texts go by. Words seen once are forgotten when two million are known."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._read = self._forgotten = 0
        self._growth: list[tuple[int, int]] = []
        self._next = 1000.0
        self._sample: list[str] = []

    def add(self, text: str) -> None:
        """Count a text's words."""
        for start in range(0, len(text), 1 << 16):
            found = tokens(text[start : start + (1 << 16)])
            self._counts.update(found)
            self._read += len(found)
            if len(self._sample) < _SAMPLE:
                self._sample += [token for token in found if is_word(token)]
            if self._read >= self._next and not self._forgotten:
                self._growth.append((self._read, len(self._counts)))
                self._next = self._read * 1.12
        if len(self._counts) > _KNOWN:
            before = len(self._counts)
            self._counts = Counter({word: count for word, count in self._counts.items() if count > 1})
            self._forgotten += before - len(self._counts)

    def table(self, stop_words: bool, most: int) -> list[tuple[str, int]]:
        """(word, count) of the `most` frequent words, best first; without stop words unless `stop_words`."""
        stop = frozenset[str]() if stop_words else all_stop_words()
        # One pass over all words for a few of them: a heap, not a sort.
        found = heapq.nsmallest(2 * most + len(stop), self._counts.items(), key=lambda entry: (-entry[1], entry[0]))
        return [(word, count) for word, count in found if is_word(word) and word.lower() not in stop][:most]

    def statistics(self, lengths: NDArray[np.int64], stop_words: bool) -> Statistics:
        """All figures; `lengths` are the documents' in characters."""
        if not self._forgotten:
            self._growth.append((self._read, len(self._counts)))
        repeats, repeated = _repeats(self._sample[:_SAMPLE])
        read = distinct = once = 0
        for word, count in self._counts.items():
            if is_word(word):
                read, distinct, once = read + count, distinct + 1, once + (count == 1)
        return Statistics(
            words=read + self._forgotten, distinct=distinct + self._forgotten, once=once + self._forgotten,
            growth=self._growth, heaps=_heaps(self._growth), top=self.table(stop_words, TOP), repeats=repeats,
            repeated=repeated, lengths=histogram(lengths),
        )  # fmt: skip


def _heaps(growth: Sequence[tuple[int, int]]) -> float:
    """β of Heaps' law by least squares over the logarithms; nan for fewer than three points."""
    points = [(math.log(read), math.log(known)) for read, known in growth if read and known]
    if len({x for x, _ in points}) < 3:
        return math.nan
    x, y = np.array(points).T
    return float(np.polyfit(x, y, 1)[0])


def _repeats(sample: Sequence[str]) -> tuple[dict[int, float], list[tuple[str, int]]]:
    """For n = 2..8, the share of n-word sequences that stand more than once; and the long ones that do so most."""
    numbers: dict[str, int] = {}
    ids = np.fromiter((numbers.setdefault(word, len(numbers) + 1) for word in sample), np.uint64, len(sample))
    shares: dict[int, float] = {}
    examples: list[tuple[str, int]] = []
    value = ids.copy()
    for n in range(2, 9):
        if len(ids) < n + 1:
            break
        value = value[: len(ids) - n + 1] * np.uint64(0x9E3779B97F4A7C15) + ids[n - 1 :]
        value ^= value >> np.uint64(31)
        _, first, counts = np.unique(value, return_index=True, return_counts=True)
        shares[n] = float(counts[counts > 1].sum() / len(value))
        if n == 6:
            for place in np.argsort(-counts, kind="stable")[:8].tolist():
                if counts[place] > 2:
                    start = int(first[place])
                    examples.append((_joined(sample[start : start + n]), int(counts[place])))
    return shares, examples


def _joined(found: Sequence[str]) -> str:
    text = ""
    for word in found:
        text += " " + word if text and text[-1].isascii() and word[:1].isascii() else word
    return text


def histogram(lengths: NDArray[np.int64]) -> list[tuple[str, int]]:
    """How many documents have how many characters, in steps of a half power of ten."""
    edges = [0, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000]
    counts = np.histogram(lengths, [*edges, np.inf])[0].tolist()
    named = [(f"{low:,}–{high - 1:,}", count) for low, high, count in zip(edges, edges[1:], counts, strict=False)]
    named.append((f"{edges[-1]:,}+", counts[-1]))
    full = [place for place, (_, count) in enumerate(named) if count]
    return named[full[0] : full[-1] + 1] if full else []
