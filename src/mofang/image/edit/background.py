"""The subject cut out of its background, with soft edges.

What is subject is first guessed from what cannot be reached from the frame of the picture (`image.subject`), then settled by
GrabCut (Rother, Kolmogorov & Blake 2004), and its edge made soft by a guided filter on the picture itself.
"""

import numpy as np
from numpy.typing import NDArray

from mofang.image.edit.bm3d import Floats
from mofang.image.edit.guided import guided
from mofang.image.edit.masks import Box
from mofang.image.layout.colours import oklab
from mofang.image.subject import subject
from mofang.studio.errors import UserError

WORKING = 640
"""The longer side at which the cut is settled; only its edge is refined at full size."""


def alpha(image: Floats, where: Box | None = None) -> Floats:
    """(rows, columns) 0..1: how much of each pixel is the subject. `where` is a box around it; else it is guessed.

    Raises `UserError` if nothing stands out.
    """
    import cv2

    rows, columns = image.shape[:2]
    if min(rows, columns) < 16:
        raise UserError("the picture is too small to find a subject in; give a larger one")
    scale = min(1.0, WORKING / max(rows, columns))
    size = (max(round(columns * scale), 8), max(round(rows * scale), 8))
    small = (cv2.resize(image, size, interpolation=cv2.INTER_AREA) * 255).round().astype(np.uint8)
    marks = _boxed(small.shape, where, scale) if where else _guessed(small)
    if not ((marks == cv2.GC_PR_FGD) | (marks == cv2.GC_FGD)).any():
        raise UserError("nothing stands out from the background; say where the subject is with --box left,top,width,height")
    cut = _cut(small, marks)
    if not 0.002 < cut.mean() < 0.98:
        raise UserError("the subject cannot be told from its background; say where it is with --box left,top,width,height")
    large = cv2.resize(cut.astype(np.float32), (columns, rows), interpolation=cv2.INTER_LINEAR)
    radius = max(2, round(max(rows, columns) / 320))
    soft = guided(image.mean(2), large, radius, 1e-4)
    # A guided filter leaves a haze; alpha is stretched so that inside is inside and outside gone.
    found: Floats = np.clip((soft - 0.12) / 0.76, 0, 1)
    reach = np.ones((4 * radius + 1,) * 2, np.uint8)
    hard = (large > 0.5).astype(np.uint8)
    found[cv2.dilate(hard, reach) == 0] = 0
    found[cv2.erode(hard, reach) == 1] = 1
    return found


