"""Mix: recordings one over another, each with its level, its side and its moment; the rest ducked under the first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mofang.sound import mix as desk
from mofang.sound.edit.source import Sound
from mofang.sound.loudness import limit
from mofang.sound.pcm import resample
from mofang.studio.errors import UserError


@dataclass(frozen=True, eq=False)
class Layer:
    """A sound with its `gain` in dB, `pan` (−1 left … 1 right) and `start` in seconds."""

    sound: Sound
    gain: float = 0.0
    pan: float = 0.0
    start: float = 0.0


def mix(layers: Sequence[Layer], duck: float = 0.0) -> Sound:
    """All layers as stereo at 48 kHz, nothing above −1 dBTP. `duck` dB: how far the others go down under the first."""
    length = max(round(layer.start * desk.RATE) + round(layer.sound.seconds * desk.RATE) for layer in layers)
    if length > desk.LONGEST * desk.RATE:
        raise UserError(f"the mix would last {length / desk.RATE / 60:.0f} minutes; {desk.LONGEST // 60} are mixed at most")
    placed = [_placed(layer, length) for layer in layers]
    first, others = placed[0], sum(placed[1:], np.zeros((length, 2), np.float32))
    if duck > 0:
        others = desk.duck(others, first, desk.Ducking(depth=duck))
    return Sound(limit(first + others, desk.RATE, -1.0), desk.RATE)


def _placed(layer: Layer, length: int) -> np.typing.NDArray[np.float32]:
    samples = resample(layer.sound.samples, layer.sound.rate, desk.RATE)
    sides = balance(layer.pan)
    stereo = (np.repeat(samples, 2, 1) if samples.shape[1] == 1 else samples) * np.asarray(sides, np.float32)
    return desk.place([desk.Clip(stereo, desk.RATE, layer.start, layer.gain)], length)


def balance(pan: float) -> tuple[float, float]:
    """Gains of left and right: equal power, 1 and 1 in the middle, √2 and 0 on the left."""
    angle = (min(max(pan, -1.0), 1.0) + 1) * np.pi / 4
    return float(np.sqrt(2) * np.cos(angle)), float(np.sqrt(2) * np.sin(angle))
