"""Networks for pictures as ncnn has them (https://github.com/Tencent/ncnn): a text `.param` and the weights in a `.bin`.

The text is read here first: the library trusts its numbers, and has been brought down by ones that lie.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mofang.image.edit.bm3d import Floats
from mofang.image.edit.network import unfit
from mofang.studio.errors import UserError
from mofang.studio.given import given_file

SUFFIX = ".param"
MAGIC = "7767517"
LARGEST_PARAM, LARGEST_BIN = 4 << 20, 400 << 20
"""Bytes of the two files that are opened."""
_CONVOLUTIONS = ("Convolution", "ConvolutionDepthWise", "Deconvolution", "DeconvolutionDepthWise")
_WEIGHTS = {**dict.fromkeys(_CONVOLUTIONS, 6), "InnerProduct": 2, "MultiHeadAttention": 2, "Embed": 3,
            **dict.fromkeys(("PReLU", "BatchNorm", "Bias", "LayerNorm", "MemoryData"), 0)}  # fmt: skip
"""Layers with weights, and the number of the parameter that counts these (ncnn's operation-param-weight table)."""
_LARGEST_SCALE = 16
"""By which a layer may enlarge."""
_KEEPING = ("Split", "ReLU", "PReLU", "Clip", "Padding", "Interp", "Dropout", "Noop", "Sigmoid", "BinaryOp", "Pooling")
"""Layers whose result has the channels of what goes in."""


@dataclass(frozen=True)
class Layer:
    """One line of a `.param`: what it is, the blobs it reads and writes, and its numbers by their own number."""

    kind: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    numbers: dict[int, str]

    def number(self, key: int, default: int = 0) -> int:
        """A whole number of the layer's. Raises `ValueError`."""
        return int(self.numbers.get(key, default))

    def area(self) -> int:
        """Weights of a convolution's kernel for one channel of what it reads. Raises `ValueError`."""
        wide = self.number(1)
        return wide * self.number(11, wide) * self.number(0)


def files(path: Path) -> list[Path]:
    """The `.param` and the `.bin` beside it. Raises `UserError`."""
    weights = path.with_suffix(".bin")
    for each, most in ((path, LARGEST_PARAM), (weights, LARGEST_BIN)):
        if given_file(each, "network (an ncnn network is a .param and a .bin of one name)").stat().st_size > most:
            raise UserError(f"{each.name} is larger than {most >> 20} MB; give a smaller network")
    return [path, weights]


def layers(path: Path) -> list[Layer]:
    """The layers of a `.param`, checked: every blob is written before it is read, and no layer wants more weights than the
    `.bin` has bytes. Raises `UserError`."""
    weights = files(path)[1].stat().st_size
    try:
        lines = path.read_text("utf-8").split("\n")
        if lines[0].strip() != MAGIC:
            raise ValueError(f"it does not begin with {MAGIC}")
        count, blobs = (int(each) for each in lines[1].split())
        found = [_layer(line) for line in lines[2:] if line.strip()]
        if len(found) != count or sum(len(each.writes) for each in found) != blobs:
            raise ValueError("it has not the layers that its head counts")
        known: set[str] = set()
        for layer in found:
            if not known.issuperset(layer.reads):
                raise ValueError(f"{layer.kind} reads what no layer wrote")
            if known.intersection(layer.writes) or len(set(layer.writes)) != len(layer.writes):
                raise ValueError(f"{layer.kind} writes what was written")
            known.update(layer.writes)
            if (key := _WEIGHTS.get(layer.kind)) is not None and not 0 <= layer.number(key) <= weights:
                raise ValueError(f"{layer.kind} has not the weights it asks for")
            if layer.kind in _CONVOLUTIONS and layer.area() > layer.number(6):
                raise ValueError(f"{layer.kind} has not the weights of its kernel")
            if layer.kind == "Interp" and any(float(layer.numbers.get(key, 1)) > _LARGEST_SCALE for key in (1, 2)):
                raise ValueError("Interp enlarges too much")
            if layer.kind == "PixelShuffle" and not 1 <= layer.number(0, 1) <= _LARGEST_SCALE:
                raise ValueError("PixelShuffle enlarges too much")
    except (OSError, ValueError, IndexError) as error:
        raise UserError(f"{path.name} is no whole ncnn network ({str(error)[:80]}); fetch it again") from error
    return found


class NcnnRunner:
    """A network from picture to picture; see `network.Runner`."""

    def __init__(self, path: Path, threads: int = 2) -> None:
        self.name = path.name
        found = layers(path)
        self._library = _library()
        heads = [layer for layer in found if layer.kind == "Input"]
        read = {name for layer in found for name in layer.reads}
        ends = [name for layer in found for name in layer.writes if name not in read]
        if len(heads) != 1 or len(heads[0].writes) != 1 or len(ends) != 1:
            raise unfit(self.name, f"it takes {len(heads)} pictures and gives {len(ends)}")
        self._input, self._output = heads[0].writes[0], ends[0]
        self.channels = _channels(found, self._input) or heads[0].number(2) or 3
        if self.channels not in (1, 3):
            raise unfit(self.name, f"its pictures have {self.channels} channels, neither one nor three")
        wide, high = heads[0].number(0), heads[0].number(1)
        self.fixed = (high, wide) if wide > 0 and high > 0 else None
        net = self._library.Net()
        net.opt.num_threads = threads
        # The same bytes on every processor that has the same instructions: nothing is rounded to halves on the way.
        net.opt.use_vulkan_compute = net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        net.opt.use_bf16_storage = False
        with _quiet():
            # Of a .bin that is too short the library says so; one that is too long goes with another .param.
            if net.load_param(str(path)) != 0 or net.load_model(str(path.with_suffix(".bin"))) != 0:
                raise unfit(self.name, "its .bin is cut short, or goes with another .param, or it has layers that are not known")
        self._net = net

    def __call__(self, part: Floats) -> Floats:
        """See `network.Runner`."""
        chw = np.ascontiguousarray(np.moveaxis(part, 2, 0), np.float32)
        extractor = self._net.create_extractor()
        extractor.input(self._input, self._library.Mat(chw).clone())
        failed, made = extractor.extract(self._output)
        result = np.array(made)
        if failed != 0 or result.ndim != 3:
            raise unfit(self.name, "it does not give a picture")
        found: Floats = np.moveaxis(result, 0, 2).astype(np.float32)
        return found


def open_runner(path: Path, threads: int = 2) -> NcnnRunner:
    """The network of a `.param` and its `.bin`. Raises `UserError`."""
    return NcnnRunner(path, threads)


def _layer(line: str) -> Layer:
    # type name reads writes [blob …] [number=value …]
    kind, _, reads, writes, *rest = line.split()
    first, last = int(reads), int(reads) + int(writes)
    if not 0 <= first <= last <= len(rest):
        raise ValueError(f"a {kind[:30]} has not the blobs it counts")
    pairs = [each.partition("=") for each in rest[last:]]
    if any(not sign for _, sign, _ in pairs):
        raise ValueError(f"a {kind[:30]} has a number without a name")
    return Layer(kind, tuple(rest[:first]), tuple(rest[first:last]), {int(key): value for key, _, value in pairs})


def _channels(found: list[Layer], blob: str) -> int:
    """Channels of the picture by the weights of the first convolution that reads it, 0 if none does: the library does not
    compare, and reads past their end."""
    same = {blob}
    for layer in found:
        if same.issuperset(layer.reads) and layer.kind in _KEEPING:
            same.update(layer.writes)
        elif layer.kind == "Convolution" and layer.reads[0] in same:
            return layer.number(6) // layer.area() if layer.area() > 0 else 0
    return 0


def _library() -> Any:
    try:
        import ncnn
    except ImportError as error:
        raise UserError(f"this needs ncnn ({error.name} is missing): pip install 'mofang[ncnn]'") from error
    return ncnn


@contextmanager
def _quiet() -> Iterator[None]:
    """The library writes what it does not like to the screen itself; we say it in our own words."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
