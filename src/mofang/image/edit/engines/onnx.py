"""Networks for pictures as ONNX: Real-ESRGAN, waifu2x, SwinIR and their like, and our own.

What is asked of a graph: one input (1, channels, rows, columns) of float32 or float16, of which any side and the first may
be free; the first output is the picture. Weights may lie beside the graph in files of its own folder.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mofang.image.edit.bm3d import Floats
from mofang.image.edit.network import unfit
from mofang.models.formats.onnx import external_data
from mofang.models.safety import check_weights
from mofang.models.session import load
from mofang.studio.errors import UserError
from mofang.studio.given import given_file

SUFFIX = ".onnx"
LARGEST_FILE = 400 << 20
"""Bytes of a network that is opened, its data beside it included."""
TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


def files(path: Path) -> list[Path]:
    """The graph, and where its weights lie if not in it. Raises `UserError`."""
    size = given_file(path, "network").stat().st_size
    if size <= LARGEST_FILE:
        if (kind := check_weights(path)) != "onnx":
            raise UserError(f"{path.name} is {kind}, and networks for pictures run as ONNX; export it first")
        found = [path, *external_data(path)]
        size = sum(each.stat().st_size for each in found)
    if size > LARGEST_FILE:
        raise UserError(f"{path.name} is larger than {LARGEST_FILE >> 20} MB; give a smaller network")
    return found


def open_graph(path: Path, threads: int) -> Any:
    """A session on a graph that was checked first; opened before and unchanged, the same. Raises `UserError`."""
    return _session(path, threads, tuple((each, each.stat().st_mtime_ns) for each in files(path)))


@lru_cache(maxsize=4)
def _session(path: Path, threads: int, state: tuple[tuple[Path, int], ...]) -> Any:
    try:
        return load(path, threads, path.name)
    except UserError as error:
        raise unfit(path.name, f"it does not open ({' '.join(str(error.__cause__).split())[:80]})") from error


class OnnxRunner:
    """A graph from picture to picture; see `network.Runner`."""

    def __init__(self, path: Path, threads: int = 2) -> None:
        self.name = path.name
        self._session = open_graph(path, threads)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or not outputs or len(inputs[0].shape) != 4 or inputs[0].type not in TYPES:
            raise unfit(self.name, "it does not take one picture of four dimensions in float32 or float16")
        self._input, self._output, self._type = inputs[0].name, outputs[0].name, TYPES[inputs[0].type]
        # What is free has a name, or none, in place of a number.
        batch, channels, *sides = (side if isinstance(side, int) and side > 0 else None for side in inputs[0].shape)
        if batch not in (None, 1):
            raise unfit(self.name, f"it takes {batch} pictures at once")
        if channels not in (None, 1, 3):
            last = ", or they come last" if sides[1] in (1, 3) else ""
            raise unfit(self.name, f"its pictures have neither one channel nor three{last}")
        self.channels = channels or 3
        rows, columns = sides
        if (rows is None) != (columns is None):
            raise unfit(self.name, "its picture has a size that cannot be used")
        self.fixed = (rows, columns) if rows and columns else None

    def __call__(self, part: Floats) -> Floats:
        """See `network.Runner`."""
        try:
            made = np.asarray(self._session.run([self._output], {self._input: np.moveaxis(part, 2, 0)[None].astype(self._type)})[0])
        except Exception as error:  # onnxruntime's errors share no base but this
            raise unfit(self.name, f"it stopped ({' '.join(str(error).split())[-80:]})") from error
        if made.ndim != 4 or made.shape[0] != 1:
            raise unfit(self.name, "it does not give a picture")
        found: Floats = np.moveaxis(made[0], 0, 2).astype(np.float32)
        return found


def open_runner(path: Path, threads: int = 2) -> OnnxRunner:
    """The graph in a file. Raises `UserError`."""
    return OnnxRunner(path, threads)
