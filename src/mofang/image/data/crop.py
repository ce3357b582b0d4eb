"""A picture of any shape made square, around what matters."""

import numpy as np
from numpy.typing import NDArray

from mofang.image.engines.folder import best_window, saliency
from mofang.image.safe import on_white

Rgba = NDArray[np.uint8]


def square(picture: Rgba, size: int, whole: bool = False) -> Rgba:
    """(rows, columns, 4) as (size, size, 4).

    An opaque picture loses the ends of its longer side, wherever fewer edges and less of what strikes the eye stand; a
    cut-out (transparent at its border) loses nothing it shows and is padded instead. `whole` pads every picture:
    with its own border's colour, or with nothing.
    """
    rows, columns = picture.shape[:2]
    side = min(rows, columns)
    if rows != columns:
        cut_out = _cut_out(picture)
        if whole or cut_out:
            picture = _padded(picture[_content(picture, max(rows, columns))], cut_out)
        else:
            x, y = best_window(interest(picture), columns, rows, side, side)
            picture = picture[y : y + side, x : x + side]
    return resized(picture, size)


def interest(picture: Rgba) -> NDArray[np.float32]:
    """Where a picture says something, on a grid (64, 64): saliency, and the energy of its edges."""
    import cv2

    if max(picture.shape[:2]) > 512:
        scale = 512 / max(picture.shape[:2])
        shape = (max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1))
        picture = cv2.resize(picture, shape, interpolation=cv2.INTER_AREA)
    rgb = on_white(picture)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    edges = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    energy = cv2.resize(edges, (64, 64), interpolation=cv2.INTER_AREA)
    striking = saliency(rgb)
    # Shares of each, so that neither drowns the other; a little for the middle settles what is alike.
    middle = np.outer(np.hanning(66)[1:-1], np.hanning(66)[1:-1])
    together: NDArray[np.float32] = sum(
        (weight * part / max(float(part.sum()), 1e-9) for weight, part in ((1.0, striking), (1.0, energy), (0.3, middle))),
        np.zeros((64, 64)),
    ).astype(np.float32)
    return together


def resized(picture: Rgba, size: int) -> Rgba:
    """(side, side, 4) as (size, size, 4), averaged with alpha as weight: what is transparent lends no colour."""
    from PIL import Image

    image = Image.fromarray(picture)
    # "RGBa" is colours times alpha, in bytes: a hundred-megapixel picture must not become floats.
    small = image.convert("RGBa").resize((size, size), Image.Resampling.LANCZOS, reducing_gap=3.0).convert("RGBA")
    out: Rgba = np.array(small)
    out[out[..., 3] == 0] = 0
    return out


def _cut_out(picture: Rgba) -> bool:
    """Whether most of the border is transparent."""
    alpha = picture[..., 3]
    border = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
    return bool((border < 128).mean() > 0.5)


def _content(picture: Rgba, longest: int) -> tuple[slice, slice]:
    """The rows and columns that show something, if that makes the picture less long; else all."""
    shown = picture[..., 3] > 8
    rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
    if not len(rows) or max(np.ptp(rows), np.ptp(columns)) + 1 >= longest:
        return slice(None), slice(None)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _padded(picture: Rgba, cut_out: bool) -> Rgba:
    rows, columns = picture.shape[:2]
    side = max(rows, columns)
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    out = np.zeros((side, side, 4), np.uint8)
    if not cut_out:
        out[:] = np.median(border, axis=0).astype(np.uint8)
    top, left = (side - rows) // 2, (side - columns) // 2
    out[top : top + rows, left : left + columns] = picture
    return out
