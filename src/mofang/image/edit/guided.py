"""The guided filter: smooth where the guide is smooth, sharp where it has an edge (He, Sun & Tang 2013)."""

import numpy as np

from mofang.image.edit.bm3d import Floats


def guided(guide: Floats, values: Floats, radius: int, epsilon: float) -> Floats:
    """`values` (rows, columns[, channels]) as a locally linear function of a grey `guide` (rows, columns)."""
    import cv2

    side = (2 * radius + 1, 2 * radius + 1)
    guide = np.ascontiguousarray(guide, np.float32)
    mean = cv2.blur(guide, side)
    variance = cv2.blur(guide * guide, side) - mean * mean
    layers = values[..., None] if values.ndim == 2 else values
    out = np.empty_like(layers)
    for channel in range(layers.shape[2]):
        layer = np.ascontiguousarray(layers[..., channel], np.float32)
        own = cv2.blur(layer, side)
        slope = (cv2.blur(guide * layer, side) - mean * own) / (variance + epsilon)
        out[..., channel] = cv2.blur(slope, side) * guide + cv2.blur(own - slope * mean, side)
    found: Floats = out[..., 0] if values.ndim == 2 else out
    return found
