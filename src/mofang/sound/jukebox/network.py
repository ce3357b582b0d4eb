"""A prior in numpy: codes one after another, or many at once, with the keys and values of those before kept."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.models import own
from mofang.sound.jukebox import shape as shapes
from mofang.sound.jukebox.codec import Codes, Floats, convolve, spread
from mofang.sound.jukebox.shape import PriorShape
from mofang.studio.errors import UserError

Ints = NDArray[np.int64]
EPS = np.float32(1e-6)


@dataclass(frozen=True, eq=False)
class Told:
    """What a window is told: `style`'s number, `times` (T, 3), `lyrics` (shape.lyrics,), codes of the level above (shape.upper,)."""

    style: int
    times: Ints
    lyrics: Ints | None = None
    upper: Ints | None = None


class Prior:
    """Weights, and what of a window has been heard. `begin` a window, then `feed` it codes."""

    def __init__(self, shape: PriorShape, tensors: dict[str, Floats]) -> None:
        self.shape, self._tensors = shape, tensors
        self._w = {name: np.ascontiguousarray(value.T) if value.ndim == 2 and name.startswith("blocks.") else value
                   for name, value in tensors.items()}  # fmt: skip
        self._size = shape.width // shape.heads
        length = shape.lyrics + shape.context
        frequency = 10_000.0 ** -(np.arange(0, self._size, 2) / self._size)
        angle = np.tile(np.outer(np.arange(length), frequency), 2)
        self._cosine, self._sine = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
        self._keys = np.zeros((shape.layers, shape.heads, length, self._size), np.float32)
        self._values = np.zeros_like(self._keys)
        self._told = np.zeros((shape.context, shape.width), np.float32)
        self._heard = self._length = 0

    @classmethod
    def read(cls, config: dict[str, Any], tensors: dict[str, Floats], where: Path) -> "Prior":
        """From a configuration and weights. Raises `UserError` if they do not fit each other."""
        shape = shapes.read(PriorShape, config)
        try:
            made = cls(shape, tensors)
            made.begin(Told(0, np.zeros((shape.context, 3), np.int64), np.zeros(shape.lyrics, np.int64) if shape.lyrics else None,
                            np.zeros(shape.upper, np.int64) if shape.upper else None))  # fmt: skip
            logits = made.feed(np.zeros(1, np.int64))
            if logits.shape != (shape.codes,) or len(tensors["codes.weight"]) != shape.codes:
                raise ValueError("another number of codes")
        except (KeyError, ValueError, IndexError, TypeError, MemoryError) as error:
            raise UserError(f"{where} holds weights that do not fit its {own.CONFIG}; train or fetch the model again") from error
        return made

    @classmethod
    def open(cls, folder: Path) -> "Prior":
        """The prior in a model's folder. Raises `UserError`."""
        return cls.read(shapes.config_of(folder, shapes.PRIOR, "prior"), own.read_tensors(folder), folder)

    def begin(self, told: Told) -> None:
        """Forget the window before; the lyrics of this one are heard here."""
        w = self._w
        bins = told.times
        self._told = w["place.weight"][bins[:, 1]] + w["share.weight"][bins[:, 2]]
        if told.upper is not None:
            self._told = self._told + self._conditioned(told.upper)[: len(bins)]
        self._told[0] += w["styles.weight"][told.style] + w["total.weight"][bins[0, 0]]
        self._length = self._heard = 0
        if told.lyrics is not None:
            self._run(w["letters.weight"][told.lyrics])

    def feed(self, codes: Codes) -> Floats:
        """The logits (codes,) of the code after these; the next of the window's, and all it has, count.

        The first call gives what comes first when `codes` is empty. Raises `ValueError` past the window's end.
        """
        return np.asarray(self.feed_all(codes)[-1], np.float32)

    def feed_all(self, codes: Codes) -> Floats:
        """The logits (n, codes) of what follows each place that `codes` fill; the place before the first code is filled, too."""
        first = self._heard == 0
        x = self._w["codes.weight"][codes]
        if first:
            x = np.concatenate((np.zeros((1, self.shape.width), np.float32), x))
        if self._heard + len(x) > len(self._told):
            raise ValueError("longer than the window")
        x = self._run(x + self._told[self._heard : self._heard + len(x)])
        self._heard += len(x)
        return np.asarray(_norm(x, self._w["norm.weight"]) @ self._w["head.weight"].T + self._w["head.bias"], np.float32)

    def _run(self, x: Floats) -> Floats:
        """Rows (n, width) through all layers, kept in mind."""
        w, heads, at, count = self._w, self.shape.heads, self._length, len(x)
        turn = self._cosine[at : at + count], self._sine[at : at + count]
        later = np.triu(np.full((count, at + count), -np.inf, np.float32), at + 1) if count > 1 else None
        for layer in range(self.shape.layers):
            name = f"blocks.{layer}."
            mixed = (_norm(x, w[name + "norm1.weight"]) @ w[name + "qkv.weight"]).reshape(count, 3, heads, self._size)
            q, k, v = mixed.transpose(1, 2, 0, 3)
            q = _turned(_norm(q, w[name + "q_norm.weight"]), *turn)
            self._keys[layer, :, at : at + count] = _turned(_norm(k, w[name + "k_norm.weight"]), *turn)
            self._values[layer, :, at : at + count] = v
            scores = q @ self._keys[layer, :, : at + count].transpose(0, 2, 1) * np.float32(self._size**-0.5)
            if later is not None:
                scores += later
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            scores /= scores.sum(-1, keepdims=True)
            heard = (scores @ self._values[layer, :, : at + count]).transpose(1, 0, 2).reshape(count, -1)
            x = x + heard @ w[name + "out.weight"]
            gate, up = np.split(_norm(x, w[name + "norm2.weight"]) @ w[name + "up.weight"], 2, -1)
            x = x + (gate / (1 + np.exp(-np.clip(gate, -80, 80))) * up) @ w[name + "down.weight"]
        self._length += count
        return x

    def _conditioned(self, upper: Ints) -> Floats:
        w = self._tensors
        x = w["conditioner.codes.weight"][upper]
        for k in range(self.shape.conditioner):
            wide, narrow = f"conditioner.wide.{k}.", f"conditioner.narrow.{k}."
            inner = convolve(np.maximum(x, 0), w[wide + "weight"], w[wide + "bias"], 3**k)
            x = x + convolve(np.maximum(inner, 0), w[narrow + "weight"], w[narrow + "bias"])
        x = spread(x, w["conditioner.spread.weight"], w["conditioner.spread.bias"], self.shape.ratio)
        return _norm(x, w["conditioner.norm.weight"])


def _norm(x: Floats, weight: Floats) -> Floats:
    return np.asarray(x / np.sqrt((x * x).mean(-1, keepdims=True) + EPS) * weight, np.float32)


def _turned(x: Floats, cosine: Floats, sine: Floats) -> Floats:
    half = x.shape[-1] // 2
    return np.asarray(x * cosine + np.concatenate((-x[..., half:], x[..., :half]), -1) * sine, np.float32)
