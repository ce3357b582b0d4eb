"""Opening pictures that somebody else made: bounded, upright, in RGB or with alpha."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.studio.errors import UserError

MOST_PIXELS = 120_000_000
"""A picture of more pixels is refused before any of them is unpacked: 120 million is a 100-megapixel camera's."""

LONGEST_SVG = 20_000_000
"""Bytes of the largest SVG that is read."""

LARGE, SVG_WIDTH = 4096, 2160
"""Pixels of a side below which a JPEG is not decoded smaller, and the width an SVG is drawn at, unless less is asked for."""


def open_picture(path: Path) -> NDArray[np.uint8]:
    """(rows, columns, 3) of a picture in any format Pillow reads, or SVG; the first frame of one that moves.

    EXIF rotation is applied, transparency laid on white, sixteen bits and CMYK converted. Raises `UserError` naming the
    file for one that is damaged, too large, or no picture.
    """
    return on_white(open_rgba(path))


def open_rgba(path: Path, about: int = LARGE) -> NDArray[np.uint8]:
    """(rows, columns, 4) of a picture as `open_picture` takes it, alpha straight (not multiplied into the colours).

    `about` says how many pixels a side will be used: JPEG is then decoded at a fraction of its size, never below
    `about`, and SVG drawn that wide.
    """
    from PIL import Image, ImageOps

    if path.suffix.lower() == ".svg":
        return _svg(path, min(about, SVG_WIDTH))
    try:
        with Image.open(path) as image:
            if image.width * image.height > MOST_PIXELS:
                raise UserError(f"{path.name} has more than {MOST_PIXELS // 1_000_000} million pixels; make it smaller")
            image.draft("RGB", (about, about))
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith(("I;16", "I")) or upright.mode == "F":
                return _from_deep(np.asarray(upright, np.float64))
            if upright.mode == "CMYK":  # It has no way to RGBA but through RGB.
                upright = upright.convert("RGB")
            return np.asarray(upright.convert("RGBA")).copy()
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"there is no picture {path}; check the name") from error
    except Image.DecompressionBombError as error:
        raise UserError(f"{path.name} has more than {MOST_PIXELS // 1_000_000} million pixels; make it smaller") from error
    except Exception as error:  # Decoders meet a hostile file with whatever breaks first: struct.error, KeyError, MemoryError …
        raise UserError(f"{path.name} is damaged or is no picture; replace it") from error


def on_white(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(rows, columns, 4) laid on white paper: (rows, columns, 3)."""
    alpha = rgba[..., 3:]
    if alpha.size and int(alpha.min()) == 255:
        return np.ascontiguousarray(rgba[..., :3])
    # Whole numbers, rounded: transparent pixels are white to the bit.
    blended = rgba[..., :3].astype(np.uint16) * alpha + np.uint16(255) * (255 - alpha.astype(np.uint16)) + 127
    return (blended // 255).astype(np.uint8)


def alpha_of(path: Path) -> NDArray[np.uint8] | None:
    """(rows, columns) of how opaque a picture is, 0..255, upright; None for one that is opaque all over.

    For pictures that `open_picture` has read: what cannot be read has no transparency.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            if image.width * image.height > MOST_PIXELS or not image.has_transparency_data:
                return None
            alpha = np.asarray(ImageOps.exif_transpose(image).convert("RGBA"))[..., 3].copy()
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        return None
    return None if alpha.min(initial=255) == 255 else alpha


def _from_deep(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Sixteen-bit or floating grey, by its own range."""
    top = 65535.0 if values.max(initial=0) > 255 else 255.0
    grey = np.clip(values / top * 255, 0, 255).astype(np.uint8)
    return np.stack([grey, grey, grey, np.full_like(grey, 255)], 2)


def _svg(path: Path, width: int) -> NDArray[np.uint8]:
    """Drawn without scripts, which resvg knows nothing of, and without the files it may point at."""
    import cv2
    import resvg_py

    try:
        if path.stat().st_size > LONGEST_SVG:
            raise UserError(f"{path.name} is larger than {LONGEST_SVG // 1_000_000} MB; simplify it")
        text = path.read_text("utf-8")
        if "href" in text and ("file:" in text or 'href="/' in text or 'href=".' in text):
            raise UserError(f"{path.name} points at other files; embed them in it")
        data = resvg_py.svg_to_bytes(svg_string=text, skip_system_fonts=True, width=width)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise UserError(f"{path.name} is not an SVG that can be drawn; replace it") from error
    image = cv2.imdecode(np.frombuffer(bytes(data), np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 3 or image.shape[2] != 4 or image.shape[0] * image.shape[1] > MOST_PIXELS:
        raise UserError(f"{path.name} is too tall to be drawn; make it smaller")
    rgba: NDArray[np.uint8] = cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA)
    return rgba
