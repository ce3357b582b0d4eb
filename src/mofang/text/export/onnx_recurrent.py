"""RNN, LSTM and GRU stacks in ONNX's own operators (https://onnx.ai/onnx/operators/onnx__LSTM.html)."""

import numpy as np
from numpy.typing import NDArray

from mofang.text.export.onnx_graph import Graph
from mofang.text.export.source import Config

ORDER = {"mofang-rnn": (0,), "mofang-lstm": (0, 3, 1, 2), "mofang-gru": (1, 0, 2)}
"""Gates in ONNX's order (LSTM i, o, f, c; GRU z, r, h) by their place in ours (i, f, g, o; r, z, n)."""


def recurrent(graph: Graph, config: Config) -> None:
    """The whole network. Sequences run along the first axis inside, as the operators want them."""
    kind, hidden, layers = config["model_type"], config["hidden_size"], config["num_layers"]
    operator = {"mofang-rnn": "RNN", "mofang-lstm": "LSTM", "mofang-gru": "GRU"}[kind]
    ids = graph.input("input_ids", np.int64, ["batch", "sequence"])
    states = [graph.input(name, np.float32, [layers, "batch", hidden]) for name in ("h0", "c0")[: 1 + (kind == "mofang-lstm")]]
    x = graph.op("Gather", graph.weight("embedding.weight"), graph.op("Transpose", ids, perm=[1, 0]))
    after: list[list[str]] = [[] for _ in states]
    # Without it an ONNX GRU multiplies by the reset gate before W_hn, as the paper does and torch, cuDNN and we do not.
    extra = {"linear_before_reset": 1} if kind == "mofang-gru" else {}
    for number in range(layers):
        at = f"rnn.{number}."
        w, r = (graph.constant(_gates(graph.tensor(at + part), kind)[None], at + part) for part in ("weight_ih", "weight_hh"))
        biases = [_gates(graph.tensor(at + part), kind) for part in ("bias_ih", "bias_hh")]
        b = graph.constant(np.concatenate(biases)[None], at + "bias")
        index = graph.constant([number])
        before = [graph.op("Gather", state, index, axis=0) for state in states]
        names = [f"layer_{number}_{what}" for what in ("y", "h", "c")[: 1 + len(states)]]
        graph.op(operator, x, w, r, b, "", *before, outputs=names, hidden_size=hidden, **extra)
        x = graph.op("Squeeze", names[0], graph.constant([1]))  # one direction
        for gathered, name in zip(after, names[1:], strict=True):
            gathered.append(name)
    head = graph.head("head.weight", "embedding.weight", bool(config.get("tie_word_embeddings")))
    logits = graph.op("Add", graph.op("MatMul", x, head), graph.weight("head.bias"))
    graph.output("logits", graph.op("Transpose", logits, perm=[1, 0, 2]), ["batch", "sequence", config["vocab_size"]])
    for name, gathered in zip(("hn", "cn"), after, strict=False):
        graph.output(name, graph.op("Concat", *gathered, axis=0), [layers, "batch", hidden])


def _gates(weight: NDArray[np.float32], kind: str) -> NDArray[np.float32]:
    """The gates of a weight (G·H, …) in ONNX's order."""
    parts = np.split(weight, len(ORDER[kind]))
    return np.concatenate([parts[gate] for gate in ORDER[kind]])
