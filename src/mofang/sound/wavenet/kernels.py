"""One sample of a WaveNet after another, compiled: cached (fast-WaveNet queues, arXiv:1611.09482) and naive.

Both evaluations are built from the same products and the same gate, in the same order, so that their samples are equal
to the bit. All arrays are flat float32; `table` says where a layer's weights lie (see `pack.Pack`).
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from mofang.sound.wavenet import vectors
from mofang.sound.wavenet.vectors import LANES

ROWS = 8
"""Samples whose products with conditions and with old activations are made together."""

PAST, NOW, MIX, BIAS, MIX_BIAS, LOCAL, DILATION, RING = range(8)
"""Columns of the table."""

_STAMP = sha256(b"".join(Path(str(file)).read_bytes() for file in (vectors.__file__, __file__))).hexdigest()[:12]
_one8, _one4, _one1 = (vectors.tile(1, groups, 4) for groups in (8, 4, 1))
_eight = vectors.tile(ROWS, 1, 2)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as machine code, kept on disk for the next process where a folder can be written to."""
    # Named by all that goes into it: numba looks at the one file a function stands in, not at what it calls.
    function.__qualname__ += f"_{_STAMP}"
    settings: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        return njit(cache=True, **settings)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # No folder for it: compile anew in each process.
        return njit(**settings)(function)  # type: ignore[no-any-return]


@compiled
def row(w, at, width, x, x_at, inputs, out, out_at):
    """out[:width] += x·W for one row, W at `at` as (inputs, width)."""
    done = 0
    while done < width:
        left = (width - done) // LANES
        if left >= 8:
            _one8(w, at + done, width, x, x_at, 0, inputs, out, out_at + done, 0)
            done += 8 * LANES
        elif left >= 4:
            _one4(w, at + done, width, x, x_at, 0, inputs, out, out_at + done, 0)
            done += 4 * LANES
        else:
            _one1(w, at + done, width, x, x_at, 0, inputs, out, out_at + done, 0)
            done += LANES


