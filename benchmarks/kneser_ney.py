"""A character n-gram model with modified Kneser–Ney smoothing, interpolated (Chen & Goodman 1999, section 4.1.6).

The bar a neural model of verse has to clear. Counts are kept as sorted arrays of hashed contexts, in numpy.
"""

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]


class KneserNey:
    """Trained on a stream of ids (N,) below `vocabulary`; `order` 5 sees four ids before the one it foretells."""

    def __init__(self, ids: Ids, vocabulary: int, order: int = 5) -> None:
        self.order, self.vocabulary = order, vocabulary
        self._levels = []
        # The highest order counts occurrences; lower ones count in how many different contexts an n-gram continues.
        grams = _grams(ids, order)
        keys, counts = np.unique(_pack(grams, vocabulary), return_counts=True)
        for n in range(order, 0, -1):
            self._levels.append(_Level(keys, counts, vocabulary))
            if n > 1:
                # Dropping the oldest id of every distinct n-gram leaves one entry a context.
                keys, counts = np.unique(keys % vocabulary ** (n - 1), return_counts=True)

    def bits(self, ids: Ids) -> NDArray[np.float64]:
        """−log2 p of every id of a stream but the first order − 1, given those before it."""
        grams = _pack(_grams(ids, self.order), self.vocabulary)
        p = np.full(len(grams), 1 / self.vocabulary)
        for n, level in zip(range(1, self.order + 1), reversed(self._levels), strict=True):
            p = level.interpolated(grams % self.vocabulary**n, p)
        return -np.log2(p)


class _Level:
    """One order: counts of n-grams, and for every context its total, its discounts and what they leave to lower orders."""

    def __init__(self, keys: NDArray[np.uint64], counts: NDArray[np.int64], vocabulary: int) -> None:
        self.keys, self.counts, self.vocabulary = keys, counts, np.uint64(vocabulary)
        n1, n2, n3, n4 = (max(1, int((counts == number).sum())) for number in (1, 2, 3, 4))
        share = n1 / (n1 + 2 * n2)
        # Equation 26: one discount for counts of one, of two, and of three and more.
        self.discounts = np.array([0.0, 1 - 2 * share * n2 / n1, 2 - 3 * share * n3 / n2, 3 - 4 * share * n4 / n3]).clip(0)
        contexts, at = np.unique(keys // self.vocabulary, return_inverse=True)
        self.contexts = contexts
        self.totals = np.bincount(at, counts)
        self.left = np.bincount(at, self.discounts[np.minimum(counts, 3)])

    def interpolated(self, grams: NDArray[np.uint64], lower: NDArray[np.float64]) -> NDArray[np.float64]:
        """p of each n-gram's last id in its context, given p of the order below; unseen contexts leave that as it is."""
        context = np.minimum(np.searchsorted(self.contexts, grams // self.vocabulary), len(self.contexts) - 1)
        seen = self.contexts[context] == grams // self.vocabulary
        place = np.minimum(np.searchsorted(self.keys, grams), len(self.keys) - 1)
        counts = np.where(self.keys[place] == grams, self.counts[place], 0)
        kept = np.maximum(counts - self.discounts[np.minimum(counts, 3)], 0) / self.totals[context]
        return np.where(seen, kept + self.left[context] / self.totals[context] * lower, lower)


def _grams(ids: Ids, order: int) -> NDArray[np.int64]:
    return np.lib.stride_tricks.sliding_window_view(np.asarray(ids, np.int64), order)


def _pack(grams: NDArray[np.int64], vocabulary: int) -> NDArray[np.uint64]:
    """One number an n-gram, the newest id in the lowest digits."""
    assert vocabulary ** grams.shape[1] < 2**64, "too many n-grams to number; lower the order"
    packed = np.zeros(len(grams), np.uint64)
    for column in grams.T:
        packed = packed * np.uint64(vocabulary) + column.astype(np.uint64)
    return packed
