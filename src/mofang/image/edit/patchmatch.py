"""Nearest patches by propagation and random search (PatchMatch; Barnes, Shechtman, Finkelstein & Goldman 2009).

A field holds for every target position the source position whose patch looks most like its own. Everything random is a
hash of the seed and the place, so the same seed gives the same field on any machine.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Field = NDArray[np.int32]
"""(rows, columns, 2): for every target patch centre the row and column of its source patch centre."""


@njit(cache=True, nogil=True)
def _hash(a, b, c, d):  # type: ignore[no-untyped-def]
    """A 63-bit mix of four numbers (the finaliser of SplitMix64; Steele, Lea & Flood 2014)."""
    z = (
        np.uint64(a) * np.uint64(0x9E3779B97F4A7C15)
        + np.uint64(b) * np.uint64(0xBF58476D1CE4E5B9)
        + np.uint64(c) * np.uint64(0x94D049BB133111EB)
        + np.uint64(d)
    )
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.int64((z ^ (z >> np.uint64(31))) >> np.uint64(1))


@njit(cache=True, nogil=True, fastmath=True)
def distance(target, source, weight, ty, tx, sy, sx, radius, best):  # type: ignore[no-untyped-def]
    """Mean squared difference of two patches over the pixels with weight; stops early past `best`.

    `target` and `source` are (rows, columns, channels); `weight` (rows, columns) says how much each target pixel counts.
    Patches are cut at the target's edges.
    """
    rows, columns, channels = target.shape
    total, mass = np.float32(0), np.float32(1e-6)
    # The mass is summed first, so that the early stop compares like with like.
    top, bottom = max(-radius, -ty), min(radius, rows - 1 - ty)
    left, right = max(-radius, -tx), min(radius, columns - 1 - tx)
    for i in range(top, bottom + 1):
        for j in range(left, right + 1):
            mass += weight[ty + i, tx + j]
    bound = best * mass
    for i in range(top, bottom + 1):
        for j in range(left, right + 1):
            w = weight[ty + i, tx + j]
            if w > 0:
                for c in range(channels):
                    d = target[ty + i, tx + j, c] - source[sy + i, sx + j, c]
                    total += w * d * d
        if total >= bound:
            return np.float32(3.4e38)
    return total / mass


@njit(cache=True, nogil=True)
def seed_field(field, costs, places, sources, target, source, weight, radius, seed):  # type: ignore[no-untyped-def]
    """Give every place without a source (row −1) a random one, and measure all."""
    for n in range(len(places)):
        y, x = places[n, 0], places[n, 1]
        if field[y, x, 0] < 0:
            pick = sources[_hash(seed, y, x, 0) % len(sources)]
            field[y, x, 0], field[y, x, 1] = pick[0], pick[1]
        costs[y, x] = distance(target, source, weight, y, x, field[y, x, 0], field[y, x, 1], radius, np.float32(3e38))


@njit(cache=True, nogil=True)
def search(field, costs, places, wanted, allowed, target, source, weight, radius, rounds, seed):  # type: ignore[no-untyped-def]
    """Improve a field in place by `rounds` alternating scans.

    `places` (n, 2) are the target positions in reading order and `wanted` marks them; `allowed` marks source positions
    whose whole patch may be used. `costs` (rows, columns) holds each position's distance.
    """
    rows, columns = allowed.shape
    longest = max(rows, columns)
    for turn in range(rounds):
        back = turn % 2 == 1
        way = -1 if back else 1
        for k in range(len(places)):
            n = len(places) - 1 - k if back else k
            y, x = places[n, 0], places[n, 1]
            best, by, bx = costs[y, x], field[y, x, 0], field[y, x, 1]
            for axis in range(2):
                v, u = (y - way, x) if axis == 0 else (y, x - way)
                if v < 0 or u < 0 or v >= wanted.shape[0] or u >= wanted.shape[1] or not wanted[v, u]:
                    continue
                sy, sx = field[v, u, 0] + (y - v), field[v, u, 1] + (x - u)
                if sy < 0 or sx < 0 or sy >= rows or sx >= columns or not allowed[sy, sx] or (sy == by and sx == bx):
                    continue
                cost = distance(target, source, weight, y, x, sy, sx, radius, best)
                if cost < best:
                    best, by, bx = cost, sy, sx
            reach, tries = longest, 0
            while reach >= 1:
                tries += 1
                draw = _hash(seed + turn, y, x, tries)
                sy = by + (draw & 0xFFFFF) % (2 * reach + 1) - reach
                sx = bx + (draw >> 24) % (2 * reach + 1) - reach
                reach //= 2
                if sy < 0 or sx < 0 or sy >= rows or sx >= columns or not allowed[sy, sx]:
                    continue
                cost = distance(target, source, weight, y, x, sy, sx, radius, best)
                if cost < best:
                    best, by, bx = cost, sy, sx
            costs[y, x], field[y, x, 0], field[y, x, 1] = best, by, bx


@njit(cache=True, nogil=True, fastmath=True)
def vote(target, source, field, costs, places, wanted, radius, spread, sharp):  # type: ignore[no-untyped-def]
    """Rewrite the target at `places` from the patches that cover each: their mean weighted by likeness, or the likest.

    `spread` is the distance at which a patch's weight has fallen to e^−1/2 squared; `sharp` takes the single likest patch
    (Newson et al. 2017, 2.4), which is free of the blur of averages.
    """
    rows, columns, channels = target.shape
    out = np.empty((len(places), channels), np.float32)
    for n in range(len(places)):
        y, x = places[n, 0], places[n, 1]
        mass, nearest = np.float32(0), np.float32(3.4e38)
        for c in range(channels):
            out[n, c] = 0
        for i in range(max(-radius, -y), min(radius, rows - 1 - y) + 1):
            for j in range(max(-radius, -x), min(radius, columns - 1 - x) + 1):
                if not wanted[y + i, x + j]:
                    continue
                sy, sx, cost = field[y + i, x + j, 0] - i, field[y + i, x + j, 1] - j, costs[y + i, x + j]
                if sharp:
                    if cost < nearest:
                        nearest, mass = cost, np.float32(1)
                        for c in range(channels):
                            out[n, c] = source[sy, sx, c]
                    continue
                w = np.float32(np.exp(-cost / (2 * spread * spread))) + np.float32(1e-12)
                mass += w
                for c in range(channels):
                    out[n, c] += w * source[sy, sx, c]
        for c in range(channels):
            out[n, c] /= max(mass, np.float32(1e-20))
    for n in range(len(places)):
        for c in range(channels):
            target[places[n, 0], places[n, 1], c] = out[n, c]


def inner(known: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Where a whole patch of that radius is known: what may serve as a source."""
    import cv2

    padded = np.pad(known.astype(np.uint8), 1)
    grown: NDArray[np.bool_] = cv2.erode(padded, np.ones((2 * radius + 1,) * 2), borderValue=0)[1:-1, 1:-1] > 0
    # cv2 erodes with a border of its own; the frame of the picture is no whole patch.
    grown[:radius], grown[-radius:], grown[:, :radius], grown[:, -radius:] = False, False, False, False
    return grown


def around(hole: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Where a patch of that radius touches the hole."""
    import cv2

    touched: NDArray[np.bool_] = cv2.dilate(hole.astype(np.uint8), np.ones((2 * radius + 1,) * 2)) > 0
    return touched