@compiled
def rows(w, at, width, x, x_at, x_stride, inputs, out, out_at, count):
    """out[:count, :width] += x[:count]·W, W at `at` as (width / 16, inputs, 16); eight rows at a time."""
    for group in range(width // LANES):
        for first in range(0, count, ROWS):
            _eight(w, at + group * inputs * LANES, LANES, x, x_at + first * x_stride, x_stride, inputs,
                   out, out_at + first * width + group * LANES, width)  # fmt: skip


@compiled
def enter(w, entry, before, last, out, out_at, width):
    """The first causal convolution: out = bias + W_past·x[t−2] + W_now·x[t−1]. Of a code, W's row; of a sample, W times it."""
    past, now, bias, is_code = entry[0], entry[1], entry[2], entry[3]
    # One fused loop for each case keeps the sum in one order: bias, past, now.
    if is_code:
        for i in range(width):
            out[out_at + i] = w[bias + i]
        if before >= 0:
            for i in range(width):
                out[out_at + i] += w[past + np.int64(before) * width + i]
        if last >= 0:
            for i in range(width):
                out[out_at + i] += w[now + np.int64(last) * width + i]
    else:
        for i in range(width):
            out[out_at + i] = w[bias + i]
        for i in range(width):
            out[out_at + i] += np.float32(before) * w[past + i]
        for i in range(width):
            out[out_at + i] += np.float32(last) * w[now + i]


@compiled
def leave(w, exits, skips, at, hidden, logits):
    """ReLU, 1×1, ReLU, 1×1 from the sum of skips to the logits."""
    first, first_bias, second, second_bias, skip, outputs = exits[0], exits[1], exits[2], exits[3], exits[4], exits[5]
    for i in range(skip):
        hidden[i] = max(skips[at + i], np.float32(0))
    for i in range(skip):
        hidden[skip + i] = w[first_bias + i]
    row(w, first, skip, hidden, 0, skip, hidden, skip)
    for i in range(skip):
        hidden[skip + i] = max(hidden[skip + i], np.float32(0))
    for i in range(outputs):
        logits[i] = w[second_bias + i]
    row(w, second, outputs, hidden, skip, skip, logits, 0)


@compiled
def draw_code(logits, count, temperature, chance):
    """A code from the softmax of the logits at a temperature, by inversion of its distribution at `chance` in [0, 1)."""
    top, best = logits[0], 0
    for i in range(count):
        if logits[i] > top:
            top, best = logits[i], i
    if temperature <= 0:
        return best
    vectors.exponentials(logits, 0, count, top, np.float32(1) / np.float32(temperature))
    total = np.float32(0)
    for i in range(count):
        total += logits[i]
        logits[i] = total
    wanted = np.float32(chance) * total
    for i in range(count):
        if wanted < logits[i]:
            return i
    return count - 1


@compiled
def draw_logistic(logits, mixtures, temperature, chance, place):
    """A sample in [−1, 1] from a mixture of logistics; `chance` picks the component, `place` the value within it.

    `temperature` flattens or sharpens the weights and scales the widths; 0 is the mean of the likeliest component.
    """
    top, best = logits[0], 0
    for i in range(mixtures):
        if logits[i] > top:
            top, best = logits[i], i
    if temperature > 0:
        total = 0.0
        for i in range(mixtures):
            total += np.exp((np.float64(logits[i]) - top) / temperature)
        wanted, running = chance * total, 0.0
        for i in range(mixtures):
            running += np.exp((np.float64(logits[i]) - top) / temperature)
            if wanted < running:
                best = i
                break
    value = np.float64(logits[mixtures + best])
    if temperature > 0:
        u = min(max(place, 1e-5), 1 - 1e-5)
        value += temperature * np.exp(np.float64(logits[2 * mixtures + best])) * (np.log(u) - np.log(1 - u))
    return np.float32(min(max(value, -1.0), 1.0))


@compiled
def drawn(logits, is_code, outputs, mixtures, temperature, chance, place):
    """The next sample: a code, or a value, as float32."""
    if is_code:
        return np.float32(draw_code(logits, outputs, temperature, chance))
    return draw_logistic(logits, mixtures, temperature, chance, place)


@compiled
def cached(w, table, entry, exits, conditions, chances, temperature, mixtures, rings, recent, start, samples):
    """Make samples[start:] (up to a multiple of ROWS, or the end), going on from the activations kept in `rings`.

    `conditions` (T padded to ROWS, C) and `chances` (T, 2) are for all of `samples`; `recent` holds x[t−2], x[t−1].
    """
    layers, width, skip, outputs, is_code = table.shape[0], entry[4], exits[4], exits[5], entry[3]
    channels = entry[5]
    gates = np.empty(layers * ROWS * 2 * width, np.float32)
    stream = np.empty(width + skip, np.float32)
    z = np.empty(width, np.float32)
    hidden = np.empty(2 * skip, np.float32)
    logits = np.empty(outputs, np.float32)
    for block in range(start, samples.size, ROWS):
        # What does not depend on the samples to come, for eight of them at a time: a weight is loaded once for all.
        for layer in range(layers):
            at = layer * ROWS * 2 * width
            for r in range(ROWS):
                for i in range(2 * width):
                    gates[at + r * 2 * width + i] = w[table[layer, BIAS] + i]
            rows(w, table[layer, LOCAL], 2 * width, conditions, block * channels, channels, channels, gates, at, ROWS)
            dilation = table[layer, DILATION]
            if dilation >= ROWS:
                old = table[layer, RING] + block % dilation * width
                rows(w, table[layer, PAST], 2 * width, rings, old, width, width, gates, at, ROWS)
        for t in range(block, min(block + ROWS, samples.size)):
            enter(w, entry, recent[0], recent[1], stream, 0, width)
            for i in range(skip):
                stream[width + i] = w[exits[6] + i]
            for layer in range(layers):
                dilation = table[layer, DILATION]
                at = (layer * ROWS + t - block) * 2 * width
                place = table[layer, RING] + t % dilation * width
                if dilation < ROWS:
                    row(w, table[layer, PAST], 2 * width, rings, place, width, gates, at)
                row(w, table[layer, NOW], 2 * width, stream, 0, width, gates, at)
                for i in range(width):
                    rings[place + i] = stream[i]
                vectors.gated(gates, at, width, z, 0)
                for i in range(width):
                    stream[i] += w[table[layer, MIX_BIAS] + i]
                row(w, table[layer, MIX], width + skip, z, 0, width, stream, 0)
            leave(w, exits, stream, width, hidden, logits)
            value = drawn(logits, is_code, outputs, mixtures, temperature, chances[t, 0], chances[t, 1])
            samples[t] = value
            recent[0], recent[1] = recent[1], value


@compiled
def _regroup(w, at, inputs, width, out):
    """A matrix (inputs, width) as (width / 16, inputs, 16)."""
    for group in range(width // LANES):
        for k in range(inputs):
            for i in range(LANES):
                out[(group * inputs + k) * LANES + i] = w[at + k * width + group * LANES + i]


@compiled
def naive(w, table, entry, exits, conditions, chances, temperature, mixtures, empty, field, start, samples):
    """Make samples[start:] by evaluating the whole network over its whole receptive field for every one of them.

    Arguments as in `cached`, without a state: `field` is the receptive field, `empty` what stands before the beginning.
    """
    layers, width, skip, outputs, is_code = table.shape[0], entry[4], exits[4], exits[5], entry[3]
    channels, both = entry[5], width + skip
    pad = 0
    for layer in range(layers):
        pad = max(pad, table[layer, DILATION])
    length = (field - 1 + ROWS - 1) // ROWS * ROWS
    x = np.zeros((pad + length + ROWS) * width, np.float32)
    gates = np.empty((length + ROWS) * 2 * width, np.float32)
    z = np.empty((length + ROWS) * width, np.float32)
    streams = np.empty((length + ROWS) * both, np.float32)
    packed = np.empty(width * max(2 * width, both), np.float32)
    hidden = np.empty(2 * skip, np.float32)
    logits = np.empty(outputs, np.float32)
    for t in range(start, samples.size):
        first = max(0, t - field + 2)
        count = t - first + 1
        for p in range(count):
            before = samples[first + p - 2] if first + p >= 2 else empty
            last = samples[first + p - 1] if first + p >= 1 else empty
            enter(w, entry, before, last, streams, p * both, width)
            for i in range(skip):
                streams[p * both + width + i] = w[exits[6] + i]
        for layer in range(layers):
            dilation = table[layer, DILATION]
            for p in range(count):
                for i in range(width):
                    x[(pad + p) * width + i] = streams[p * both + i]
                for i in range(2 * width):
                    gates[p * 2 * width + i] = w[table[layer, BIAS] + i]
            rows(w, table[layer, LOCAL], 2 * width, conditions, first * channels, channels, channels, gates, 0, count)
            past = table[layer, PAST]
            if dilation >= ROWS:
                rows(w, past, 2 * width, x, (pad - dilation) * width, width, width, gates, 0, count)
            else:
                _regroup(w, past, width, 2 * width, packed)
                rows(packed, 0, 2 * width, x, (pad - dilation) * width, width, width, gates, 0, count)
            _regroup(w, table[layer, NOW], width, 2 * width, packed)
            rows(packed, 0, 2 * width, x, pad * width, width, width, gates, 0, count)
            for p in range(count):
                vectors.gated(gates, p * 2 * width, width, z, p * width)
                for i in range(width):
                    streams[p * both + i] += w[table[layer, MIX_BIAS] + i]
            _regroup(w, table[layer, MIX], width, both, packed)
            rows(packed, 0, both, z, 0, width, width, streams, 0, count)
        leave(w, exits, streams, (count - 1) * both + width, hidden, logits)
        samples[t] = drawn(logits, is_code, outputs, mixtures, temperature, chances[t, 0], chances[t, 1])
