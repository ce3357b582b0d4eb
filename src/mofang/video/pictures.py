"""Still pictures from files, read with suspicion."""

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.studio.errors import UserError

MAX_PIXELS = 100_000_000
"""Twice the largest photograph of an ordinary camera; beyond it one picture would fill an ordinary memory."""


def size(path: Path) -> tuple[int, int]:
    """(width, height) in pixels as the picture is meant to be seen. Raises `UserError`."""
    from PIL import Image

    with _translated(path), Image.open(path) as image:
        # A PNG may keep its Exif behind the pixels, and asking for that would decode them all.
        told = image.format != "PNG" or "exif" in image.info
        turned = told and image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        return (image.height, image.width) if turned else image.size


def read(path: Path) -> NDArray[np.uint8]:
    """A picture as RGB (rows, columns, 3), turned as its Exif says, transparency laid over white.

    Raises `UserError` for files that are no picture, are cut off, or have more than `MAX_PIXELS`.
    """
    from PIL import Image, ImageOps

    with _translated(path), Image.open(path) as image:
        if image.width * image.height > MAX_PIXELS:
            raise UserError(
                f"{path.name} has {image.width}×{image.height} pixels; make it smaller, at most {MAX_PIXELS // 10**6} "
                "million pixels"
            )
        upright = ImageOps.exif_transpose(image)
        if upright.has_transparency_data:
            white = Image.new("RGBA", upright.size, (255, 255, 255, 255))
            upright = Image.alpha_composite(white, upright.convert("RGBA"))
        return np.asarray(upright.convert("RGB"))


def read_rgba(path: Path) -> NDArray[np.uint8]:
    """A picture with its transparency (rows, columns, 4). Raises `UserError`."""
    from PIL import Image

    with _translated(path), Image.open(path) as image:
        if image.width * image.height > MAX_PIXELS:
            raise UserError(f"{path.name} is too large to be laid over a film; make it smaller")
        return np.asarray(image.convert("RGBA"))


def fill(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """The middle of a picture (rows, columns, 3), scaled so that it just covers `height` rows and `width` columns."""
    import cv2

    scale = max(width / image.shape[1], height / image.shape[0])
    large = (max(width, round(image.shape[1] * scale)), max(height, round(image.shape[0] * scale)))
    image = cv2.resize(image, large, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    left, top = (large[0] - width) // 2, (large[1] - height) // 2
    return image[top : top + height, left : left + width]


class _translated:
    """What PIL says of a bad file, as one line a person can act on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warnings = warnings.catch_warnings()

    def __enter__(self) -> None:
        self.warnings.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from PIL import Image

        self.warnings.__exit__(None, None, None)
        if isinstance(error, UserError):
            return
        if isinstance(error, Image.DecompressionBombError):
            raise UserError(f"{self.path.name} has too many pixels; make it smaller, at most {MAX_PIXELS // 10**6} "
                            "million pixels") from error  # fmt: skip
        if isinstance(error, FileNotFoundError):
            raise UserError(f"there is no picture {self.path}; put it there or change the storyboard") from error
        if isinstance(error, (OSError, SyntaxError, ValueError, EOFError, OverflowError, MemoryError)):
            raise UserError(
                f"{self.path.name} is not a picture that can be read; replace it in the storyboard"
            ) from error
