"""Suffix arrays: every place where any string stands in a text, found by binary search.

Construction is SA-IS, linear in time and memory (Nong, Zhang, Chan: Two Efficient Algorithms for Linear Time Suffix Array
Construction, IEEE Trans. Computers 60(10), 2011). Search is that of Manber and Myers (SIAM J. Comput. 22(5), 1993) without
their table of common prefixes: the prefix shared with both ends of the interval need not be compared again.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int32]


def suffix_array(text: Ints, size: int) -> Ints:
    """Start positions of all suffixes of `text` (N,) in lexicographic order. Symbols are in 0..size-1; N < 2³¹.

    Peak memory is about 16 N bytes, the text included.
    """
    assert text.dtype == np.int32
    if len(text) < 2:
        return np.arange(len(text), dtype=np.int32)
    smaller = _smaller(text)
    starts, borders = _buckets(text, smaller, size)
    lms = np.flatnonzero(smaller[1:] & ~smaller[:-1]).astype(np.int32) + 1
    suffixes = np.empty(len(text), np.int32)
    _induce(text, smaller, starts, borders, lms, suffixes)
    if len(lms):
        _sort_lms(text, starts, borders, smaller, lms, suffixes)
    return suffixes


def _sort_lms(text: Ints, starts: Ints, borders: Ints, smaller: NDArray[np.bool_], lms: Ints, suffixes: Ints) -> None:
    """Sort the leftmost-smaller suffixes by the ranks of their substrings, then induce all others from them."""
    number = np.full(len(text), -1, np.int32)
    number[lms] = np.arange(len(lms), dtype=np.int32)
    order = suffixes[number[suffixes] >= 0]
    names, count = _name(text, lms, number, order)
    del number
    if count < len(lms):
        order = lms[suffix_array(names, count)]
    _induce(text, smaller, starts, borders, order, suffixes)


@njit(cache=True)
def _smaller(text: Ints) -> NDArray[np.bool_]:
    """Whether each suffix is smaller than the one that starts after it."""
    smaller = np.zeros(len(text), np.bool_)
    for at in range(len(text) - 2, -1, -1):
        smaller[at] = smaller[at + 1] if text[at] == text[at + 1] else text[at] < text[at + 1]
    return smaller


@njit(cache=True)
def _buckets(text: Ints, smaller: NDArray[np.bool_], size: int) -> tuple[Ints, Ints]:
    """Where each symbol's bucket starts, and where in it the smaller suffixes begin."""
    starts, borders = np.zeros(size + 1, np.int32), np.zeros(size + 1, np.int32)
    for at in range(len(text)):
        if smaller[at]:
            starts[text[at] + 1] += 1
        else:
            borders[text[at]] += 1
    for symbol in range(size):
        borders[symbol] += starts[symbol]
        starts[symbol + 1] += borders[symbol]
    borders[size] = starts[size]
    return starts, borders


@njit(cache=True)
def _induce(text: Ints, smaller: NDArray[np.bool_], starts: Ints, borders: Ints, lms: Ints, suffixes: Ints) -> None:
    """Fill `suffixes` from the order of the leftmost-smaller ones: larger types left to right, smaller right to left."""
    suffixes[:] = -1
    free = borders.copy()
    for at in lms:
        suffixes[free[text[at]]] = at
        free[text[at]] += 1
    free[:] = starts
    last = len(text) - 1
    suffixes[free[text[last]]] = last
    free[text[last]] += 1
    for rank in range(len(text)):
        before = suffixes[rank] - 1
        if before >= 0 and not smaller[before]:
            suffixes[free[text[before]]] = before
            free[text[before]] += 1
    free[:] = starts
    for rank in range(len(text) - 1, -1, -1):
        before = suffixes[rank] - 1
        if before >= 0 and smaller[before]:
            free[text[before] + 1] -= 1
            suffixes[free[text[before] + 1]] = before


@njit(cache=True)
def _name(text: Ints, lms: Ints, number: Ints, order: Ints) -> tuple[Ints, int]:
    """Give equal substrings between leftmost-smaller positions equal names, in their order."""
    size, count = len(text), len(lms)
    names = np.empty(count, np.int32)
    name = 0
    names[number[order[0]]] = 0
    for rank in range(1, count):
        left, right = order[rank - 1], order[rank]
        left_end = lms[number[left] + 1] if number[left] + 1 < count else size
        right_end = lms[number[right] + 1] if number[right] + 1 < count else size
        same = left_end - left == right_end - right
        if same:
            while left < left_end and text[left] == text[right]:
                left += 1
                right += 1
            same = left < size and right < size and text[left] == text[right]
        if not same:
            name += 1
        names[number[order[rank]]] = name
    return names, name + 1


@njit(cache=True)
def longest_matches(text: NDArray[np.uint16], suffixes: Ints, query: Ints, lengths: Ints, places: NDArray[np.int64],
                    base: int) -> None:  # fmt: skip
    """For each position of `query` (M,) the longest prefix of what follows that stands in `text`.

    Where it is longer than `lengths` (M,) says, that and `places` (M,), counted from `base`, are replaced. Symbols of the query
    that the text does not have are negative; symbol 0 never matches.
    """
    size = len(text)
    for start in range(len(query)):
        low, high = 0, size  # suffixes before `low` are smaller than the query, those from `high` on are larger
        low_common = high_common = 0
        while low < high:
            middle = (low + high) // 2
            position = suffixes[middle]
            common = min(low_common, high_common)
            longest = min(len(query) - start, size - position)
            while common < longest and query[start + common] > 0 and query[start + common] == text[position + common]:
                common += 1
            if common > lengths[start]:
                lengths[start], places[start] = common, base + position
            ended = start + common == len(query)
            if ended or (position + common < size and query[start + common] <= text[position + common]):
                high, high_common = middle, common
            else:
                low, low_common = middle + 1, common


@njit(cache=True)
def interval(text: NDArray[np.uint16], suffixes: Ints, query: Ints) -> tuple[int, int]:
    """The ranks from..to of all suffixes that begin with `query` (M,)."""
    ends = [0, len(text)]
    for side in range(2):
        low, high = ends[0], len(text)
        while low < high:
            middle = (low + high) // 2
            position = suffixes[middle]
            common = 0
            while common < len(query) and position + common < len(text) and query[common] == text[position + common]:
                common += 1
            if common == len(query):
                before = side == 1
            else:
                before = position + common == len(text) or text[position + common] < query[common]
            if before:
                low = middle + 1
            else:
                high = middle
        ends[side] = low
    return ends[0], ends[1]
