"""Opening pictures that somebody else made: bounded, upright, in plain RGB."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.studio.errors import UserError

MOST_PIXELS = 120_000_000
"""A picture of more pixels is refused before any of them is unpacked: 120 million is a 100-megapixel camera's."""

LONGEST_SVG = 20_000_000
"""Bytes of the largest SVG that is read."""


def open_picture(path: Path) -> NDArray[np.uint8]:
    """(rows, columns, 3) of a picture in any format Pillow reads, or SVG; the first frame of one that moves.

    EXIF rotation is applied, transparency laid on white, sixteen bits and CMYK converted. Raises `UserError` naming the
    file for one that is damaged, too large, or no picture.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if path.suffix.lower() == ".svg":
        return _svg(path)
    try:
        with Image.open(path) as image:
            if image.width * image.height > MOST_PIXELS:
                raise UserError(f"{path.name} has more than {MOST_PIXELS // 1_000_000} million pixels; make it smaller")
            image.draft("RGB", (4096, 4096))
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith(("I;16", "I")) or upright.mode == "F":
                return _from_deep(np.asarray(upright, np.float64))
            if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
                rgba = upright.convert("RGBA")
                white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
                upright = Image.alpha_composite(white, rgba)
            return np.asarray(upright.convert("RGB")).copy()
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"there is no picture {path}; check the name") from error
    except Image.DecompressionBombError as error:
        raise UserError(f"{path.name} has more than {MOST_PIXELS // 1_000_000} million pixels; make it smaller") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise UserError(f"{path.name} is damaged or is no picture; replace it") from error


def _from_deep(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Sixteen-bit or floating grey, by its own range."""
    top = 65535.0 if values.max(initial=0) > 255 else 255.0
    grey = np.clip(values / top * 255, 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, 2)


def _svg(path: Path) -> NDArray[np.uint8]:
    """Drawn without scripts, which resvg knows nothing of, and without the files it may point at."""
    import cv2
    import resvg_py

    try:
        if path.stat().st_size > LONGEST_SVG:
            raise UserError(f"{path.name} is larger than {LONGEST_SVG // 1_000_000} MB; simplify it")
        text = path.read_text("utf-8")
        if "href" in text and ("file:" in text or 'href="/' in text or 'href=".' in text):
            raise UserError(f"{path.name} points at other files; embed them in it")
        data = resvg_py.svg_to_bytes(svg_string=text, background="#ffffff", skip_system_fonts=True, width=2160)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise UserError(f"{path.name} is not an SVG that can be drawn; replace it") from error
    image = cv2.imdecode(np.frombuffer(bytes(data), np.uint8), cv2.IMREAD_COLOR_RGB)
    if image is None or image.shape[0] * image.shape[1] > MOST_PIXELS:
        raise UserError(f"{path.name} is too tall to be drawn; make it smaller")
    rgb: NDArray[np.uint8] = image
    return rgb
