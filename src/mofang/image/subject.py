"""Where a picture's subject is: what cannot be reached from the frame without crossing an edge.

The minimum barrier distance of every pixel to the frame (Zhang et al. 2015, "Minimum Barrier Salient Object Detection at 80
FPS"): over all ways from the frame to it, the least that colours rise and fall on one. Sky and wall reach the frame at no
cost however they are shaded; a thing with a contour does not.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

SIDE = 160
"""The longer side at which a subject is sought, in pixels."""


def subject(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(rows, columns) 0..1 of a picture (rows, columns, 3) brought to a longer side of at most `SIDE`."""
    import cv2

    scale = min(1.0, SIDE / max(image.shape[:2]))
    size = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(cv2.medianBlur(small, 3), cv2.COLOR_RGB2LAB).astype(np.float32)
    rows, columns = lab.shape[:2]
    barrier = np.zeros((rows, columns), np.float32)
    for channel in range(3):
        barrier += _barrier(np.ascontiguousarray(lab[..., channel]), 3)
    found = np.sqrt(_even(barrier) * _even(_unlike_frame(lab)))
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j].astype(np.float32)
    found = _even(found) * (0.4 + 0.6 * np.exp(-(x**2 + y**2) / 0.8))
    # Parts of one thing belong together: small valleys inside it are closed.
    reach = max(1, round(0.03 * max(rows, columns)))
    found = cv2.morphologyEx(found, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2))
    return np.clip(_even(cv2.GaussianBlur(found, (0, 0), 1.0)), 0, 1).astype(np.float32)


def _even(values: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = np.quantile(values, 0.02), np.quantile(values, 0.98)
    return ((values - low) / max(float(high - low), 1e-3)).clip(0, 1.2).astype(np.float32)


def _unlike_frame(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each colour lies from those of the nearest side of the frame, in their own spread (Mahalanobis): the least of
    four sides is left out, on which the subject may stand."""
    rows, columns = lab.shape[:2]
    deep, wide = max(2, rows // 10), max(2, columns // 10)
    far = []
    for strip in (lab[:deep], lab[-deep:], lab[:, :wide], lab[:, -wide:]):
        pixels = strip.reshape(-1, 3)
        spread = np.linalg.inv(np.cov(pixels.T) + 25 * np.eye(3))
        away = lab - pixels.mean(0)
        far.append(np.sqrt(np.maximum(np.einsum("ijk,kl,ijl->ij", away, spread, away), 0)))
    ordered = np.sort(np.stack(far), 0)
    found: NDArray[np.float32] = ordered[:3].mean(0).astype(np.float32)
    return found


@njit(cache=True, nogil=True)
def _barrier(values, rounds):  # type: ignore[no-untyped-def]
    """The FastMBD raster scans: along each way the largest and smallest value passed are kept."""
    rows, columns = values.shape
    high, low = values.copy(), values.copy()
    cost = np.full((rows, columns), np.float32(1e9))
    cost[0], cost[-1], cost[:, 0], cost[:, -1] = 0, 0, 0, 0
    for turn in range(2 * rounds):
        step = 1 if turn % 2 == 0 else -1
        for i in range(rows):
            y = i if step > 0 else rows - 1 - i
            for j in range(columns):
                x = j if step > 0 else columns - 1 - j
                for down in range(2):
                    ny, nx = y - (step if down else 0), x - (0 if down else step)
                    if ny < 0 or nx < 0 or ny >= rows or nx >= columns:
                        continue
                    top, bottom = max(high[ny, nx], values[y, x]), min(low[ny, nx], values[y, x])
                    if top - bottom < cost[y, x]:
                        cost[y, x], high[y, x], low[y, x] = top - bottom, top, bottom
    return cost
