"""The creator's own pictures, in the order of the script."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.image.engines.base import Painted, Request, check
from mofang.image.safe import open_picture
from mofang.studio.errors import UserError
from mofang.studio.given import is_there
from mofang.studio.progress import Progress, silent

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".svg", ".avif"}
VERSION = "1"

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Fitted:
    """A picture cut to the film's size: pixels (rows, columns, 3) and where its subject is (shares)."""

    image: NDArray[np.uint8]
    focus: Box


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder, numbers in their names counted as numbers: 2.png stands before 10.png."""
    if not (is_there(folder) and folder.is_dir()):
        raise UserError(f"there is no folder {folder}; give the folder your pictures are in")
    found = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")]
    if not found:
        raise UserError(f"{folder} holds no pictures; put PNG, JPEG, WebP or SVG files in it")
    return sorted(
        found,
        key=lambda path: [int(part) if part.isdigit() else part.lower() for part in re.split(r"(\d+)", path.name)],
    )


def fit(path: Path, size: tuple[int, int]) -> Fitted:
    """The picture at `size` (width, height): cut around its subject, or, if its shape is too different, whole before a
    blurred copy of itself. Raises `UserError` for a picture that cannot be read."""
    import cv2

    image = open_picture(path)
    width, height = size
    rows, columns = image.shape[:2]
    salient = saliency(image)
    ratio = (columns / rows) / (width / height)
    if max(ratio, 1 / ratio) > 2.1:
        return _framed(image, size)
    scale = max(width / columns, height / rows)
    cut_width, cut_height = min(round(width / scale), columns), min(round(height / scale), rows)
    x, y = best_window(salient, columns, rows, cut_width, cut_height)
    cut = image[y : y + cut_height, x : x + cut_width]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized: NDArray[np.uint8] = cv2.resize(cut, size, interpolation=method)
    return Fitted(resized, focus_of(saliency(resized)))


def saliency(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Where the eye goes, on a 64-pixel grid (64, 64): the spectral residual (Hou & Zhang 2007) of lightness and colour."""
    import cv2

    small = cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    total = np.zeros((64, 64), np.float32)
    for channel in range(3):
        spectrum = np.fft.fft2(lab[..., channel])
        log = np.log(np.abs(spectrum) + 1e-6).astype(np.float32)
        residual = log - cv2.blur(log, (3, 3))
        total += np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))).astype(np.float32) ** 2
    # Nobody looks at the very edge.
    rows = np.hanning(66)[1:-1]
    smooth: NDArray[np.float32] = cv2.GaussianBlur(total, (0, 0), 4) * (0.3 + 0.7 * np.outer(rows, rows)).astype(
        np.float32
    )
    return smooth


def focus_of(salient: NDArray[np.float32]) -> Box:
    """The box that holds the most striking fifth of a saliency map, as shares."""
    mask = salient >= np.quantile(salient, 0.8)
    rows, columns = np.flatnonzero(mask.mean(1) > 0.15), np.flatnonzero(mask.mean(0) > 0.15)
    if not len(rows) or not len(columns):
        return 0.25, 0.25, 0.5, 0.5
    size_y, size_x = salient.shape
    left, top = columns[0] / size_x, rows[0] / size_y
    return left, top, (columns[-1] + 1) / size_x - left, (rows[-1] + 1) / size_y - top


def best_window(salient: NDArray[np.float32], columns: int, rows: int, width: int, height: int) -> tuple[int, int]:
    """Where a window of that size holds the most saliency."""
    sums = np.pad(salient.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    wide, high = max(round(64 * width / columns), 1), max(round(64 * height / rows), 1)
    held = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
    y, x = np.unravel_index(int(held.argmax()), held.shape)
    return min(round(x / 64 * columns), columns - width), min(round(y / 64 * rows), rows - height)


def _framed(image: NDArray[np.uint8], size: tuple[int, int]) -> Fitted:
    import cv2

    width, height = size
    rows, columns = image.shape[:2]
    fill = max(width / columns, height / rows)
    large = cv2.resize(
        image, (max(width, round(columns * fill)), max(height, round(rows * fill))), interpolation=cv2.INTER_AREA
    )
    left, top = (large.shape[1] - width) // 2, (large.shape[0] - height) // 2
    back = cv2.GaussianBlur(large[top : top + height, left : left + width], (0, 0), width / 28) * 0.7
    scale = min(width * 0.94 / columns, height * 0.94 / rows)
    inner = (max(round(columns * scale), 1), max(round(rows * scale), 1))
    front = cv2.resize(image, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    x, y = (width - inner[0]) // 2, (height - inner[1]) // 2
    back[y : y + inner[1], x : x + inner[0]] = front
    return Fitted(np.round(back).astype(np.uint8), (x / width, y / height, inner[0] / width, inner[1] / height))


class FolderEngine:
    """The creator's own pictures as a picture engine: picture number `seed` of the folder, whatever the words."""

    version, model = VERSION, ""
    hears = frozenset[str]()
    exact = True
    cut_out = False

    def __init__(self, folder: Path) -> None:
        self._files = pictures_in(folder)

    def paint(self, request: Request, progress: Progress = silent) -> Painted:
        """See `PictureEngine`; without a size, pictures are as large as they are."""
        check(request, self.hears, "a folder")
        images = []
        for at in range(request.count):
            file = self._files[(request.seed + at) % len(self._files)]
            images.append(fit(file, request.size).image if request.size else open_picture(file))
        return Painted(tuple(images))

    def close(self) -> None:
        """Nothing is kept open."""


def open_engine(rest: str, loras: Sequence[str], controlnet: str, studio: Path | None) -> FolderEngine:
    """See `mofang.image.engines.open_engine`."""
    return FolderEngine(Path(rest).expanduser())
