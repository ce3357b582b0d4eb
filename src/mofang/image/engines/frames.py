"""Pictures brought to the sizes that models paint in, and back."""

import numpy as np
from numpy.typing import NDArray

from mofang.image.engines.base import Image

FEATHER = 6
"""Pixels inside a mask over which new runs into old."""


def resized(image: Image, size: tuple[int, int]) -> Image:
    """The picture at exactly `size` (width, height): averaged when it shrinks, Lanczos when it grows."""
    import cv2

    if (image.shape[1], image.shape[0]) == size:
        return image
    method = cv2.INTER_AREA if size[0] * size[1] < image.shape[0] * image.shape[1] else cv2.INTER_LANCZOS4
    found: Image = cv2.resize(image, size, interpolation=method)
    return found


def covering(image: Image, size: tuple[int, int]) -> Image:
    """The middle of the picture, as much as has the shape of `size`, at that size."""
    rows, columns = image.shape[:2]
    scale = max(size[0] / columns, size[1] / rows)
    wide, high = min(round(size[0] / scale), columns), min(round(size[1] / scale), rows)
    left, top = (columns - wide) // 2, (rows - high) // 2
    return resized(np.ascontiguousarray(image[top : top + high, left : left + wide]), size)


def held_to(size: tuple[int, int], area: int, multiple: int) -> tuple[int, int]:
    """The size (width, height) of that shape to paint at: `area` pixels at most, sides multiples of `multiple`, and not
    smaller than asked for unless the area forbids it."""
    scale = (area / (size[0] * size[1])) ** 0.5
    if scale >= 1:  # Up: shrinking a little afterwards loses less than enlarging.
        return -(-size[0] // multiple) * multiple, -(-size[1] // multiple) * multiple
    wide, high = (max(int(side * scale) // multiple * multiple, multiple) for side in size)
    return wide, high


def padded(image: Image, mask: NDArray[np.bool_] | None, size: tuple[int, int]
           ) -> tuple[Image, NDArray[np.bool_] | None, tuple[int, int, int, int]]:  # fmt: skip
    """The whole picture inside a frame of `size`, its edges drawn on into the margins; the mask likewise; and where the
    picture lies (left, top, width, height)."""
    import cv2

    rows, columns = image.shape[:2]
    scale = min(size[0] / columns, size[1] / rows)
    wide, high = max(round(columns * scale), 1), max(round(rows * scale), 1)
    left, top = (size[0] - wide) // 2, (size[1] - high) // 2
    margins = (top, size[1] - high - top, left, size[0] - wide - left)
    framed: Image = cv2.copyMakeBorder(resized(image, (wide, high)), *margins, cv2.BORDER_REPLICATE)
    if mask is None:
        return framed, None, (left, top, wide, high)
    small = cv2.resize(mask.astype(np.uint8), (wide, high), interpolation=cv2.INTER_AREA)
    around = cv2.copyMakeBorder(small, *margins, cv2.BORDER_CONSTANT, value=0)
    return framed, around > 0, (left, top, wide, high)


def kept_outside(painted: Image, image: Image, mask: NDArray[np.bool_]) -> Image:
    """What was painted where the mask is, the old picture to the bit everywhere else. All of one size."""
    import cv2

    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    share = np.clip(depth / FEATHER, 0, 1)[..., None]
    mixed = painted[..., :3] * share + image[..., :3] * (1 - share)
    return np.where(mask[..., None], mixed.round(), image[..., :3]).astype(np.uint8)
