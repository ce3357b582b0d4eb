"""Filling holes of middling size: what the rim foretells, corrected by patches as far as they prove right nearby.

A fill of patches looks like the picture and is mostly wrong in its large forms; a smooth one errs less and looks like nothing.
How far to go from the second towards the first is told by the picture itself: holes of the same shapes are cut where it is
known, filled both ways, and the step of least squared error is measured. Of fine texture, which no measure of error wants
and every eye does, more is taken from the patches than that.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.image.edit.bm3d import Floats
from mofang.image.edit.exemplar import exemplar
from mofang.image.edit.smooth import continued
from mofang.studio.errors import UserError

Mask = NDArray[np.bool_]

USUAL, PROOF = 0.4, 0.8
"""The step towards the patches that is taken without proof, and how much of it the proof of trial holes replaces."""
FINE, FADING = 2.0, 20.0
"""The deviation of the blur that parts fine texture from forms, and the depth in a hole at which patches give two thirds of it,
the rim foretelling little; both in pixels."""
CLEAR = 7
"""Pixels between a hole and a trial hole."""
PARTS, COPIES = 8, 2
"""Holes that are tried, and trial holes for each."""


def fused(image: Floats, hole: Mask, forbidden: Mask, seed: int, graph: Path | None = None) -> Floats:
    """(rows, columns, 3) with all that is `forbidden` filled: `hole`, a part of it, both ways, the rest by what is around it.
    Raises `UserError` if nothing of the picture is left to learn from."""
    import cv2

    likely = continued(image, forbidden, graph)
    step = exemplar(image, hole, forbidden, seed) - likely
    step *= hole[..., None]
    share = _proven(image, hole, forbidden, seed, graph)
    depth = cv2.distanceTransform(np.pad(forbidden, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1, None]
    grain = (1 - np.exp(-depth / FADING)) * (1 - share)
    out = likely + hole[..., None] * (share * step + grain * (step - cv2.GaussianBlur(step, (0, 0), FINE)))
    found: Floats = np.clip(out, 0, 1).astype(np.float32)
    return found


def _proven(image: Floats, hole: Mask, forbidden: Mask, seed: int, graph: Path | None) -> float:
    """How far to go from a smooth fill towards patches, 0 to 1: least squares over trial holes, drawn towards the usual."""
    trial = trials(hole, forbidden)
    if not trial.any():
        return USUAL
    cut, gone = image.copy(), forbidden | trial
    cut[trial] = 0
    likely = continued(cut, gone, graph)
    try:
        step = (exemplar(cut, trial, gone, seed) - likely)[trial]
    except UserError:  # With the trial holes too little is left to learn from; without them it may be enough.
        return USUAL
    length = float((step**2).sum())
    if length < 1e-9:
        return USUAL
    best = float((step * (image - likely)[trial]).sum()) / length
    return float(np.clip(PROOF * best + (1 - PROOF) * USUAL, 0, 1))


def trials(hole: Mask, forbidden: Mask) -> Mask:
    """Copies of the largest parts of a hole where the picture is known, as near as there is room, apart from all forbidden."""
    import cv2

    apart = np.ones((2 * CLEAR + 1,) * 2, np.uint8)
    count, labels, about, _ = cv2.connectedComponentsWithStats(hole.astype(np.uint8))
    found = np.zeros_like(hole)
    taken = cv2.dilate(forbidden.astype(np.uint8), apart) > 0
    for label in sorted(range(1, count), key=lambda each: -int(about[each, cv2.CC_STAT_AREA]))[:PARTS]:
        y, x = np.nonzero(labels == label)
        made = 0
        for down, right in _shifts((y.min(), y.max(), hole.shape[0]), (x.min(), x.max(), hole.shape[1])):
            if made == COPIES:
                break
            if not taken[y + down, x + right].any():
                copy = np.zeros_like(hole)
                copy[y + down, x + right] = True
                found |= copy
                taken |= cv2.dilate(copy.astype(np.uint8), apart) > 0
                made += 1
    return found


def _shifts(rows: tuple[int, int, int], columns: tuple[int, int, int]) -> list[tuple[int, int]]:
    """Moves of what spans (first, last) of so many rows and columns that keep it in the picture, the shortest first."""
    ways = []
    for first, last, many in (rows, columns):
        size = int(last - first) + 1
        ways.append([way for way in range(-3 * size, 3 * size + 1, max(size // 4, 3)) if first + way >= 0 and last + way < many])
    return sorted(((down, right) for down in ways[0] for right in ways[1]), key=lambda way: way[0] ** 2 + way[1] ** 2)
