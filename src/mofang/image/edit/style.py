"""Style from another picture: its colours by optimal transport, or its brushwork as well.

Colours: the Monge–Kantorovich linear map between the two clouds of colour (Pitié & Kokaram 2007), refined by sliced
optimal transport (Rabin et al. 2011; Bonneel et al. 2015), with the picture's own detail kept (regrain, Pitié et al. 2007).
Full: patches of every scale are moved onto the style's along random directions (sliced Wasserstein texture; Heitz et al.
2021 use network features, here the patches themselves), coarse to fine, bound to the picture's structure.
"""

import numpy as np
from numpy.typing import NDArray

from mofang.image.edit.bm3d import Floats

SLICES = 24
SAMPLES = 60_000
LARGEST = 1024
"""The longer side at which full style works; a larger picture gets the change enlarged onto it."""


def colours(image: Floats, style: Floats, strength: float = 1.0, seed: int = 0) -> Floats:
    """(rows, columns, 3) in the style's colours, `strength` 0..1 of the way."""
    mapped = _regrained(image, transported(image, style, image.reshape(-1, 3), seed).reshape(image.shape).astype(np.float32))
    found: Floats = np.clip(image + (mapped - image) * np.float32(strength), 0, 1)
    return found


def transported(image: Floats, style: Floats, points: Floats, seed: int = 0) -> NDArray[np.float64]:
    """Where the map that takes the colours of `image` to those of `style` takes colours `points` (n, 3).

    For a film the map is found on one frame of a shot and applied to all: colours then cannot flicker.
    """
    rng = np.random.default_rng(seed)
    source, target = image.reshape(-1, 3), style.reshape(-1, 3)
    some = source[rng.integers(0, len(source), SAMPLES)].astype(np.float64)
    theirs = target[rng.integers(0, len(target), SAMPLES)].astype(np.float64)
    matrix, mean, goal = _linear(some, theirs)
    moved: NDArray[np.float64] = (points - mean) @ matrix.T + goal
    cloud = (some - mean) @ matrix.T + goal
    for _ in range(SLICES // 3):
        turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
        step, change = np.zeros_like(moved), np.zeros_like(cloud)
        for axis in turn.T:
            mine, goals = np.sort(cloud @ axis), np.sort(theirs @ axis)
            knots = np.linspace(0, len(mine) - 1, 256).astype(int)
            have, want = mine[knots], goals[knots]
            have = have + np.arange(256) * 1e-9
            step += (np.interp(moved @ axis, have, want) - moved @ axis)[:, None] * axis
            change += (np.interp(cloud @ axis, have, want) - cloud @ axis)[:, None] * axis
        moved, cloud = moved + 0.5 * step, cloud + 0.5 * change
    return moved


def _reduced(image: Floats, scale: float) -> Floats:
    """The picture with its sides times `scale`, if that is below 1, and a pixel at least."""
    import cv2

    if scale >= 1:
        return image
    rows, columns = (max(1, round(side * scale)) for side in image.shape[:2])
    exact = min(image.shape[:2]) * scale >= 1  # The library takes no scale that leaves nothing of a side.
    found: Floats = cv2.resize(image, None if exact else (columns, rows), fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return found


def _linear(source: NDArray[np.float64], target: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """The symmetric matrix that turns one covariance into the other at least cost, and the two means."""
    a = np.cov(source.T) + 1e-5 * np.eye(3)
    b = np.cov(target.T) + 1e-5 * np.eye(3)
    root, inverse = _root(a), np.linalg.inv(_root(a))
    return inverse @ _root(root @ b @ root) @ inverse, source.mean(0), target.mean(0)


def _root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    found: NDArray[np.float64] = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    return found


def _regrained(image: Floats, mapped: Floats) -> Floats:
    """The colour change made smooth where the picture is smooth, so that no noise or band is blown up: a guided filter."""
    from mofang.image.edit.guided import guided

    radius = max(2, round(min(image.shape[:2]) / 160))
    change = guided(image.mean(2), mapped - image, radius, 1e-4)
    detail = mapped - image - change
    return image + change + 0.35 * detail


def full(image: Floats, style: Floats, strength: float = 1.0, seed: int = 0) -> Floats:
    """(rows, columns, 3) painted as the style is: its colours, strokes and textures; `strength` 0..1."""
    import cv2

    rows, columns = image.shape[:2]
    scale = min(1.0, LARGEST / max(rows, columns))
    size = (max(round(columns * scale), 1), max(round(rows * scale), 1))
    content = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image
    manner = _reduced(style, LARGEST / max(style.shape[:2]))
    coloured = colours(content, manner, 1.0, seed)
    if min(*content.shape[:2], *manner.shape[:2]) >= 32:
        painted = _painted(coloured, manner, seed)
    else:
        painted = coloured
    change = (painted - content) * np.float32(strength)
    if scale < 1:
        change = cv2.resize(change, (columns, rows), interpolation=cv2.INTER_CUBIC)
    found: Floats = np.clip(image + change, 0, 1)
    return found


def _painted(content: Floats, style: Floats, seed: int) -> Floats:
    """Coarse to fine: at each scale the nearest patches of the style, voted together, then their distribution enforced."""
    import cv2

    from mofang.image.edit.patchmatch import inner, search, seed_field, vote

    side = min(content.shape[:2])
    scales = [scale for scale in (0.25, 0.5, 1.0) if side * scale >= 32]
    current: Floats | None = None
    radius = 3
    for number, scale in enumerate(scales):
        base = _reduced(content, scale)
        manner = _reduced(style, scale)
        if min(manner.shape[:2]) < 4 * radius:
            continue
        grown = base if current is None else cv2.resize(current, (base.shape[1], base.shape[0]), interpolation=cv2.INTER_CUBIC)
        # Structure is the picture's, its surface the style's: half of each is what patches are sought for.
        target = np.ascontiguousarray(0.5 * base + 0.5 * grown, np.float32)
        source = np.ascontiguousarray(manner, np.float32)
        rows, columns = target.shape[:2]
        everywhere = np.ones((rows, columns), np.bool_)
        allowed = inner(np.ones(source.shape[:2], np.bool_), radius)
        places = np.argwhere(everywhere).astype(np.int32)
        sources = np.argwhere(allowed).astype(np.int32)
        weight = np.ones((rows, columns), np.float32)
        field = np.full((rows, columns, 2), -1, np.int32)
        costs = np.zeros((rows, columns), np.float32)
        for turn in range(2):
            seed_field(field, costs, places, sources, target, source, weight, radius, seed + number)
            search(field, costs, places, everywhere, allowed, target, source, weight, radius, 4, seed * 977 + 10 * number + turn)
            spread = np.float32(max(float(np.sqrt(np.quantile(costs, 0.5))), 1e-3))
            voted = target.copy()
            vote(voted, source, field, costs, places, everywhere, radius, spread, False)
            # Lines of the picture come back where the patches lost them.
            target = np.ascontiguousarray(voted + 0.25 * (base - cv2.GaussianBlur(base, (0, 0), 3)), np.float32)
        current = np.clip(target, 0, 1)
    return content if current is None else current
