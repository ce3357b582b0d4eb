"""A WaveNet's tensors as the kernels read them: one flat array in the order of use, and a table of places."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mofang.sound.wavenet.kernels import ROWS
from mofang.sound.wavenet.shape import Shape
from mofang.sound.wavenet.vectors import LANES
from mofang.studio.errors import UserError

Floats = NDArray[np.float32]
Places = NDArray[np.int64]


class Pack:
    """`weights` (flat float32), `table` (layers, 8), `entry` and `exits`: what `kernels.cached` and `naive` take.

    `tensors` are those of `nets.wavenet.WaveNet` by name. Weights that every sample needs follow one another; those that
    eight samples share (conditions, and taps at least eight samples old) come after them.
    """

    def __init__(self, shape: Shape, tensors: Mapping[str, Floats]) -> None:
        self.shape = shape
        self.channels = -(-shape.conditions // 4) * 4
        self._parts: list[Floats] = []
        self._size = 0
        try:
            self._lay(shape, tensors)
        except (KeyError, ValueError, IndexError) as error:
            raise UserError(f"the weights are not those of the network that {shape.layers} layers of {shape.residual} channels "
                            f"would have ({error}); take the model's folder whole") from error  # fmt: skip
        self.weights = _aligned(self._parts, self._size)
        self._parts.clear()

    def _lay(self, shape: Shape, tensors: Mapping[str, Floats]) -> None:
        width, skip = shape.residual, shape.skip
        first = tensors["first.weight"]  # (R, values, 2)
        dilated = [_checked(tensors[f"layers.{k}.dilated.weight"], 2 * width, 2 * width) for k in range(shape.layers)]
        mixes = [
            np.concatenate([_checked(tensors[f"layers.{k}.residual.weight"], width, width),
                            _checked(tensors[f"layers.{k}.skip.weight"], skip, width)]) for k in range(shape.layers)
        ]  # fmt: skip
        is_code = shape.output == "mulaw"
        self.entry: Places = np.array([
            self._matrix(first[:, :, 0]), self._matrix(first[:, :, 1]), self._vector(tensors["first.bias"]),
            is_code, width, self.channels,
        ], np.int64)  # fmt: skip
        self.table: Places = np.zeros((shape.layers, 8), np.int64)
        ring = 0
        for k, dilation in enumerate(shape.dilations):
            past = self._matrix(dilated[k][:, :width]) if dilation < ROWS else 0
            now = self._matrix(dilated[k][:, width:])
            bias = self._vector(tensors[f"layers.{k}.residual.bias"])
            self.table[k] = past, now, self._matrix(mixes[k]), 0, bias, 0, dilation, ring
            ring += dilation * width
        self.ring = ring
        skips = np.stack([tensors[f"layers.{k}.skip.bias"] for k in range(shape.layers)]).sum(0)
        outputs = -(-shape.outputs // LANES) * LANES
        last = np.zeros((outputs, skip), np.float32)
        last[: shape.outputs] = _checked(tensors["last.weight"], shape.outputs, skip)
        last_bias = np.zeros(outputs, np.float32)
        last_bias[: shape.outputs] = tensors["last.bias"]
        self.exits: Places = np.array([
            self._matrix(_checked(tensors["hidden.weight"], skip, skip)), self._vector(tensors["hidden.bias"]),
            self._matrix(last), self._vector(last_bias), skip, outputs, self._vector(skips),
        ], np.int64)  # fmt: skip
        for k, dilation in enumerate(shape.dilations):
            local = np.zeros((2 * width, self.channels), np.float32)
            if shape.conditions:
                local[:, : shape.conditions] = tensors[f"layers.{k}.condition.weight"]
            self.table[k, 5] = self._grouped(local)
            self.table[k, 3] = self._vector(tensors[f"layers.{k}.dilated.bias"])
            if dilation >= ROWS:
                self.table[k, 0] = self._grouped(dilated[k][:, :width])

    def _vector(self, values: Floats) -> int:
        at = self._size
        padded = -(-values.size // LANES) * LANES
        self._parts.append(np.pad(np.ascontiguousarray(values, np.float32).ravel(), (0, padded - values.size)))
        self._size += padded
        return at

    def _matrix(self, weights: Floats) -> int:
        """(outputs, inputs) as (inputs, outputs)."""
        return self._vector(weights.T)

    def _grouped(self, weights: Floats) -> int:
        """(outputs, inputs) as (outputs / 16, inputs, 16)."""
        outputs, inputs = weights.shape
        return self._vector(weights.reshape(outputs // LANES, LANES, inputs).transpose(0, 2, 1))


def _checked(tensor: Floats, *shape: int) -> Floats:
    if tensor.shape != shape:
        raise ValueError(f"a tensor of {tensor.shape} stands where {shape} belongs")
    return tensor


def _aligned(parts: list[Floats], size: int) -> Floats:
    # Loads that cross cache lines cost double, and numpy promises sixteen bytes only.
    room = np.empty(size + LANES, np.float32)
    start = -room.ctypes.data % 64 // 4
    whole = room[start : start + size]
    at = 0
    for part in parts:
        whole[at : at + part.size] = part
        at += part.size
    return whole
