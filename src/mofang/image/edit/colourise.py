"""Colours for a grey picture: from strokes painted on it, or from another picture of the like.

A colour spreads from pixel to pixel where their lightness is alike (Levin, Lischinski & Weiss 2004, "Colorization Using
Optimization"); their weights are made symmetric, so that conjugate gradients solve it. From a reference, colours are
first laid on scattered pixels whose surroundings look alike in both (Welsh, Ashikhmin & Mueller 2002), the surer the more
their neighbours agree. Nothing here knows what things are: colours come from the hints alone.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mofang.image.edit.bm3d import Floats
from mofang.studio.errors import UserError

WORKING = 720
"""The longer side at which colours are solved; the eye sees lightness sharper than colour."""
SWATCHES, NEIGHBOURS = 6000, 9
"""Pixels looked at in the reference, and how many of them vote on one pixel."""
VIVID = 0.06
"""How far a stroke's colour is from grey at least (of 1)."""


def from_strokes(image: Floats, strokes: Floats) -> Floats:
    """(rows, columns, 3) coloured; `strokes` is the same picture with colours painted on it.

    Grey or white painted over nothing does not count: only what differs from the picture is a hint. Raises `UserError` if
    the sizes differ or nothing is painted.
    """
    if strokes.shape != image.shape:
        raise UserError("paint the strokes on the picture itself: the two have different sizes")
    changed = np.abs(strokes - image).max(2) > 0.04
    hints = _chroma(strokes)
    # Lossy formats spread a stroke's colour over their blocks: only its core is believed.
    if not changed.any():
        raise UserError("nothing is painted on the strokes' picture; paint on a copy of the picture, in the colours wanted")
    return _spread(image, hints, changed.astype(np.float32))


def from_reference(image: Floats, reference: Floats, seed: int = 0) -> Floats:
    """(rows, columns, 3) in the colours that alike places of `reference` have. Raises `UserError` for a grey reference."""
    colour = _small(reference)
    chroma = _chroma(colour)
    if float(np.quantile(np.hypot(chroma[..., 0], chroma[..., 1]), 0.95)) < VIVID / 2:
        raise UserError("the reference has no colours to take; give a colour picture of the like")
    small = _small(image)
    mine, theirs = _grey(small), _grey(colour)
    # Both lightnesses on one scale, or a dark print would find only shadows.
    mine = np.clip((mine - mine.mean()) * theirs.std() / max(mine.std(), 1e-3) + theirs.mean(), 0, 1).astype(np.float32)
    rng = np.random.default_rng(seed)
    places = _scattered(mine.shape, 5, rng)
    swatches = _scattered(theirs.shape, max(int(np.sqrt(theirs.size / SWATCHES)), 1), rng)
    a, b = _described(mine)[places[:, 0], places[:, 1]], _described(theirs)[swatches[:, 0], swatches[:, 1]]
    colours = chroma[swatches[:, 0], swatches[:, 1]]
    hints, sure = np.zeros((*mine.shape, 2), np.float32), np.zeros(mine.shape, np.float32)
    for start in range(0, len(places), 2048):
        part = places[start : start + 2048]
        far = (a[start : start + 2048] ** 2).sum(1)[:, None] + (b**2).sum(1) - 2 * a[start : start + 2048] @ b.T
        near = np.argpartition(far, min(NEIGHBOURS, far.shape[1] - 1), axis=1)[:, :NEIGHBOURS]
        votes = colours[near]
        middle = np.median(votes, axis=1)
        apart = np.hypot(*np.moveaxis(votes - middle[:, None], 2, 0)).mean(1)
        hints[part[:, 0], part[:, 1]] = middle
        sure[part[:, 0], part[:, 1]] = np.exp(-((apart / 0.05) ** 2)) * 0.2 + 1e-3
    return _spread(image, hints, sure)


def _small(image: Floats) -> Floats:
    import cv2

    scale = min(1.0, WORKING / max(image.shape[:2]))
    size = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image


def _grey(image: Floats) -> Floats:
    found: Floats = image @ np.array([0.299, 0.587, 0.114], np.float32)
    return found


def _chroma(image: Floats) -> Floats:
    """(rows, columns, 2): blue and red less lightness (BT.601, without its scale)."""
    grey = _grey(image)
    found: Floats = np.stack([image[..., 2] - grey, image[..., 0] - grey], 2)
    return found


