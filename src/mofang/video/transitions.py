"""How one shot becomes the next: each a function of two planes and the share done."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
Blend = Callable[[Plane, Plane, float, int], Plane]
"""(plane of the old shot, of the new one, share 0..1, neutral value of this plane) → plane. Planes: (rows, columns)."""


def crossfade(old: Plane, new: Plane, share: float, neutral: int) -> Plane:
    """Both at once, one fading into the other."""
    import cv2

    mixed: Plane = cv2.addWeighted(old, 1 - share, new, share, 0)
    return mixed


def dip(old: Plane, new: Plane, share: float, neutral: int) -> Plane:
    """Down to black, and up again."""
    import cv2

    plane, strength = (old, 1 - 2 * share) if share < 0.5 else (new, 2 * share - 1)
    mixed: Plane = cv2.addWeighted(plane, strength, plane, 0, neutral * (1 - strength))
    return mixed


def push(old: Plane, new: Plane, share: float, neutral: int) -> Plane:
    """The new shot pushes the old one out to the left."""
    edge = round(old.shape[1] * (1 - _smooth(share)) / 2) * 2
    out = np.empty_like(old)
    out[:, :edge] = old[:, old.shape[1] - edge :]
    out[:, edge:] = new[:, : old.shape[1] - edge]
    return out


def wipe(old: Plane, new: Plane, share: float, neutral: int) -> Plane:
    """A soft edge passes from left to right."""
    width = old.shape[1]
    soft = 0.18
    edge = _smooth(share) * (1 + soft)
    ramp = np.clip((edge - np.arange(width) / width) / soft, 0, 1)
    weight = (ramp * 256).astype(np.uint16)
    mixed = (old.astype(np.uint16) * (256 - weight) + new.astype(np.uint16) * weight) >> 8
    result: Plane = mixed.astype(np.uint8)
    return result


def _smooth(share: float) -> float:
    return share * share * (3 - 2 * share)


BLENDS: dict[str, Blend] = {"crossfade": crossfade, "dip": dip, "push": push, "wipe": wipe}
KINDS = tuple(BLENDS)
