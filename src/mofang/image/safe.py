"""Opening pictures that somebody else made: bounded, upright, in RGB or with alpha."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.image import svg
from mofang.studio.errors import UserError
from mofang.studio.given import given_file

MOST_PIXELS = 120_000_000
"""A picture of more pixels is refused before any of them is unpacked: 120 million is a 100-megapixel camera's."""

LONGEST_SVG = 20_000_000
"""Bytes of the largest SVG that is read."""

LARGE, SVG_WIDTH = 4096, 2160
"""Pixels of a side below which a JPEG is not decoded smaller, and the width an SVG is drawn at, unless less is asked for."""


STRIP = 512
"""Rows of a picture laid on white at a time."""


def open_picture(path: Path, most: int = MOST_PIXELS) -> NDArray[np.uint8]:
    """(rows, columns, 3) of a picture in any format Pillow reads, or SVG; the first frame of one that moves.

    EXIF rotation is applied, transparency laid on white, sixteen bits and CMYK converted. Raises `UserError` naming the
    file for one that is damaged, of more than `most` pixels, or no picture.
    """
    return on_white(open_rgba(path, most=most))


def open_rgba(path: Path, about: int = LARGE, most: int = MOST_PIXELS) -> NDArray[np.uint8]:
    """(rows, columns, 4) of a picture as `open_picture` takes it, alpha straight (not multiplied into the colours).

    `about` says how many pixels a side will be used: JPEG is then decoded at a fraction of its size, never below
    `about`, and SVG drawn that wide.
    """
    from PIL import Image, ImageOps

    given_file(path, "picture")
    if path.suffix.lower() == ".svg":
        return _svg(path, min(about, SVG_WIDTH))
    try:
        with Image.open(path) as image:
            if image.width * image.height > most:
                raise UserError(f"{path.name} has more than {most // 1_000_000} million pixels; make it smaller")
            image.draft("RGB", (about, about))
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith(("I", "F")):
                return _from_deep(np.asarray(upright, np.float64), upright.mode)
            if upright.mode == "CMYK":  # It has no way to RGBA but through RGB.
                upright = upright.convert("RGB")
            return np.asarray(upright.convert("RGBA")).copy()
    except UserError:
        raise
    except PermissionError as error:
        raise UserError(f"{path} may not be read; allow it, or give another picture") from error
    except Image.DecompressionBombError as error:
        raise UserError(f"{path.name} has more than {most // 1_000_000} million pixels; make it smaller") from error
    except Exception as error:  # Decoders meet a hostile file with whatever breaks first: struct.error, KeyError, MemoryError …
        raise UserError(f"{path.name} is damaged or is no picture; replace it") from error


def on_white(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(rows, columns, 4) laid on white paper: (rows, columns, 3)."""
    alpha = rgba[..., 3:]
    if alpha.size and int(alpha.min()) == 255:
        return np.ascontiguousarray(rgba[..., :3])
    out = np.empty((*rgba.shape[:2], 3), np.uint8)
    for top in range(0, len(rgba), STRIP):
        part = rgba[top : top + STRIP]
        # Whole numbers, rounded: transparent pixels are white to the bit.
        blended = part[..., :3].astype(np.uint16) * part[..., 3:] + np.uint16(255) * (255 - part[..., 3:].astype(np.uint16)) + 127
        out[top : top + STRIP] = blended // 255
    return out


def alpha_of(path: Path) -> NDArray[np.uint8] | None:
    """(rows, columns) of how opaque a picture is, 0..255, upright; None for one that is opaque all over.

    Raises `UserError` as `open_rgba` does.
    """
    with given_file(path, "picture").open("rb") as file:
        if file.read(2) == b"\xff\xd8":  # JPEG has none, and need not be decoded to say so.
            return None
    alpha = open_rgba(path)[..., 3]
    return None if alpha.min(initial=255) == 255 else alpha.copy()


def _from_deep(values: NDArray[np.float64], mode: str) -> NDArray[np.uint8]:
    """Sixteen-bit, whole or floating grey, by the least range of those in use that holds it; what is no number is black."""
    most = float(values.max(initial=0, where=np.isfinite(values)))
    values = np.nan_to_num(values, nan=0.0, posinf=most, neginf=0.0)
    ranges = (1.0, 255.0, 65535.0) if mode.startswith("F") else (255.0, 65535.0)
    grey = np.clip(values / next((top for top in ranges if most <= top), most) * 255, 0, 255).astype(np.uint8)
    return np.stack([grey, grey, grey, np.full_like(grey, 255)], 2)


def _svg(path: Path, width: int) -> NDArray[np.uint8]:
    import cv2

    try:
        if path.stat().st_size > LONGEST_SVG:
            raise UserError(f"{path.name} is larger than {LONGEST_SVG // 1_000_000} MB; simplify it")
        data = svg.draw(path.read_text("utf-8-sig"), width)
    except svg.Unfit as error:
        raise UserError(f"{path.name} {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path.name} is not an SVG that can be drawn; replace it") from error
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 3 or image.shape[2] != 4:
        raise UserError(f"{path.name} is not an SVG that can be drawn; replace it")
    rgba: NDArray[np.uint8] = cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA)
    return rgba
