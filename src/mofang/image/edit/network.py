"""Networks that turn a picture into a picture of one, two, three or four times its size: our own, or anybody's as ONNX.

What is asked of a network: one input (1, 3, rows, columns) or (1, 1, rows, columns) of float32 in 0..1 in RGB, sides free
or fixed; one output of the same channels whose sides are the input's times a whole number. Most published networks for
super-resolution, denoising and repair are so. One with a single channel works on lightness.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mofang.image.edit.bm3d import Floats
from mofang.models.safety import check_weights
from mofang.models.session import load
from mofang.studio.errors import UserError

LARGEST_FILE = 400 << 20
"""Bytes of a network that is opened."""
TILE, OVERLAP = 256, 16
"""Pixels of the parts a picture is taken in, and how far they overlap."""
MOST = 8
"""The largest factor that is believed."""


class Network:
    """An ONNX graph as a function on pictures. `factor` is how much larger its result is."""

    def __init__(self, path: Path, threads: int = 2) -> None:
        """Raises `UserError` for a file that is damaged, reaches elsewhere, or is no such network."""
        self.name = path.name
        self._session = open_graph(path, threads)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or not outputs or len(inputs[0].shape) != 4 or inputs[0].type != "tensor(float)":
            raise self._unfit("it does not take one picture of float32")
        self._input, self._output = inputs[0].name, outputs[0].name
        channels, *sides = inputs[0].shape[1:]
        if channels not in (1, 3):
            raise self._unfit("its pictures have neither one channel nor three")
        self.channels: int = channels
        fixed = [side for side in sides if isinstance(side, int) and side > 0]
        if len(fixed) == 1 or any(not 16 <= side <= 2048 for side in fixed):
            raise self._unfit("its picture has a size that cannot be used")
        self._fixed: tuple[int, int] | None = (fixed[0], fixed[1]) if fixed else None
        rows, columns = self._fixed or (32, 48)
        small = self._once(np.full((rows, columns, channels), 0.5, np.float32))
        self.factor = small.shape[0] // rows
        if small.shape != (rows * self.factor, columns * self.factor, channels) or not 1 <= self.factor <= MOST:
            raise self._unfit(f"it makes {small.shape[1]}×{small.shape[0]} of {columns}×{rows}")

    def __call__(self, image: Floats) -> Floats:
        """(rows·factor, columns·factor, 3) of (rows, columns, 3), in overlapping parts."""
        import cv2

        if self.channels == 3:
            return self._tiled(image)
        # Lightness through the network, colours by interpolation: the eye sees the first sharper.
        tone = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
        size = (image.shape[1] * self.factor, image.shape[0] * self.factor)
        large = cv2.resize(tone, size, interpolation=cv2.INTER_CUBIC)
        large[..., :1] = self._tiled(tone[..., :1])
        found: Floats = np.clip(cv2.cvtColor(large, cv2.COLOR_YCrCb2RGB), 0, 1)
        return found

    def _tiled(self, image: Floats) -> Floats:
        rows, columns = image.shape[:2]
        high, wide = self._fixed or (min(TILE, rows), min(TILE, columns))
        lap = min(OVERLAP, (min(high, wide) - 1) // 4)
        padded = np.pad(image, ((lap, max(high, lap)), (lap, max(wide, lap)), (0, 0)), mode="edge")
        f = self.factor
        out = np.empty((rows * f, columns * f, image.shape[2]), np.float32)
        for top in range(0, rows, high - 2 * lap):
            for left in range(0, columns, wide - 2 * lap):
                part = self._once(np.ascontiguousarray(padded[top : top + high, left : left + wide]))
                place = out[top * f : (top + high - 2 * lap) * f, left * f : (left + wide - 2 * lap) * f]
                place[:] = part[lap * f :, lap * f :][: place.shape[0], : place.shape[1]]
        return np.clip(out, 0, 1)

    def _once(self, part: Floats) -> Floats:
        try:
            made = self._session.run([self._output], {self._input: np.moveaxis(part, 2, 0)[None]})[0]
        except Exception as error:  # onnxruntime's errors share no base but this
            raise self._unfit(f"it stopped ({' '.join(str(error).split())[-80:]})") from error
        made = np.asarray(made)
        if made.ndim != 4 or made.shape[0] != 1 or made.shape[1] != part.shape[2]:
            raise self._unfit("it does not give a picture")
        if not np.isfinite(made).all():
            raise self._unfit("it gives numbers that are none")
        found: Floats = np.moveaxis(made[0], 0, 2).astype(np.float32)
        return found

    def _unfit(self, why: str) -> UserError:
        return UserError(f"{self.name} is no network for pictures that can be used: {why}; "
                         "give an ONNX model from RGB 0..1 to the same, larger or not")  # fmt: skip


@lru_cache(maxsize=4)
def open_graph(path: Path, threads: int) -> Any:
    """A session on a graph that was checked first. Raises `UserError`."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UserError(f"there is no network {path}; check the name") from error
    if size > LARGEST_FILE:
        raise UserError(f"{path.name} is larger than {LARGEST_FILE >> 20} MB; give a smaller network")
    if (kind := check_weights(path)) != "onnx":
        raise UserError(f"{path.name} is {kind}, and networks for pictures run as ONNX; export it first")
    return load(path, threads)
