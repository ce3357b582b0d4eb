"""Weights laid out for the kernels: sixteen output channels side by side, as float32 or as bytes with scales.

A byte weight is `round(w / s) + 128` with one scale s = max|w| / 127 for every 64 inputs of an output channel, which is
what llama.cpp's Q8_0 does with 32. Activations are quantised the same way as they come, so a product is one of integers.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.text.infer.vectors import BLOCK, LANES

Floats = NDArray[np.float32]

TILE = 4 * LANES
"""Output channels are padded to this, the widest tile."""


class Pack:
    """Collects matrices and vectors into two flat arrays; what it returns are the places the kernels read.

    A matrix's place is (of its codes or floats, of its scales, padded outputs, padded inputs).
    """

    def __init__(self, quantised: bool) -> None:
        self._quantised = quantised
        self._codes: list[NDArray[np.uint8]] = []
        self._floats: list[Floats] = []
        self._bytes = self._size = 0

    def vector(self, values: Floats) -> int:
        """Keep a vector; returns its place."""
        at, padded = self._size, -(-values.size // LANES) * LANES
        self._floats.append(np.pad(values.astype(np.float32).ravel(), (0, padded - values.size)))
        self._size += padded
        return at

    def matrix(self, weights: Floats) -> tuple[int, int, int, int]:
        """Keep a matrix (outputs, inputs); returns its place."""
        outputs, inputs = weights.shape
        n = -(-outputs // TILE) * TILE
        k = -(-inputs // BLOCK) * BLOCK if self._quantised else inputs
        wide = np.zeros((n, k), np.float32)
        wide[:outputs, :inputs] = weights
        if not self._quantised:
            return self.vector(wide.reshape(n // LANES, LANES, k).transpose(0, 2, 1)), 0, n, k
        blocks = wide.reshape(n, k // BLOCK, BLOCK)
        scales = np.abs(blocks).max(2) / np.float32(127)
        codes = np.rint(blocks / np.where(scales > 0, scales, 1)[..., None]) + 128
        lanes = codes.astype(np.uint8).reshape(n // LANES, LANES, k // 4, 4).transpose(0, 2, 1, 3)
        at = self._bytes
        self._codes.append(lanes.reshape(-1))
        self._bytes += lanes.size
        return at, self.vector(scales.reshape(n // LANES, LANES, k // BLOCK).transpose(0, 2, 1)), n, k

    def codes(self) -> NDArray[np.uint8]:
        """All byte weights, on a cache line's border; empty for float weights."""
        return _gather(self._codes, self._bytes, np.uint8)

    def floats(self) -> Floats:
        """All float weights, scales and vectors."""
        return _gather(self._floats, self._size, np.float32)


def _gather(parts: list[Any], size: int, kind: type) -> NDArray[Any]:
    # Loads that cross cache lines cost double, and numpy promises sixteen bytes only.
    item = np.dtype(kind).itemsize
    room: NDArray[Any] = np.empty(size + 64 // item, kind)
    start = (-room.ctypes.data % 64) // item
    whole = room[start : start + size]
    at = 0
    for part in parts:
        whole[at : at + part.size] = part
        at += part.size
    parts.clear()
    return whole
