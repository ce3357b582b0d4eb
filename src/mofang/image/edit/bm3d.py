"""Noise taken out by block matching and collaborative filtering (BM3D; Dabov, Foi, Katkovnik & Egiazarian 2007).

The same filter is the prior of every repair here: where one needs to know what a natural picture looks like, it asks
for the picture this one would be without noise ("plug and play", Venkatakrishnan et al. 2013).
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Groups = tuple[NDArray[np.int32], NDArray[np.int32]]
"""Corners of the blocks of each group (groups, MOST, 2), the reference first, and how many blocks each has (groups,)."""

T = TypeVar("T")

SIDE = 8
"""Side of a block in pixels."""
MOST = 16
"""Blocks in a group at most: a power of two, for the Walsh–Hadamard transform across it."""
REACH = 14
"""How far from its reference a block is looked for, in pixels."""
SLICE = 4096
"""References one worker takes at a time. Slices are summed in order, so any number of threads gives the same."""

OPPONENT = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]], np.float32) / np.sqrt(
    np.array([[3], [2], [6]], np.float32)
)  # Orthonormal, so white noise keeps its strength in every channel.


def _cosines() -> Floats:
    k, n = np.mgrid[0:SIDE, 0:SIDE]
    table = np.cos(np.pi * (2 * n + 1) * k / (2 * SIDE)) * np.sqrt(2 / SIDE)
    table[0] /= np.sqrt(2)
    found: Floats = table.astype(np.float32)
    return found


DCT = _cosines()
WINDOW = np.outer(np.kaiser(SIDE, 2.0), np.kaiser(SIDE, 2.0)).astype(np.float32)


def bm3d(image: Floats, sigma: float, step: int = 3) -> Floats:
    """(rows, columns) or (rows, columns, 3) without white noise of standard deviation `sigma`, in the picture's units.

    `step` is the distance between references in pixels. A picture smaller than a block comes back unchanged.
    """
    if sigma <= 0 or min(image.shape[:2]) < SIDE:
        return image.copy()
    planes = _planes(image)
    spots = _spots(image.shape[:2], None, step)
    basic = _filtered(planes, planes, sigma, _matched(planes[0], spots, _near(sigma)), False)
    return _picture(_filtered(planes, basic, sigma, _matched(basic[0], spots, _near(0.0)), True), image)


class Prior:
    """The picture without noise, asked for many times over: groups are looked for only when told to.

    With `wanted` (rows, columns) only blocks that touch it are filtered, and all else stays as it was.
    """

    def __init__(self, wanted: NDArray[np.bool_] | None = None, step: int = 3) -> None:
        self._wanted, self._step = wanted, step
        self._groups: Groups | None = None

    def __call__(self, image: Floats, sigma: float, again: bool = True) -> Floats:
        """One pass of hard thresholding; `again` looks for similar blocks anew."""
        if min(image.shape[:2]) < SIDE:
            return image.copy()
        planes = _planes(image)
        if self._groups is None or again:
            spots = _spots(image.shape[:2], self._wanted, self._step)
            self._groups = _matched(planes[0], spots, _near(sigma))
        return _picture(_filtered(planes, planes, sigma, self._groups, False), image)


def _planes(image: Floats) -> Floats:
    if image.ndim == 2:
        return np.ascontiguousarray(image[None], np.float32)
    return np.ascontiguousarray(np.moveaxis(image @ OPPONENT.T, 2, 0), np.float32)


def _picture(planes: Floats, like: Floats) -> Floats:
    return planes[0] if like.ndim == 2 else np.ascontiguousarray(np.moveaxis(planes, 0, 2) @ OPPONENT, np.float32)


def _near(sigma: float) -> float:
    """The largest distance of blocks in a group: what two blocks' noise alone makes, and a tolerance."""
    return ((25 / 255) ** 2 + 2 * sigma**2) * SIDE**2


