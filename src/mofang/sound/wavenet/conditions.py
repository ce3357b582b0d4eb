"""Acoustic features of frames as what conditions each sample, without torch: `nets.wavenet.Upsampler` in numpy."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mofang.sound.wavenet.shape import Shape

Floats = NDArray[np.float32]


BLOCK, MARGIN = 400, 3
"""Frames upsampled at a time, and those on either side that have a say in them."""


def upsampled(shape: Shape, tensors: Mapping[str, Floats], features: Floats) -> Floats:
    """Features (frames, F) as (frames · hop, conditioning)."""
    padded = np.pad(features, ((1, 1), (0, 0)))
    wide = np.concatenate([padded[:-2], padded[1:-1], padded[2:]], 1)
    weight = tensors["upsampler.widen.weight"]  # (conditioning, F, 3)
    y = wide @ weight.transpose(2, 1, 0).reshape(-1, len(weight)) + tensors["upsampler.widen.bias"]
    for k, stride in enumerate(shape.upsampling):
        y = np.where(y > 0, y, np.float32(0.2) * y)
        y = _stretched(y, stride, tensors[f"upsampler.stretch.{k}.weight"], tensors[f"upsampler.stretch.{k}.bias"])
    return np.asarray(y, np.float32)


def _stretched(y: Floats, stride: int, weight: Floats, bias: Floats) -> Floats:
    """A transposed convolution: every row adds its `size` outputs to those of its neighbours."""
    count, (inputs, outputs, size) = len(y), weight.shape
    pieces = (y @ weight.transpose(0, 2, 1).reshape(inputs, size * outputs)).reshape(count, size, outputs)
    chunks = -(-size // stride)
    whole = np.zeros((count + chunks - 1, stride, outputs), np.float32)
    for chunk in range(chunks):
        part = pieces[:, chunk * stride : (chunk + 1) * stride]
        whole[chunk : chunk + count, : part.shape[1]] += part
    crop = (stride + 1) // 2
    return whole.reshape(-1, outputs)[crop : crop + count * stride] + bias


def conditions(shape: Shape, tensors: Mapping[str, Floats], features: Floats | None, speaker: int, samples: int,
               channels: int, rows: int) -> Floats:  # fmt: skip
    """What conditions each of `samples` samples: flat, (samples padded to `rows`) × `channels`, zeros where there is nothing."""
    length = -(-samples // rows) * rows
    whole = np.zeros((length, channels), np.float32)
    at = 0
    if shape.features:
        assert features is not None and len(features) * shape.hop >= samples
        for first in range(0, -(-samples // shape.hop), BLOCK):
            low, high = max(0, first - MARGIN), min(len(features), first + BLOCK + MARGIN)
            local = upsampled(shape, tensors, features[low:high])[(first - low) * shape.hop :]
            start, end = first * shape.hop, min((first + BLOCK) * shape.hop, samples)
            whole[start:end, : shape.conditioning] = local[: end - start]
        at = shape.conditioning
    if shape.speakers:
        whole[:, at : at + shape.speaker] = tensors["speaker.weight"][speaker]
    return whole.ravel()
