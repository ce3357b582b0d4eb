"""Filling holes: large ones with patches of the rest of the picture, thin ones with the picture noise hides, those between
by both."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.image.edit.bm3d import Floats
from mofang.image.edit.exemplar import exemplar
from mofang.image.edit.fusion import fused
from mofang.image.edit.smooth import continued

Mask = NDArray[np.bool_]

THIN = 5
"""Holes no pixel of which is farther than this from the known picture are thin."""
DEEP = 32
"""In holes with pixels farther than this from the known picture nothing can be foretold, and all must look right."""


def inpaint(image: Floats, hole: Mask, seed: int = 0, method: str = "auto", graph: Path | None = None) -> Floats:
    """(rows, columns, 3) in 0..1 with `hole` (rows, columns) filled.

    `exemplar` copies patches from the rest; `smooth` continues what is there; `auto` decides by each hole's thickness.
    `graph` is a network that repairs (`edit.repair`), which then continues what is there in the place of BM3D.
    Raises `UserError` if nothing of the picture is left to learn from.
    """
    if not hole.any():
        return image.copy()
    thick = thick_part(hole) if method == "auto" else hole & (method == "exemplar")
    deep = thick & _deep(thick) if method == "auto" else thick
    out = exemplar(image, deep, hole, seed) if deep.any() else image
    middling, rest = thick & ~deep, hole & ~deep
    if middling.any():
        return _around(out, middling, rest, seed, graph)
    return continued(out, rest, graph) if rest.any() else out


def thick_part(hole: Mask) -> Mask:
    """The pixels of a hole that are filled with patches: what an opening with a disk leaves, and a little around it.

    A net of scratches is thin at its crossings too.
    """
    import cv2

    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * THIN + 1,) * 2)
    opened = cv2.erode(np.pad(hole, THIN).astype(np.uint8), disk)[THIN:-THIN, THIN:-THIN]
    found: Mask = hole & (cv2.dilate(opened, np.ones((4 * THIN + 1,) * 2)) > 0)
    return found


def _deep(thick: Mask) -> Mask:
    """The holes, whole, that have pixels deeper than `DEEP`."""
    import cv2

    # Beyond the picture's edge nothing is known either.
    inside = cv2.distanceTransform(np.pad(thick, 1, mode="edge").astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1] > DEEP
    labels = cv2.connectedComponents(thick.astype(np.uint8))[1]
    found: Mask = np.isin(labels, np.unique(labels[inside])) & thick
    return found


def _around(image: Floats, middling: Mask, rest: Mask, seed: int, graph: Path | None) -> Floats:
    """`fused` in the holes' surroundings, wide enough for trial holes beside them."""
    rows, columns = np.flatnonzero(rest.any(1)), np.flatnonzero(rest.any(0))
    margin = 8 * DEEP
    window = np.s_[max(rows[0] - margin, 0) : rows[-1] + margin + 1, max(columns[0] - margin, 0) : columns[-1] + margin + 1]
    out = image.copy()
    out[window] = fused(np.ascontiguousarray(image[window]), middling[window], rest[window], seed, graph)
    return out
