"""A style over moving pictures: colours that do not flicker, strokes that stay on what they were painted on."""

from collections.abc import Iterable, Iterator

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mofang.image.edit import style as styles
from mofang.image.edit.bm3d import Floats

LATTICE = 17
"""Points a side of the table of colours."""
CUT = 0.35
"""How different the colours of two frames are at a cut: half the sum of differences of their histograms."""
KEPT = 0.75
"""How much of the painted frame before is kept where it can be followed."""


def styled(
    frames: Iterable[NDArray[np.uint8]], style: Floats, full: bool, strength: float, seed: int = 0
) -> Iterator[NDArray[np.uint8]]:
    """Each frame (rows, columns, 3) in the style. Cuts are noticed, and each shot gets a map of colours of its own.

    With `full`, the painted frame before is carried along by optical flow (DIS; Kroeger et al. 2016) and kept where it fits
    (Ruder, Dosovitskiy & Brox 2016, with flow there and back for occlusions).
    """
    before: NDArray[np.uint8] | None = None
    painted: Floats | None = None
    table = np.zeros((0, 0, 0, 3), np.float32)
    for frame in frames:
        image = (frame / np.float32(255)).astype(np.float32)
        if before is None or _cut(before, frame):
            painted = None
            if not full:
                table = _table(image, style, seed)
        if full:
            new = styles.full(image, style, strength, seed)
            if painted is not None and before is not None:
                carried, sure = _carried(before, frame, painted)
                new = new + (carried - new) * (KEPT * sure)[..., None]
            painted = new
        else:
            new = image + (_looked_up(image, table) - image) * np.float32(strength)
        before = frame
        yield (np.clip(new, 0, 1) * 255).round().astype(np.uint8)


def _cut(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    import cv2

    histograms = [cv2.calcHist([each], [0, 1, 2], None, [6, 6, 6], [0, 256] * 3).reshape(-1) / (each.size / 3)
                  for each in (one, other)]  # fmt: skip
    return float(np.abs(histograms[0] - histograms[1]).sum()) / 2 > CUT


def _table(image: Floats, style: Floats, seed: int) -> Floats:
    steps = np.linspace(0, 1, LATTICE, dtype=np.float32)
    points = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), 3).reshape(-1, 3)
    moved = styles.transported(image, style, points, seed)
    found: Floats = moved.reshape(LATTICE, LATTICE, LATTICE, 3).astype(np.float32)
    return found


@njit(cache=True, nogil=True)
def _looked_up(image, table):  # type: ignore[no-untyped-def]
    """Colours through the table, linear between its points."""
    out = np.empty_like(image)
    last = table.shape[0] - 1
    low, share = np.empty(3, np.int64), np.empty(3, np.float32)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            for c in range(3):
                place = min(max(image[i, j, c], 0), 1) * last
                low[c] = min(int(place), last - 1)
                share[c] = place - low[c]
            for c in range(3):
                total = np.float32(0)
                for corner in range(8):
                    a, b, d = corner & 1, (corner >> 1) & 1, corner >> 2
                    weight = (share[0] if a else 1 - share[0]) * (share[1] if b else 1 - share[1]) * (share[2] if d else 1 - share[2])
                    total += weight * table[low[0] + a, low[1] + b, low[2] + d, c]
                out[i, j, c] = total
    return out


def _carried(before: NDArray[np.uint8], now: NDArray[np.uint8], painted: Floats) -> tuple[Floats, Floats]:
    """The painted frame before, moved as things moved, and how far that can be trusted (rows, columns) 0..1."""
    import cv2

    grey = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (before, now)]
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    back, forth = flow.calc(grey[1], grey[0], None), flow.calc(grey[0], grey[1], None)
    y, x = np.mgrid[0 : now.shape[0], 0 : now.shape[1]].astype(np.float32)
    places = x + back[..., 0], y + back[..., 1]
    carried = cv2.remap(painted, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    returned = back + cv2.remap(forth, *places, cv2.INTER_LINEAR)
    seen = cv2.remap(before, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    unlike = np.abs(seen.astype(np.float32) - now).mean(2) / 255
    sure = np.exp(-((np.hypot(returned[..., 0], returned[..., 1]) / 1.5) ** 2) - (unlike / 0.06) ** 2)
    inside = (places[0] >= 0) & (places[1] >= 0) & (places[0] <= now.shape[1] - 1) & (places[1] <= now.shape[0] - 1)
    return carried, (cv2.GaussianBlur(sure.astype(np.float32), (0, 0), 1.5) * inside).astype(np.float32)