def _scattered(shape: tuple[int, ...], step: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(n, 2) one pixel of every square of `step` pixels."""
    down, across = np.mgrid[0 : shape[0] : step, 0 : shape[1] : step].reshape(2, -1)
    shift = rng.integers(0, step, (2, len(down)))
    return np.stack([np.minimum(down + shift[0], shape[0] - 1), np.minimum(across + shift[1], shape[1] - 1)], 1)


def _described(grey: Floats) -> Floats:
    """What a pixel's surroundings look like: lightness and its spread at three sizes, and how high the pixel stands."""
    import cv2

    features = [grey]
    for sigma in (1.5, 4.0, 10.0):
        mean = cv2.GaussianBlur(grey, (0, 0), sigma)
        spread = np.sqrt(np.maximum(cv2.GaussianBlur(grey * grey, (0, 0), sigma) - mean * mean, 0))
        features += [0.7 * mean, 1.5 * spread]
    height = np.linspace(0, 0.35, grey.shape[0], dtype=np.float32)  # The sky is above, here and there.
    features.append(np.broadcast_to(height[:, None], grey.shape))
    found: Floats = np.stack(features, 2).astype(np.float32)
    return found


def _spread(image: Floats, hints: Floats, sure: Floats) -> Floats:
    """The hints' colours spread over the picture, coarse to fine, and laid on its full lightness."""
    import cv2

    from mofang.image.edit.guided import guided

    grey = _grey(image)
    scale = min(1.0, WORKING / max(grey.shape))
    size = (max(round(grey.shape[1] * scale), 1), max(round(grey.shape[0] * scale), 1))
    levels = [(_resized(grey, size), *_reduced(hints, sure, size))]
    while min(levels[-1][0].shape) > 24:
        last, chroma, mass = levels[-1]
        half = ((last.shape[1] + 1) // 2, (last.shape[0] + 1) // 2)
        levels.append((_resized(last, half), *_reduced(chroma, mass, half)))
    coarse, chroma, mass = levels[-1]
    mean = (chroma * mass[..., None]).sum((0, 1)) / max(float(mass.sum()), 1e-6)
    current = np.broadcast_to(mean, chroma.shape).astype(np.float32).copy()
    for lightness, chroma, mass in reversed(levels):
        current = cv2.resize(current, (lightness.shape[1], lightness.shape[0]), interpolation=cv2.INTER_LINEAR)
        across, down = _likeness(lightness)
        rounds = 400 if lightness is coarse else 120
        _solve(np.ascontiguousarray(current), np.ascontiguousarray(chroma), mass, across, down, rounds)
        current = np.ascontiguousarray(current)
    full = cv2.resize(current, (grey.shape[1], grey.shape[0]), interpolation=cv2.INTER_LINEAR)
    if scale < 1:
        full = guided(grey, full, max(2, round(1 / scale)), 1e-4)
    out = np.empty(image.shape, np.float32)
    out[..., 0], out[..., 2] = grey + full[..., 1], grey + full[..., 0]
    out[..., 1] = (grey - 0.299 * out[..., 0] - 0.114 * out[..., 2]) / 0.587
    return np.clip(out, 0, 1)


def _resized(values: Floats, size: tuple[int, int]) -> Floats:
    import cv2

    if (values.shape[1], values.shape[0]) == size:
        return values
    found: Floats = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    return found


def _reduced(hints: Floats, sure: Floats, size: tuple[int, int]) -> tuple[Floats, Floats]:
    """Hints at a smaller size: their mean where any are, as sure as the surest."""
    mass = _resized(sure, size)
    mean = _resized(np.ascontiguousarray(hints * sure[..., None]), size) / np.maximum(mass, 1e-9)[..., None]
    area = sure.size / mass.size
    return mean.astype(np.float32), np.minimum(mass * area, sure.max(initial=0)).astype(np.float32)


def _likeness(lightness: Floats) -> tuple[Floats, Floats]:
    """Weights between each pixel and the next across and below: one where their lightness is the same."""
    spread = 0.02
    across = np.exp(-((np.diff(lightness, axis=1, append=lightness[:, -1:]) / spread) ** 2) / 2) + 1e-4
    down = np.exp(-((np.diff(lightness, axis=0, append=lightness[-1:]) / spread) ** 2) / 2) + 1e-4
    across[:, -1], down[-1] = 0, 0
    return across.astype(np.float32), down.astype(np.float32)


@njit(cache=True, nogil=True)
def _apply(x, mass, across, down, out):  # type: ignore[no-untyped-def]
    """out = (M + L) x, with L the Laplacian of the weights."""
    rows, columns = x.shape
    for i in range(rows):
        for j in range(columns):
            value = mass[i, j] * x[i, j]
            if j + 1 < columns:
                value += across[i, j] * (x[i, j] - x[i, j + 1])
            if j:
                value += across[i, j - 1] * (x[i, j] - x[i, j - 1])
            if i + 1 < rows:
                value += down[i, j] * (x[i, j] - x[i + 1, j])
            if i:
                value += down[i - 1, j] * (x[i, j] - x[i - 1, j])
            out[i, j] = value


@njit(cache=True, nogil=True)
def _solve(current, hints, mass, across, down, rounds):  # type: ignore[no-untyped-def]
    """Conjugate gradients with the diagonal as preconditioner, each channel of `current` in place."""
    rows, columns = mass.shape
    diagonal = np.empty((rows, columns), np.float64)
    for i in range(rows):
        for j in range(columns):
            value = np.float64(mass[i, j]) + across[i, j] + down[i, j]
            if j:
                value += across[i, j - 1]
            if i:
                value += down[i - 1, j]
            diagonal[i, j] = max(value, 1e-12)
    for channel in range(current.shape[2]):
        x = current[:, :, channel].astype(np.float64)
        product = np.empty_like(x)
        _apply(x, mass, across, down, product)
        residual = mass * hints[:, :, channel] - product
        z = residual / diagonal
        direction = z.copy()
        energy = (residual * z).sum()
        first = energy
        for _ in range(rounds):
            if energy <= 1e-10 * first or energy < 1e-14:
                break
            _apply(direction, mass, across, down, product)
            step = energy / (direction * product).sum()
            x += step * direction
            residual -= step * product
            z = residual / diagonal
            before, energy = energy, (residual * z).sum()
            direction = z + (energy / before) * direction
        current[:, :, channel] = x
