"""One step of a network for some rows, compiled: what a token costs between two Python calls.

A kernel computes whole rows by itself, so two threads share the rows of a batch without ever waiting for one another.
Arithmetic is float32, products of quantised weights are integers (see `pack`).
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload

from mofang.text.infer import vectors
from mofang.text.infer.vectors import BLOCK, LANES

_STAMP = sha256(b"".join(Path(str(file)).read_bytes() for file in (vectors.__file__, __file__))).hexdigest()[:12]

SPARE = 8
"""Rows every activation has to spare: rows are computed in tiles of eight, four or one."""

_float8, _float4, _float1x4, _float1 = (vectors.float_tile(rows, groups) for rows, groups in ((8, 1), (4, 1), (1, 4), (1, 1)))
_byte8, _byte4, _byte1 = (vectors.byte_tile(rows, groups) for rows, groups in ((8, 1), (4, 2), (1, 4)))


def compiled(function: Callable[..., Any], loose: frozenset[str] = frozenset(("contract",))) -> Callable[..., Any]:
    """The function as machine code, kept on disk for the next process where a folder can be written to."""
    # What is kept is named by all that goes into it: numba looks at the one file a function stands in, not at what it calls.
    function.__qualname__ += f"_{_STAMP}"
    settings: dict[str, Any] = {"nogil": True, "fastmath": set(loose), "error_model": "numpy"}
    try:
        return njit(cache=True, **settings)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # No folder for it: compile anew in each process.
        return njit(**settings)(function)  # type: ignore[no-any-return]


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    # Only sums and maxima may be taken in another order, which is what lets them be vectorised.
    return compiled(function, frozenset(("contract", "reassoc", "nsz", "nnan")))


@_reduction
def total_of(x):
    """Σ x."""
    total = np.float32(0)
    for i in range(x.size):
        total += x[i]
    return total


@_reduction
def squares_of(x):
    """Σ x²."""
    total = np.float32(0)
    for i in range(x.size):
        total += x[i] * x[i]
    return total


@_reduction
def top_of(x):
    """The largest of x."""
    top = x[0]
    for i in range(x.size):
        top = max(top, x[i])
    return top


@compiled
def product(w, at, groups, inputs, x, x_at, x_stride, rows, out, out_at, out_stride):
    """out = x·Wᵀ with float weights (or keys, or values) packed by sixteen; rows past `rows` may be overwritten."""
    step = inputs * LANES
    done = 0
    while done < rows:
        left = rows - done
        size = 8 if left > 4 else (4 if left > 1 else 1)
        x0, o0 = x_at + done * x_stride, out_at + done * out_stride
        group = 0
        if size == 1:
            while group + 4 <= groups:
                _float1x4(w, at + group * step, step, x, x0, x_stride, inputs, out, o0 + group * LANES, out_stride)
                group += 4
        while group < groups:
            place = at + group * step
            if size == 8:
                _float8(w, place, step, x, x0, x_stride, inputs, out, o0 + group * LANES, out_stride)
            elif size == 4:
                _float4(w, place, step, x, x0, x_stride, inputs, out, o0 + group * LANES, out_stride)
            else:
                _float1(w, place, step, x, x0, x_stride, inputs, out, o0 + group * LANES, out_stride)
            group += 1
        done += size


@compiled
def quantise(x, rows, inputs, codes, scales, sums):
    """Rows as signed bytes, one scale for every 64 inputs; `sums` is −128 times the sum of a block's codes."""
    blocks, width = codes.shape[1] // BLOCK, x.shape[1]
    rest = np.zeros(BLOCK, np.float32)
    for row in range(rows):
        for block in range(inputs // BLOCK):
            at = row * blocks + block
            vectors.quantise_block(x, row * width + block * BLOCK, codes, at * BLOCK, scales, sums, at)
        if inputs % BLOCK:
            for i in range(inputs % BLOCK):
                rest[i] = x[row, inputs - inputs % BLOCK + i]
            at = row * blocks + blocks - 1
            vectors.quantise_block(rest, 0, codes, at * BLOCK, scales, sums, at)


@compiled
def linear(bytes_, floats, place, x, rows, inputs, out):
    """out[:rows] = x[:rows, :inputs]·Wᵀ, the matrix W at `place` (see `Pack.matrix`)."""
    at, s_at, outputs, padded = place[0], place[1], place[2], place[3]
    if bytes_.size == 0:
        product(floats, at, outputs // LANES, padded, x, 0, x.shape[1], rows, out, 0, out.shape[1])
        return
    blocks = padded // BLOCK
    codes = np.empty((rows + SPARE, padded), np.int8)
    scales = np.empty((rows + SPARE, blocks), np.float32)
    sums = np.empty((rows + SPARE, blocks), np.int32)
    quantise(x, rows, inputs, codes, scales, sums)
    step, s_step, width = padded * LANES, blocks * LANES, out.shape[1]
    for group in range(0, outputs // LANES, 4):  # Four groups of weights stay in the first cache for all rows.
        done = 0
        while done < rows:
            left = rows - done
            if left > 4:
                for g in range(group, group + 4):
                    _byte8(bytes_, at + g * step, step, floats, s_at + g * s_step, s_step, codes, done * padded, padded,
                           scales, sums, done * blocks, blocks, blocks, out, done * width + g * LANES, width)  # fmt: skip
                done += 8
            elif left > 1:
                for g in range(group, group + 4, 2):
                    _byte4(bytes_, at + g * step, step, floats, s_at + g * s_step, s_step, codes, done * padded, padded,
                           scales, sums, done * blocks, blocks, blocks, out, done * width + g * LANES, width)  # fmt: skip
                done += 4
            else:
                _byte1(bytes_, at + group * step, step, floats, s_at + group * s_step, s_step, codes, done * padded, padded,
                       scales, sums, done * blocks, blocks, blocks, out, done * width + group * LANES, width)  # fmt: skip
                done += 1


@compiled
def rms_norm(x, weight, epsilon, out):
    """out = x / √(mean x² + ε) · weight (arXiv:1910.07467)."""
    # Every elementwise loop runs from zero over slices: the compiler cannot vectorise an index that might be negative.
    scale = np.float32(1) / np.sqrt(squares_of(x) / np.float32(x.size) + np.float32(epsilon))
    for i in range(x.size):
        out[i] = x[i] * scale * weight[i]


@compiled
def rotate(x, cos, sin, scale):
    """Rotary position (arXiv:2104.09864), halves against each other as in Hugging Face's models, times `scale`."""
    half = x.size // 2
    first, second = x[:half], x[half:]
    for i in range(half):
        a, b = first[i], second[i]
        c, s = cos[i] * scale, sin[i] * scale
        first[i] = a * c - b * s
        second[i] = b * c + a * s


@compiled
def add(x, y):
    """x += y."""
    for i in range(x.size):
        x[i] += y[i]


@compiled
def swiglu(gate, up):
    """gate = gate · σ(gate) · up (arXiv:2002.05202)."""
    for i in range(gate.size):
        gate[i] = gate[i] / (np.float32(1) + vectors.exp(-gate[i])) * up[i]


@compiled
def exponentials(x, top):
    """x = e^(x − top)."""
    for i in range(x.size):
        x[i] = vectors.exp(x[i] - top)


def _kept_as(cache, value):
    return value


@overload(_kept_as)
def _kept_as_compiled(cache, value):
    if cache.dtype == types.uint16:
        return lambda cache, value: vectors.shorten(value)
    return lambda cache, value: value


@compiled
def attend(qkv, row, heads, shared, size, keys, key_at, values, value_at, room, length, out):
    """One row's attention to `length` positions; `shared` heads of keys and values, laid out like packed weights."""
    each = heads // shared
    wide = values.shape[5] * values.shape[3]
    groups = (length + LANES - 1) // LANES
    scores = np.empty((each + SPARE, groups * LANES), np.float32)
    mixed = np.empty((each + SPARE, wide), np.float32)
    width = qkv.shape[1]
    for head in range(shared):
        q_at = row * width + head * each * size
        product(keys, key_at + head * room * size, groups, size, qkv, q_at, size, each, scores, 0, groups * LANES)
        for h in range(each):
            row_ = scores[h, :length]
            exponentials(row_, top_of(row_))
        # A head's values are `room` long for each group of sixteen channels, of which `length` are read.
        for group in range(wide // LANES):
            at = value_at + head * room * wide + group * room * LANES
            product(values, at, 1, length, scores, 0, groups * LANES, each, mixed, group * LANES, wide)
        for h in range(each):
            inverse = np.float32(1) / total_of(scores[h, :length])
            target, source = out[row, (head * each + h) * size :], mixed[h, :size]
            for i in range(size):
                target[i] = source[i] * inverse


@compiled
def transformer(bytes_, floats, table, last, shape, epsilon, embedding, cos, sin, keys, values, ids, first, end, start, every, out):
    """Feed sequences `first`…`end` of ids (B, T) at position `start`; writes `out` (B, V), or (B, T, V) flattened if `every`.

    `keys` (B, L, H, room/16, size, 16) and `values` (B, L, H, wide/16, room, 16) are read and extended.
    """
    heads, shared, size, inner, vocabulary = shape[0], shape[1], shape[2], shape[3], shape[4]
    steps, hidden = ids.shape[1], embedding.shape[1]
    rows, room = (end - first) * steps, keys.shape[3] * LANES
    wide = values.shape[3] * LANES
    x = np.empty((rows + SPARE, hidden), np.float32)
    normed = np.empty((rows + SPARE, hidden), np.float32)
    qkv = np.empty((rows + SPARE, table[0, 3]), np.float32)
    mixed = np.empty((rows + SPARE, heads * size), np.float32)
    added = np.empty((rows + SPARE, max(table[0, 9], table[0, 18])), np.float32)
    gates = np.empty((rows + SPARE, table[0, 14]), np.float32)
    scale = np.float32(1) / np.sqrt(np.float32(size))
    one = np.float32(1)
    for row in range(rows):
        x[row] = embedding[ids[first + row // steps, row % steps]]
    for layer in range(table.shape[0]):
        place = table[layer]
        for row in range(rows):
            rms_norm(x[row], floats[place[0] :], epsilon, normed[row])
        linear(bytes_, floats, place[1:5], normed, rows, hidden, qkv)
        for row in range(rows):
            sequence, position = first + row // steps, start + row % steps
            for head in range(heads + shared):
                part = qkv[row, head * size : (head + 1) * size]
                rms_norm(part, floats[place[5] if head < heads else place[6] :], epsilon, part)
                rotate(part, cos[position], sin[position], scale if head < heads else one)
            for head in range(shared):
                k_at, v_at = (heads + head) * size, (heads + shared + head) * size
                for i in range(size):
                    keys[sequence, layer, head, position // LANES, i, position % LANES] = _kept_as(keys, qkv[row, k_at + i])
                    values[sequence, layer, head, i // LANES, position, i % LANES] = _kept_as(values, qkv[row, v_at + i])
        for row in range(rows):
            number = (first + row // steps) * table.shape[0] + layer
            attend(qkv, row, heads, shared, size, keys, number * shared * room * size, values, number * shared * room * wide,
                   room, start + row % steps + 1, mixed)  # fmt: skip
        linear(bytes_, floats, place[7:11], mixed, rows, heads * size, added)
        for row in range(rows):
            add(x[row], added[row])
            rms_norm(x[row], floats[place[11] :], epsilon, normed[row])
        linear(bytes_, floats, place[12:16], normed, rows, hidden, gates)
        for row in range(rows):
            swiglu(gates[row, :inner], gates[row, inner : 2 * inner])
        linear(bytes_, floats, place[16:20], gates, rows, inner, added)
        for row in range(rows):
            add(x[row], added[row])
    kept = rows if every else end - first
    for row in range(kept):
        rms_norm(x[row if every else row * steps + steps - 1], floats[last[0] :], epsilon, normed[row])
    logits = np.empty((kept + SPARE, last[3]), np.float32)
    linear(bytes_, floats, last[1:5], normed, kept, hidden, logits)
    for row in range(kept):
        out[first * (steps if every else 1) + row] = logits[row, :vocabulary]
