"""The autoencoders in numpy: sound to codes and codes to sound, without torch, however long the piece."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.models import own
from mofang.sound.jukebox import shape as shapes
from mofang.sound.jukebox.shape import CodecShape
from mofang.studio.errors import UserError

Floats = NDArray[np.float32]
Codes = NDArray[np.int64]
STRETCH = 8
"""Seconds worked on at once, besides what reaches over their edges."""


def convolve(x: Floats, weight: Floats, bias: Floats, dilation: int = 1) -> Floats:
    """(T, in) → (T, out): a convolution of odd width, `weight` (out, in, taps), zeros beyond the ends."""
    out_channels, _, taps = weight.shape
    reach = (taps - 1) // 2 * dilation
    padded = np.pad(x, ((reach, reach), (0, 0)))
    out = np.broadcast_to(bias, (len(x), out_channels)).astype(np.float32)
    for tap in range(taps):
        out += padded[tap * dilation : tap * dilation + len(x)] @ weight[:, :, tap].T
    return out


def narrowed(x: Floats, weight: Floats, bias: Floats, stride: int) -> Floats:
    """(T, in) → (T / stride, out): a convolution of 2 · stride taps, stride / 2 zeros before and behind."""
    padded = np.pad(x, ((stride // 2, stride // 2), (0, 0)))
    count, width = len(x) // stride, x.shape[1]
    pieces = np.lib.stride_tricks.sliding_window_view(padded, 2 * stride, 0)[::stride][:count].reshape(count, width * 2 * stride)
    return np.asarray(pieces @ weight.reshape(len(weight), -1).T + bias, np.float32)


def spread(x: Floats, weight: Floats, bias: Floats, stride: int) -> Floats:
    """(T, in) → (T · stride, out): a transposed convolution of as many taps as its stride or twice that, `weight` (in, out, taps)."""
    inputs, outputs, taps = weight.shape
    parts = (x @ weight.transpose(0, 2, 1).reshape(inputs, -1)).reshape(len(x), taps, outputs)
    whole = np.zeros(((len(x) + taps // stride - 1) * stride, outputs), np.float32)
    for piece in range(taps // stride):
        block = parts[:, piece * stride : (piece + 1) * stride].reshape(-1, outputs)
        whole[piece * stride : piece * stride + len(block)] += block
    before = (taps - stride) // 2
    return whole[before : before + len(x) * stride] + bias


class Codec:
    """Weights of the autoencoders. Levels count from the finest, 0."""

    def __init__(self, shape: CodecShape, tensors: dict[str, Floats]) -> None:
        self.shape, self._tensors = shape, tensors

    @classmethod
    def read(cls, config: dict[str, Any], tensors: dict[str, Floats], where: Path) -> "Codec":
        """From a configuration and weights. Raises `UserError` if they do not fit each other."""
        made = cls(shapes.read(CodecShape, config), tensors)
        try:
            with np.errstate(all="ignore"):
                for level, hop in enumerate(made.shape.hops):
                    if not np.isfinite(made.decode(made.encode(np.zeros(2 * hop, np.float32), level), level)).all():
                        raise ValueError("weights that are no numbers")
        except (KeyError, ValueError, IndexError, TypeError) as error:
            raise UserError(f"{where} holds weights that do not fit its {own.CONFIG}; train or fetch the model again") from error
        return made

    @classmethod
    def open(cls, folder: Path) -> "Codec":
        """The codec in a model's folder. Raises `UserError`."""
        return cls.read(shapes.config_of(folder, shapes.CODEC, "codec"), own.read_tensors(folder), folder)

    def encode(self, sound: Floats, level: int) -> Codes:
        """The codes (⌊n / hop⌋,) of sound (n,)."""
        hop, entries = self.shape.hops[level], self._tensors[f"levels.{level}.codebook.entries"]
        sound = sound[: len(sound) // hop * hop]
        margin, stretch = self._margin(level), STRETCH * self.shape.rate // hop
        found = []
        for start in range(0, len(sound) // hop, stretch):
            low = max(0, start - margin)
            vectors = self._encoded(sound[low * hop : (start + stretch + margin) * hop, None], level)
            vectors = vectors[start - low : start - low + stretch]
            found.append((-2 * vectors @ entries.T + np.square(entries).sum(1)).argmin(1))
        return np.concatenate(found) if found else np.zeros(0, np.int64)

    def decode(self, codes: Codes, level: int) -> Floats:
        """Sound (n · hop,) of codes (n,)."""
        hop, entries = self.shape.hops[level], self._tensors[f"levels.{level}.codebook.entries"]
        margin, stretch = self._margin(level), STRETCH * self.shape.rate // hop
        made = []
        for start in range(0, len(codes), stretch):
            low = max(0, start - margin)
            sound = self._decoded(entries[codes[low : start + stretch + margin]], level)
            made.append(sound[(start - low) * hop : (start - low + stretch) * hop])
        return np.concatenate(made) if made else np.zeros(0, np.float32)

    def _margin(self, level: int) -> int:
        return -(-self.shape.reach(level) // self.shape.hops[level]) + 1

    def _encoded(self, x: Floats, level: int) -> Floats:
        at, shape = 0, self.shape
        for stride in shape.strides[level]:
            x = narrowed(x, *self._pair(f"levels.{level}.encoder.{at}"), stride)
            for number, dilation in enumerate(shape.dilations):
                x = self._residual(x, f"levels.{level}.encoder.{at + 1 + number}", dilation)
            at += 1 + shape.depth
        return convolve(x, *self._pair(f"levels.{level}.encoder.{at}"))

    def _decoded(self, x: Floats, level: int) -> Floats:
        at, shape = 1, self.shape
        x = convolve(x, *self._pair(f"levels.{level}.decoder.0"))
        for stride in reversed(shape.strides[level]):
            for number, dilation in enumerate(reversed(shape.dilations)):
                x = self._residual(x, f"levels.{level}.decoder.{at + number}", dilation)
            at += shape.depth
            x = spread(x, *self._pair(f"levels.{level}.decoder.{at}"), stride)
            at += 1
        return convolve(x, *self._pair(f"levels.{level}.decoder.{at}"))[:, 0]

    def _pair(self, name: str) -> tuple[Floats, Floats]:
        return self._tensors[name + ".weight"], self._tensors[name + ".bias"]

    def _residual(self, x: Floats, name: str, dilation: int) -> Floats:
        inner = convolve(np.maximum(x, 0), *self._pair(name + ".wide"), dilation)
        return x + convolve(np.maximum(inner, 0), *self._pair(name + ".narrow"))