def _spots(shape: tuple[int, ...], wanted: NDArray[np.bool_] | None, step: int) -> NDArray[np.int32]:
    """(n, 2) upper left corners of reference blocks in reading order, the last row and column among them."""
    rows, columns = shape[0] - SIDE, shape[1] - SIDE
    grid = np.zeros((rows + 1, columns + 1), np.bool_)
    down, across = np.unique([*range(0, rows + 1, step), rows]), np.unique([*range(0, columns + 1, step), columns])
    grid[np.ix_(down, across)] = True
    if wanted is not None:
        sums = np.pad(wanted.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        grid &= sums[SIDE:, SIDE:] - sums[:-SIDE, SIDE:] - sums[SIDE:, :-SIDE] + sums[:-SIDE, :-SIDE] > 0
    return np.argwhere(grid).astype(np.int32)


def _shared(count: int, work: Callable[[int, int], T]) -> Iterator[T]:
    """`work(first, until)` over all spots in slices, several at a time, the results in order."""
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:
        yield from pool.map(lambda start: work(start, min(start + SLICE, count)), range(0, count, SLICE))


def _matched(plane: Floats, spots: NDArray[np.int32], limit: float) -> Groups:
    """For every spot the nearest blocks, nearest first, and how many of them: a power of two."""
    places = np.zeros((len(spots), MOST, 2), np.int32)
    counts = np.zeros(len(spots), np.int32)

    def some(first: int, until: int) -> None:
        _match(plane, spots[first:until], np.float32(limit), places[first:until], counts[first:until])

    list(_shared(len(spots), some))
    return places, counts


def _filtered(noisy: Floats, guide: Floats, sigma: float, groups: Groups, wiener: bool) -> Floats:
    """Every group filtered, and the blocks averaged where they overlap; where none lies, the guide."""
    places, counts = groups
    total, weight = np.zeros_like(noisy), np.zeros_like(noisy)

    def some(first: int, until: int) -> tuple[int, Floats, Floats]:
        low = max(int(places[first, 0, 0]) - REACH, 0)
        high = min(int(places[until - 1, 0, 0]) + REACH + SIDE, noisy.shape[1])
        part = np.zeros((2, noisy.shape[0], high - low, noisy.shape[2]), np.float32)
        _filter(noisy, guide, np.float32(sigma), places[first:until], counts[first:until], low, wiener, DCT, WINDOW,
                part[0], part[1])  # fmt: skip
        return low, part[0], part[1]

    for low, value, mass in _shared(len(places), some):
        total[:, low : low + value.shape[1]] += value
        weight[:, low : low + value.shape[1]] += mass
    found: Floats = np.where(weight > 0, total / np.maximum(weight, 1e-12), guide)
    return found


@njit(cache=True, nogil=True, fastmath=True)
def _filter(noisy, guide, sigma, places, counts, low, wiener, dct, window, total, weight):  # type: ignore[no-untyped-def]
    """Filter groups, adding into slabs whose first row is `low`."""
    group = np.empty((MOST, SIDE, SIDE), np.float32)
    pilot = np.empty((MOST, SIDE, SIDE), np.float32)
    half = np.empty((SIDE, SIDE), np.float32)
    for spot in range(len(places)):
        count = counts[spot]
        for channel in range(noisy.shape[0]):
            _gather(noisy[channel], places[spot], count, group, half, dct)
            if wiener:
                _gather(guide[channel], places[spot], count, pilot, half, dct)
            mass = _shrink(group, pilot, count, sigma, wiener)
            for n in range(count):
                _inverse(group[n], half, dct)
                y, x = places[spot, n, 0] - low, places[spot, n, 1]
                for i in range(SIDE):
                    for j in range(SIDE):
                        w = mass * window[i, j]
                        total[channel, y + i, x + j] += w * group[n, i, j]
                        weight[channel, y + i, x + j] += w


@njit(cache=True, nogil=True, fastmath=True)
def _match(plane, spots, limit, places, counts):  # type: ignore[no-untyped-def]
    lasty, lastx = plane.shape[0] - SIDE, plane.shape[1] - SIDE
    distances = np.empty(MOST, np.float32)
    for spot in range(len(spots)):
        y, x = spots[spot, 0], spots[spot, 1]
        places[spot, 0, 0], places[spot, 0, 1] = y, x
        held = 1
        for v in range(max(y - REACH, 0), min(y + REACH, lasty) + 1):
            for u in range(max(x - REACH, 0), min(x + REACH, lastx) + 1):
                worst = distances[MOST - 1] if held == MOST else limit
                distance = np.float32(0)
                for i in range(SIDE):
                    for j in range(SIDE):
                        d = plane[y + i, x + j] - plane[v + i, u + j]
                        distance += d * d
                    if distance >= worst:
                        break
                if distance >= worst or (v == y and u == x):
                    continue
                at = held if held < MOST else MOST - 1
                held = min(held + 1, MOST)
                while at > 1 and distances[at - 1] > distance:
                    distances[at] = distances[at - 1]
                    places[spot, at, 0], places[spot, at, 1] = places[spot, at - 1, 0], places[spot, at - 1, 1]
                    at -= 1
                distances[at], places[spot, at, 0], places[spot, at, 1] = distance, v, u
        counts[spot] = 1
        while counts[spot] * 2 <= held:
            counts[spot] *= 2


@njit(cache=True, nogil=True, fastmath=True)
def _gather(plane, places, count, group, half, dct):  # type: ignore[no-untyped-def]
    """The blocks' two-dimensional cosine transforms, then Walsh–Hadamard across them."""
    for n in range(count):
        y, x = places[n, 0], places[n, 1]
        for i in range(SIDE):
            for k in range(SIDE):
                s = np.float32(0)
                for j in range(SIDE):
                    s += plane[y + i, x + j] * dct[k, j]
                half[i, k] = s
        for k in range(SIDE):
            for j in range(SIDE):
                s = np.float32(0)
                for i in range(SIDE):
                    s += dct[k, i] * half[i, j]
                group[n, k, j] = s
    _across(group, count)


@njit(cache=True, nogil=True, fastmath=True)
def _inverse(block, half, dct):  # type: ignore[no-untyped-def]
    for i in range(SIDE):
        for j in range(SIDE):
            s = np.float32(0)
            for k in range(SIDE):
                s += dct[k, i] * block[k, j]
            half[i, j] = s
    for i in range(SIDE):
        for j in range(SIDE):
            s = np.float32(0)
            for k in range(SIDE):
                s += half[i, k] * dct[k, j]
            block[i, j] = s


@njit(cache=True, nogil=True, fastmath=True)
def _across(group, count):  # type: ignore[no-untyped-def]
    """Orthonormal Walsh–Hadamard transform over the first axis, in place; it is its own inverse."""
    span = 1
    root = np.float32(np.sqrt(0.5))
    while span < count:
        for start in range(0, count, 2 * span):
            for n in range(start, start + span):
                for i in range(SIDE):
                    for j in range(SIDE):
                        a, b = group[n, i, j], group[n + span, i, j]
                        group[n, i, j], group[n + span, i, j] = (a + b) * root, (a - b) * root
        span *= 2


@njit(cache=True, nogil=True, fastmath=True)
def _shrink(group, pilot, count, sigma, wiener):  # type: ignore[no-untyped-def]
    """Hard thresholding, or the empirical Wiener filter with a pilot's spectrum; the group's weight in the sum."""
    kept = np.float32(0)
    if wiener:
        for n in range(count):
            for i in range(SIDE):
                for j in range(SIDE):
                    power = pilot[n, i, j] * pilot[n, i, j]
                    gain = power / (power + sigma * sigma)
                    group[n, i, j] *= gain
                    kept += gain * gain
    else:
        edge = np.float32(2.7) * sigma
        for n in range(count):
            for i in range(SIDE):
                for j in range(SIDE):
                    if abs(group[n, i, j]) < edge and (n + i + j) > 0:
                        group[n, i, j] = 0
                    else:
                        kept += 1
    _across(group, count)
    return np.float32(1) / max(kept, np.float32(1))