def _cut(small: NDArray[np.uint8], marks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """GrabCut from `marks`: (rows, columns), 1 where the subject is."""
    import cv2

    behind, before = np.zeros((1, 65), np.float64), np.zeros((1, 65), np.float64)
    cv2.setRNGSeed(0)
    cv2.grabCut(cv2.cvtColor(small, cv2.COLOR_RGB2BGR), marks, None, behind, before, 6, cv2.GC_INIT_WITH_MASK)
    return _whole(((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)).astype(np.uint8), small)


def _guessed(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """GrabCut's marks from what stands apart from the frame, by two thresholds (Otsu 1979, and again above the first)."""
    import cv2

    rows, columns = small.shape[:2]
    marks = np.full((rows, columns), cv2.GC_BGD, np.uint8)
    if np.ptp(small.reshape(-1, 3), axis=0).max() < 12:
        return marks
    score = cv2.resize(subject(small), (columns, rows), interpolation=cv2.INTER_LINEAR)
    level = _otsu(score.reshape(-1))
    marks[score > 0.4 * level] = cv2.GC_PR_BGD
    marks[score > 0.85 * level] = cv2.GC_PR_FGD
    marks[score > _otsu(score[score > level])] = cv2.GC_FGD
    for side in (marks[:2], marks[:, :2], marks[:, -2:]):
        side[side == cv2.GC_FGD] = cv2.GC_PR_FGD
    return marks


def _otsu(values: NDArray[np.float32]) -> float:
    import cv2

    grey = (np.clip(values, 0, 1) * 255).astype(np.uint8).reshape(1, -1)
    return float(cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0]) / 255


def _boxed(shape: tuple[int, ...], where: Box, scale: float) -> NDArray[np.uint8]:
    import cv2

    marks = np.full(shape[:2], cv2.GC_BGD, np.uint8)
    left, top, width, height = (round(side * scale) for side in where)
    inside = np.s_[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    marks[inside] = cv2.GC_PR_FGD
    if marks.all() or not (marks == cv2.GC_PR_FGD).any():
        raise UserError("the box must lie in the picture and leave some background around the subject")
    return marks


SEEN_THROUGH = 0.05
"""OKLab distance to the background from which on a hole is no window onto it, but part of the subject."""


def _whole(cut: NDArray[np.uint8], small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without specks: parts smaller than a twentieth of the largest go. Holes are filled that are small, or whose colour is
    not the background's: a cup is not seen through, the loop of its handle is."""
    import cv2

    cut = cv2.morphologyEx(cut, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    for value in (1, 0):
        count, labels, stats, _ = cv2.connectedComponentsWithStats((cut == value).astype(np.uint8), connectivity=4)
        if count < 2:
            continue
        largest = stats[1:, cv2.CC_STAT_AREA].max()
        outside = set(np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])))
        behind = oklab(small[np.isin(labels, list(outside)) & (cut == 0)][:: max(1, cut.size // 2000)])
        for label in range(1, count):
            part = labels == label
            if stats[label, cv2.CC_STAT_AREA] < (0.05 if value else 0.004) * largest:
                cut[part] = 1 - value
            elif not value and label not in outside and len(behind):
                distances = np.sqrt(((behind - np.median(oklab(small[part]), axis=0)) ** 2).sum(1))
                if np.quantile(distances, 0.2) > SEEN_THROUGH:
                    cut[part] = 1
    found: NDArray[np.uint8] = cut
    return found


def unmixed(image: Floats, soft: Floats) -> Floats:
    """The subject's own colours at its edge, without the background that shines through: from the nearest sure pixels."""
    import cv2

    sure = soft > 0.98
    if not sure.any() or sure.all():
        return image
    rim = cv2.dilate((soft > 0.01).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    mass = sure.astype(np.float32)
    total = image * mass[..., None]
    out = image.copy()
    left = rim & ~sure
    for radius in (3, 7, 15, 31):
        weight = cv2.GaussianBlur(mass, (0, 0), radius / 2)
        colour = cv2.GaussianBlur(total, (0, 0), radius / 2)
        reached = left & (weight > 1e-3)
        out[reached] = colour[reached] / weight[reached][:, None]
        left &= ~reached
    return out


def cut_out(
    image: Floats, where: Box | None = None, marked: NDArray[np.bool_] | None = None, clear: Floats | None = None
) -> tuple[Floats, Floats]:
    """The subject's own colours (rows, columns, 3) and its alpha (rows, columns).

    A picture that is transparent already (`clear`) is cut out as it is; else the cut follows a rough mask (`marked`), a
    box, or a guess. Raises `UserError` if nothing stands out.
    """
    if clear is not None and where is None and marked is None:
        soft = clear
    elif marked is not None:
        soft = _marked(image, marked)
    else:
        soft = alpha(image, where)
    return unmixed(image, soft), soft


def _marked(image: Floats, marked: NDArray[np.bool_]) -> Floats:
    """A mask painted by hand, its edge drawn to the picture's by a guided filter."""
    import cv2

    if marked.all() or not marked.any():
        raise UserError("the mask must cover the subject and leave the background free; paint it again")
    radius = max(3, round(max(image.shape[:2]) / 200))
    soft = guided(image.mean(2), marked.astype(np.float32), radius, 1e-4)
    reach = np.ones((2 * radius + 1,) * 2, np.uint8)
    hard = marked.astype(np.uint8)
    soft = np.clip((soft - 0.12) / 0.76, 0, 1)
    soft[cv2.dilate(hard, reach) == 0], soft[cv2.erode(hard, reach) == 1] = 0, 1
    found: Floats = soft
    return found
