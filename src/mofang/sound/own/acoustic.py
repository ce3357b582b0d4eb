"""The acoustic model in use, without torch: phonemes to durations and features, in numpy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.models import own
from mofang.sound.frontend.symbols import NUMBERS
from mofang.sound.own.features import SIZE, VOICED
from mofang.studio.errors import UserError

Floats = NDArray[np.float32]

MODEL_TYPE = "acoustic"
SYMBOL_COUNT = max(NUMBERS.values()) + 1
TAPS = 7
"""Of the depthwise convolutions."""
LONGEST = 400
"""Frames of one symbol at most (5 seconds): what a damaged model may ask for."""


@dataclass(frozen=True)
class AcousticShape:
    """Channels, and blocks of the encoder, the duration predictor and the decoder."""

    width: int = 192
    encoder: int = 4
    timing: int = 2
    decoder: int = 6
    speakers: int = 1

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> "AcousticShape":
        """From a configuration. Raises `UserError` if it describes no acoustic model."""
        values = {name: config.get(name) for name in cls.__dataclass_fields__}
        if config.get("model_type") != MODEL_TYPE or not all(type(v) is int and 0 < v <= 2048 for v in values.values()):
            raise UserError("this model's config.json describes no acoustic model; give one trained with --kind acoustic")
        return cls(**values)  # type: ignore[arg-type]


class AcousticModel:
    """`nets.acoustic.Acoustic` with `tensors` (its names)."""

    def __init__(self, shape: AcousticShape, tensors: Mapping[str, Floats]) -> None:
        self.shape, self.tensors = shape, tensors

    @classmethod
    def open(cls, folder: Path) -> "AcousticModel":
        """The acoustic model in a folder. Raises `UserError` if it is none, or damaged."""
        return cls(AcousticShape.read(own.read_config(folder)), own.read_tensors(folder))

    def features(self, symbols: Sequence[int], speaker: int = 0, speed: float = 1.0,
                 given: Sequence[int] | None = None) -> tuple[Floats, NDArray[np.int64]]:  # fmt: skip
        """Features (frames, SIZE) and the frames of each symbol: predicted, or as `given`. Raises `UserError` for weights that
        do not fit."""
        try:
            x, logs = self._encoded(symbols, speaker)
            durations = lengths(logs, speed) if given is None else np.asarray(given, np.int64)
            index, places = regulated(durations)
            y = x[index] + self._linear("place", places)
            for block in range(self.shape.decoder):
                y = self._block(f"decoder.{block}", y)
            out = self._linear("out", self._norm("norm", y))
        except (KeyError, ValueError, IndexError) as error:
            raise UserError(f"the weights of this acoustic model do not fit its configuration ({error}); "
                            "take its folder whole") from error  # fmt: skip
        out[:, VOICED] = 1 / (1 + np.exp(-np.clip(out[:, VOICED], -30, 30)))
        assert out.shape[1] == SIZE
        return out, durations

    def _encoded(self, symbols: Sequence[int], speaker: int) -> tuple[Floats, Floats]:
        x = self.tensors["symbols.weight"][list(symbols)] + self.tensors["speaker.weight"][speaker]
        for block in range(self.shape.encoder):
            x = self._block(f"encoder.{block}", x)
        y = x
        for block in range(self.shape.timing):
            y = self._block(f"timing.{block}", y)
        return x, self._linear("length", y)[:, 0]

    def _block(self, name: str, x: Floats) -> Floats:
        taps = self.tensors[f"{name}.mix.weight"][:, 0]  # (width, TAPS)
        padded = np.pad(x, ((TAPS // 2, TAPS // 2), (0, 0)))
        y = self.tensors[f"{name}.mix.bias"] + sum(padded[k : k + len(x)] * taps[:, k] for k in range(TAPS))
        h = self._linear(f"{name}.wide", self._norm(f"{name}.norm", y))
        gelu = 0.5 * h * (1 + np.tanh(np.float32(0.7978845608) * (h + np.float32(0.044715) * h**3)))
        return np.asarray(x + self._linear(f"{name}.narrow", gelu), np.float32)

    def _linear(self, name: str, x: Floats) -> Floats:
        return np.asarray(x @ self.tensors[f"{name}.weight"].T + self.tensors[f"{name}.bias"], np.float32)

    def _norm(self, name: str, x: Floats) -> Floats:
        centred = x - x.mean(1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(1, keepdims=True) + np.float32(1e-5))
        return np.asarray(scaled * self.tensors[f"{name}.weight"] + self.tensors[f"{name}.bias"], np.float32)


def lengths(logs: Floats, speed: float = 1.0) -> NDArray[np.int64]:
    """Whole frames for predicted ln(1 + duration): rounded at the borders, so that errors do not add up."""
    wanted = np.clip(np.expm1(np.clip(logs.astype(np.float64), 0, 10)) / speed, 0, LONGEST)
    borders = np.round(np.cumsum(wanted)).astype(np.int64)
    durations = np.diff(borders, prepend=0)
    if durations.sum() < 1:
        durations[-1] = 1
    return np.asarray(durations)


def regulated(durations: NDArray[np.int64] | Sequence[int]) -> tuple[NDArray[np.int64], Floats]:
    """For every frame the symbol it belongs to, and where in it: share done, share left, ln of its length (frames, 3)."""
    counts = np.asarray(durations, np.int64)
    index = np.repeat(np.arange(len(counts)), counts)
    starts = np.cumsum(counts) - counts
    length = counts[index].astype(np.float32)
    done = (np.arange(len(index)) - starts[index] + 0.5).astype(np.float32) / np.maximum(length, 1)
    return index, np.stack([done, 1 - done, np.log(np.maximum(length, 1)) / 3], 1).astype(np.float32)
