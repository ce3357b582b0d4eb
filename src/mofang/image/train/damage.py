"""Pictures damaged as life does it, with the maps that say how: what the network that repairs learns from."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mofang.image.edit.bm3d import Floats
from mofang.image.edit.diffuse import diffused
from mofang.image.edit.unjpeg import coarseness, table_at

Picture = NDArray[np.uint8]
Hole = NDArray[np.bool_]

NOISIEST = 60 / 255
QUALITIES = (5, 70)
LETTERS = "Lorem ipsum dolor sit amet 0123456789 ABCDEFGHKMNPRSTWXYZ"


def damaged(clean: Picture, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """(H, W, 3) with holes filled by a first guess, and the maps (H, W, 3): one damage, or a hole in a noisy picture."""
    draw = rng.random()
    if draw < 0.45:
        return holed(clean, HOLES[int(rng.integers(len(HOLES)))](clean.shape[:2], rng))
    if draw < 0.55:
        noisy, maps = noised(clean, rng.uniform(0, NOISIEST), rng)
        hole = HOLES[int(rng.integers(len(HOLES)))](clean.shape[:2], rng)
        maps[..., 0] = hole
        return diffused(noisy, hole), maps
    if draw < 0.8:
        return noised(clean, rng.uniform(0, NOISIEST), rng)
    return squeezed(clean, int(rng.integers(*QUALITIES)))


def holed(clean: Picture, hole: Hole) -> tuple[Floats, Floats]:
    """With `hole` lost."""
    maps = np.zeros(clean.shape, np.float32)
    maps[..., 0] = hole
    return diffused((clean / np.float32(255)).astype(np.float32), hole), maps


def noised(clean: Picture, sigma: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """With white noise of deviation `sigma` (of 1), rounded and clipped as files are."""
    maps = np.zeros(clean.shape, np.float32)
    # What is measured of noise is never exact.
    maps[..., 1] = sigma * rng.uniform(0.9, 1.1)
    noisy = clean + rng.standard_normal(clean.shape, np.float32) * np.float32(255 * sigma)
    return (np.clip(noisy.round(), 0, 255) / 255).astype(np.float32), maps


def squeezed(clean: Picture, quality: int) -> tuple[Floats, Floats]:
    """Through JPEG at `quality`; its grid begins at the picture's corner."""
    import cv2

    maps = np.zeros(clean.shape, np.float32)
    maps[..., 2] = coarseness(table_at(quality))
    stored = cv2.imencode(".jpg", np.ascontiguousarray(clean[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    again = np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR))[..., ::-1]
    return (again / np.float32(255)).astype(np.float32), maps


# -- holes ---------------------------------------------------------------------------------------------------------------


def _pixels(shape: tuple[int, int], rng: np.random.Generator) -> Hole:
    found: Hole = rng.random(shape) < rng.uniform(0.2, 0.9)
    return found


def _lines(shape: tuple[int, int], rng: np.random.Generator) -> Hole:
    import cv2

    mask = np.zeros(shape, np.uint8)
    for _ in range(int(rng.integers(3, 10))):
        ends = rng.integers(-10, max(shape) + 10, (3, 2)).astype(np.int32)
        cv2.polylines(mask, [ends[: int(rng.integers(2, 4))]], False, 1, int(rng.integers(1, 8)))
    return mask > 0


def _words(shape: tuple[int, int], rng: np.random.Generator) -> Hole:
    import cv2

    mask = np.zeros(shape, np.uint8)
    size = rng.uniform(0.4, 1.6)
    for y in range(int(rng.integers(8, 20)), shape[0] + 20, int(rng.integers(28, 44))):
        text = "".join(rng.permutation(list(LETTERS))[:30])
        cv2.putText(mask, text, (int(rng.integers(-30, 10)), y), int(rng.integers(0, 5)), size, 1, int(rng.integers(1, 5)))
    return mask > 0


def _blobs(shape: tuple[int, int], rng: np.random.Generator) -> Hole:
    import cv2

    mask = np.zeros(shape, np.uint8)
    for _ in range(int(rng.integers(1, 4))):
        centre = tuple(map(int, rng.integers(0, shape[0], 2)))
        axes = tuple(map(int, rng.integers(4, 24, 2)))
        if rng.random() < 0.7:
            cv2.ellipse(mask, centre, axes, int(rng.integers(180)), 0, 360, 1, -1)
        else:
            cv2.rectangle(mask, centre, (centre[0] + 2 * axes[0], centre[1] + 2 * axes[1]), 1, -1)
    return mask > 0


HOLES: tuple[Callable[[tuple[int, int], np.random.Generator], Hole], ...] = (_pixels, _lines, _words, _blobs)
"""Lost pixels, scratches, words written over it, things taken out."""
