"""Enlarging by two and four: what a natural picture may look like, bound to what was seen.

A network of our own (`weights/enlarge`, see `image.nets.restore`) where it is installed; else BM3D as the prior between
projections ("plug and play", Venkatakrishnan et al. 2013). Either way iterated back-projection (Irani & Peleg 1991) puts
back what this picture has.
"""

from pathlib import Path

import numpy as np

from mofang.image.edit.bm3d import SIDE, Floats, Prior
from mofang.image.edit.engines import open_network
from mofang.image.edit.network import Network
from mofang.models import own
from mofang.studio.errors import UserError
from mofang.studio.given import is_there

NAME = "enlarge"
"""The shipped network."""
LARGEST = 40_000_000
"""Pixels of a result."""
TILE, OVERLAP = 384, 24
"""Tiles of the small picture, so that memory stays bounded."""


def network_of(model: str | Path, factor: int) -> Path:
    """The graph of a factor: a file as it is, else of a model of our own by name or folder. Raises `UserError`."""
    if Path(model).suffix.lower() == ".onnx" or (is_there(Path(model)) and Path(model).is_file()):
        return Path(model)
    folder = own.find(model)
    if own.read_config(folder)["model_type"] != "mofang-restore" or not (folder / f"x{factor}.onnx").is_file():
        raise UserError(f"{folder.name} does not enlarge by {factor}; give one from mofang image train --kind enlarge")
    return folder / f"x{factor}.onnx"


def shipped(factor: int) -> Path | None:
    """Our own network, if it is installed."""
    place = own.names().get(NAME)
    return place / f"x{factor}.onnx" if place and (place / f"x{factor}.onnx").is_file() else None


def enlarge(image: Floats, factor: int = 2, sharpness: float = 1.0, graph: Path | None = None) -> Floats:
    """(rows·factor, columns·factor, 3); the mean of every factor×factor block is the pixel it came from, nearly.

    `graph` is the network's file; without one, BM3D is the prior. `sharpness` scales how far details are trusted: below 1
    towards bicubic, above 1 beyond the network. Raises `UserError` for another factor than 2 or 4, or too many pixels.
    """
    if factor not in (2, 4):
        raise UserError(f"pictures are enlarged by 2 or 4, not {factor}")
    rows, columns = image.shape[:2]
    if rows * columns * factor**2 > LARGEST:
        raise UserError(f"{columns * factor}×{rows * factor} pixels are too many; enlarge a part of the picture, or by 2")
    if graph is not None:
        return _by_network(image, factor, sharpness, open_network("onnx", graph))
    out = np.zeros((rows * factor, columns * factor, 3), np.float32)
    for top in range(0, rows, TILE):
        for left in range(0, columns, TILE):
            y0, x0 = max(top - OVERLAP, 0), max(left - OVERLAP, 0)
            y1, x1 = min(top + TILE + OVERLAP, rows), min(left + TILE + OVERLAP, columns)
            done = _enlarged(image[y0:y1, x0:x1], factor, sharpness)
            high, wide = min(TILE, rows - top), min(TILE, columns - left)
            part = done[(top - y0) * factor :, (left - x0) * factor :][: high * factor, : wide * factor]
            out[top * factor : (top + high) * factor, left * factor : (left + wide) * factor] = part
    return out


def by_engine(image: Floats, network: Network, factor: int | None = None) -> Floats:
    """(rows·factor, columns·factor, 3) by a network of anybody's, whose own factor it is if none is given.

    To a larger one the network goes over its own result; to a smaller one that is reduced. Raises `UserError`.
    """
    import cv2

    if network.factor == 1:
        raise UserError(f"{network.name} keeps a picture's size; it is one for: mofang image edit denoise, deblur or unjpeg")
    rows, columns = (side * (factor or network.factor) for side in image.shape[:2])
    reached = network.factor
    while factor and reached < factor:
        reached *= network.factor
    if image.shape[0] * image.shape[1] * reached**2 > LARGEST:
        raise UserError(f"{image.shape[1] * reached}×{image.shape[0] * reached} pixels are too many; enlarge a part of the picture")
    large = image
    while large.shape[0] < rows:
        large = network(large)
    if large.shape[0] == rows:
        return large
    found: Floats = cv2.resize(large, (columns, rows), interpolation=cv2.INTER_AREA)
    return found


def _by_network(image: Floats, factor: int, sharpness: float, network: Network) -> Floats:
    import cv2

    large = network(image)
    plain = cv2.resize(image, (large.shape[1], large.shape[0]), interpolation=cv2.INTER_CUBIC)
    found: Floats = np.clip(_projected(plain + (large - plain) * np.float32(sharpness), image, factor, 1), 0, 1)
    return found


def _enlarged(image: Floats, factor: int, sharpness: float) -> Floats:
    import cv2

    size = (image.shape[1] * factor, image.shape[0] * factor)
    current: Floats = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
    current = _projected(current, image, factor, 3)
    if min(image.shape[:2]) >= SIDE:
        prior = Prior(step=3 if factor == 2 else 4)
        for number, sigma in enumerate(np.geomspace(7 / 255, 2 / 255, 4) * sharpness):
            current = _projected(prior(current, float(sigma), again=number % 2 == 0), image, factor, 2)
    found: Floats = np.clip(current, 0, 1)
    return found


def _projected(current: Floats, image: Floats, factor: int, times: int) -> Floats:
    """Nearer to a picture whose reduction is the one that was seen."""
    import cv2

    small, large = (image.shape[1], image.shape[0]), (current.shape[1], current.shape[0])
    for _ in range(times):
        wrong = image - cv2.resize(current, small, interpolation=cv2.INTER_AREA)
        current = current + cv2.resize(wrong, large, interpolation=cv2.INTER_CUBIC)
    return current
