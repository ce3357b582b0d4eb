"""Sound from a trained WaveNet: one core, no torch."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.models import own
from mofang.sound import mulaw
from mofang.sound.wavenet import kernels
from mofang.sound.wavenet.conditions import conditions
from mofang.sound.wavenet.emphasis import flattened
from mofang.sound.wavenet.pack import Pack
from mofang.sound.wavenet.shape import Shape
from mofang.studio.errors import UserError
from mofang.studio.progress import Progress, silent

Floats = NDArray[np.float32]

CHUNK = 4000
"""Samples between two reports of progress, a multiple of `kernels.ROWS`."""
LONGEST = 300
"""Seconds in one call: the conditions of all samples are in memory, a gigabyte for that long."""


class Sampler:
    """Draws samples from the network with `tensors` (names as in `nets.wavenet.WaveNet`)."""

    def __init__(self, shape: Shape, tensors: Mapping[str, Floats]) -> None:
        self.shape, self.tensors = shape, tensors

    @classmethod
    def open(cls, folder: Path) -> "Sampler":
        """The WaveNet in a model's folder. Raises `UserError` if it is none, or damaged."""
        return cls(Shape.read(own.read_config(folder)), own.read_tensors(folder))

    @cached_property
    def pack(self) -> Pack:
        """The weights as the kernels read them."""
        return Pack(self.shape, self.tensors)

    def sample(self, features: Floats | None = None, *, length: int | None = None, speaker: int = 0, temperature: float = 1.0,
               seed: int = 0, naive: bool = False, progress: Progress = silent) -> Floats:  # fmt: skip
        """Samples in [−1, 1] at `shape.rate` Hz: as long as the features (frames, F), or `length` of them.

        `temperature` 0 takes the likeliest value each time. `naive` evaluates the whole network for every sample: the
        same samples to the bit, three orders of magnitude later. Raises `UserError` for features of another shape.
        """
        shape, pack = self.shape, self.pack
        if shape.features and (features is None or features.ndim != 2 or features.shape[1] != shape.features):
            raise UserError(f"this WaveNet takes frames of {shape.features} features; prepare them with the model's own settings")
        if not 0 <= speaker < max(1, shape.speakers):
            raise UserError(f"there is no speaker {speaker}; this model has {max(1, shape.speakers)}, counted from 0")
        whole = 0 if features is None else len(features) * shape.hop
        count = whole if length is None else (min(length, whole) if shape.features else length)
        if count > LONGEST * shape.rate:
            raise UserError(f"{count / shape.rate:.0f} seconds are too much at once; make at most {LONGEST}, phrase by phrase")
        given = conditions(shape, self.tensors, features, speaker, count, pack.channels, kernels.ROWS)
        chances = np.random.default_rng(seed).random((count, 2))
        empty = np.float32(-1 if shape.output == "mulaw" else 0)
        drawn = np.zeros(count, np.float32)
        rings, recent = np.zeros(pack.ring, np.float32), np.full(2, empty)
        fixed = (pack.weights, pack.table, pack.entry, pack.exits, given, chances, float(temperature), shape.mixtures)
        for start in range(0, count, CHUNK):
            progress(start / count, "")
            upto = drawn[: start + CHUNK]
            if naive:
                kernels.naive(*fixed, empty, shape.receptive_field, start, upto)
            else:
                kernels.cached(*fixed, rings, recent, start, upto)
        progress(1.0, "")
        sound = mulaw.decode(drawn.astype(np.int64)) if shape.output == "mulaw" else drawn
        return np.asarray(flattened(sound, shape.emphasis), np.float32) if shape.emphasis else sound
