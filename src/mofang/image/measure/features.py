"""Features of small pictures to measure by: a convolutional network with random weights that never change.

Trained features (Inception's) need a download, know photographs of things and not a creator's drawings, and reward what
ImageNet rewards. Random convolutional features discriminate well where trained ones have nothing to say (Naeem et al. 2020,
"Reliable Fidelity and Diversity Metrics for Generative Models", section 4.1: R64 embeddings); fixed, they cannot be pleased.
Filters are random orthogonal, each layer's channels are standardised on the training pictures, and what is kept of every
layer are its means over a 4×4 grid, next to the colours themselves: what stands where, in which colours, how finely drawn.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]
Features = NDArray[np.float32]

WIDTHS = (24, 48, 96)
GRID = 4
SIDE = 64
"""Pixels a side at which pictures are looked at."""
BATCH = 32


@dataclass(frozen=True)
class Filters:
    """Weights (inputs × 9, outputs) of each layer, and the mean and deviation each channel is standardised by."""

    weights: tuple[NDArray[np.float32], ...]
    means: tuple[NDArray[np.float32], ...]
    deviations: tuple[NDArray[np.float32], ...]


def filters(pictures: Pictures, seed: int = 0) -> Filters:
    """The network, standardised on (up to 512 of) the training pictures (N, size, size, 3 or 4)."""
    rng = np.random.default_rng(seed)
    chosen = np.arange(min(512, len(pictures))) * len(pictures) // max(min(512, len(pictures)), 1)
    x = planes(pictures[chosen])
    weights, means, deviations = [], [], []
    for width in WIDTHS:
        inputs = 9 * x.shape[-1]
        random = rng.standard_normal((max(inputs, width), min(inputs, width)))
        orthogonal = np.linalg.qr(random)[0]
        matrix = (orthogonal if inputs >= width else orthogonal.T).astype(np.float32)
        weights.append(matrix)
        out = _convolved(x, matrix)
        means.append(out.mean((0, 1, 2)))
        deviations.append(out.std((0, 1, 2)) + 1e-4)
        x = np.maximum((out - means[-1]) / deviations[-1], 0)
    return Filters(tuple(weights), tuple(means), tuple(deviations))


def features(net: Filters, pictures: Pictures) -> Features:
    """(N, D) of pictures (N, size, size, 3 or 4), D = GRID² × (3 + 24 + 48 + 96); each part weighs alike."""
    parts = [_features(net, planes(pictures[start : start + BATCH])) for start in range(0, len(pictures), BATCH)]
    return np.concatenate(parts) if parts else np.zeros((0, GRID**2 * (3 + sum(WIDTHS))), np.float32)


def _features(net: Filters, x: NDArray[np.float32]) -> Features:
    kept = [_pooled(x[..., :3])]
    for matrix, mean, deviation in zip(net.weights, net.means, net.deviations, strict=True):
        x = np.maximum((_convolved(x, matrix) - mean) / deviation, 0)
        kept.append(_pooled(x))
    # Divided by the root of its size, every part has about the same norm.
    return np.concatenate([part / np.sqrt(part.shape[1] / 16) for part in kept], 1).astype(np.float32)


def planes(pictures: Pictures) -> NDArray[np.float32]:
    """(N, SIDE, SIDE, channels) in about -1..1: colours, times alpha if there is one, and alpha."""
    import cv2

    small = [picture if picture.shape[0] == SIDE else cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
             for picture in pictures]  # fmt: skip
    x = np.stack(small).astype(np.float32) / np.float32(255)
    if x.shape[-1] == 4:
        x[..., :3] *= x[..., 3:]
    return np.asarray(x * 2 - 1, np.float32)


def _convolved(x: NDArray[np.float32], matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """3×3, stride 2, edges continued. (N, H, W, C) → (N, H/2, W/2, outputs)."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))[:, ::2, ::2]
    count, rows, columns = windows.shape[:3]
    out: NDArray[np.float32] = windows.reshape(count * rows * columns, -1) @ matrix
    return out.reshape(count, rows, columns, -1)


def _pooled(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means over a GRID × GRID of cells, (N, GRID² × channels)."""
    count, side, _, channels = x.shape
    cell = side // GRID
    pooled: NDArray[np.float32] = x.reshape(count, GRID, cell, GRID, cell, channels).mean((2, 4)).reshape(count, -1)
    return pooled
