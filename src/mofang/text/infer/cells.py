"""One step of a recurrent network for some rows, compiled. The equations are those of torch's RNN, GRU and LSTM."""

import numpy as np

from mofang.text.infer import vectors
from mofang.text.infer.kernels import SPARE, add, compiled, linear


@compiled
def sigmoid(x):
    """1 / (1 + e^−x)."""
    return np.float32(1) / (np.float32(1) + vectors.exp(-x))


@compiled
def tanh(x):
    """Hyperbolic tangent by the exponential: 1 − 2 / (1 + e^2x)."""
    return np.float32(1) - np.float32(2) / (np.float32(1) + vectors.exp(np.float32(2) * x))


@compiled
def simple(a, b, h):
    """h = tanh(a + b): what comes from the input and what comes from the state, biases in both."""
    for i in range(h.size):
        h[i] = tanh(a[i] + b[i])


@compiled
def gru(a, b, h):
    """Gates r, z, n: h = (1 − z)·n + z·h with n = tanh(a_n + r·b_n) (arXiv:1406.1078)."""
    n = h.size
    reset_a, update_a, new_a = a[:n], a[n : 2 * n], a[2 * n : 3 * n]
    reset_b, update_b, new_b = b[:n], b[n : 2 * n], b[2 * n : 3 * n]
    for i in range(n):
        new_a[i] = tanh(new_a[i] + sigmoid(reset_a[i] + reset_b[i]) * new_b[i])
    for i in range(n):
        update = sigmoid(update_a[i] + update_b[i])
        h[i] = (np.float32(1) - update) * new_a[i] + update * h[i]


@compiled
def lstm(a, b, h, c):
    """Gates i, f, g, o: c = f·c + i·g, h = o·tanh(c) (Hochreiter and Schmidhuber 1997; Gers 2000)."""
    n = h.size
    add(a, b)
    enter, forget, new, leave = a[:n], a[n : 2 * n], a[2 * n : 3 * n], a[3 * n : 4 * n]
    for i in range(n):
        c[i] = sigmoid(forget[i]) * c[i] + sigmoid(enter[i]) * tanh(new[i])
    for i in range(n):
        h[i] = sigmoid(leave[i]) * tanh(c[i])


@compiled
def recurrent(bytes_, floats, table, last, shape, embedding, hidden, cell, ids, first, end, every, out):
    """Feed sequences `first`…`end` of ids (B, T), changing `hidden` and `cell` (B, L, H); writes `out` like `transformer`."""
    kind, size, vocabulary = shape[0], shape[1], shape[2]
    rows, steps, inputs = end - first, ids.shape[1], embedding.shape[1]
    x = np.empty((rows + SPARE, max(inputs, size)), np.float32)
    old = np.empty((rows + SPARE, size), np.float32)
    from_input = np.empty((rows + SPARE, table[0, 2]), np.float32)
    from_state = np.empty((rows + SPARE, table[0, 2]), np.float32)
    logits = np.empty((rows + SPARE, last[2]), np.float32)
    for step in range(steps):
        for row in range(rows):
            x[row, :inputs] = embedding[ids[first + row, step]]
        width = inputs
        for layer in range(table.shape[0]):
            place = table[layer]
            for row in range(rows):
                old[row] = hidden[first + row, layer]
            linear(bytes_, floats, place[0:4], x, rows, width, from_input)
            linear(bytes_, floats, place[4:8], old, rows, size, from_state)
            for row in range(rows):
                a, b, h, c = from_input[row], from_state[row], hidden[first + row, layer], cell[first + row, layer]
                add(a, floats[place[8] :])
                add(b, floats[place[9] :])
                if kind == 0:
                    simple(a, b, h)
                elif kind == 1:
                    gru(a, b, h)
                else:
                    lstm(a, b, h, c)
                x[row, :size] = h
            width = size
        if every or step == steps - 1:
            linear(bytes_, floats, last[0:4], x, rows, size, logits)
            for row in range(rows):
                target = out[(first + row) * steps + step if every else first + row]
                target[:] = logits[row, :vocabulary]
                add(target, floats[last[4] :])
