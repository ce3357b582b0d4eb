"""The Qwen3-shaped Transformer in ONNX operators: grouped queries, normalised and rotated, over a growing cache."""

import numpy as np

from mofang.text.export.onnx_graph import Graph
from mofang.text.export.source import Config


def transformer(graph: Graph, config: Config, theta: float) -> None:
    """The whole network."""
    size, kv_heads, vocabulary = config["head_dim"], config["num_key_value_heads"], config["vocab_size"]
    ids = graph.input("input_ids", np.int64, ["batch", "sequence"])
    given = graph.input("attention_mask", np.int64, ["batch", "past + sequence"])
    positions = graph.input("position_ids", np.int64, ["batch", "sequence"])
    past = [[graph.input(f"past_key_values.{number}.{what}", np.float32, ["batch", kv_heads, "past", size])
             for what in ("key", "value")] for number in range(config["num_hidden_layers"])]  # fmt: skip
    blocks = _Blocks(graph, config, _turn(graph, positions, size, theta), _mask(graph, ids, given))
    x = graph.op("Gather", graph.weight("model.embed_tokens.weight"), ids)
    present = []
    for number, before in enumerate(past):
        x, after = blocks.layer(x, number, before)
        present.append(after)
    x = blocks.norm(x, "model.norm.weight")
    head = graph.head("lm_head.weight", "model.embed_tokens.weight", bool(config.get("tie_word_embeddings")))
    graph.output("logits", graph.op("MatMul", x, head), ["batch", "sequence", vocabulary])
    for number, pair in enumerate(present):
        for what, value in zip(("key", "value"), pair, strict=True):
            graph.output(f"present.{number}.{what}", value, ["batch", kv_heads, "past + sequence", size])


def _turn(graph: Graph, positions: str, size: int, theta: float) -> tuple[str, str]:
    """Cosine and sine of every angle, (B, 1, T, size): position · theta^(-2i / size), the halves alike (Su et al. 2021)."""
    rates = (1.0 / theta ** (np.arange(0, size, 2) / size)).astype(np.float32)
    angles = graph.op("Mul", graph.op("Unsqueeze", graph.op("Cast", positions, to=1), graph.constant([1, 3])),
                      graph.constant(np.concatenate([rates, rates])))  # fmt: skip
    return graph.op("Cos", angles), graph.op("Sin", angles)


def _mask(graph: Graph, ids: str, given: str) -> str:
    """What is added to the scores, (B, 1, T, P + T): 0 where a query may look, the lowest number elsewhere.

    The query at row i of T stands at P + i among the keys, and sees those up to itself that `given` does not hide.
    """
    one, zero = graph.constant(np.int64(1)), graph.constant(np.int64(0))
    length = graph.op("Gather", graph.op("Shape", ids), one)
    whole = graph.op("Gather", graph.op("Shape", given), one)
    keys = graph.op("Range", zero, whole, one)
    queries = graph.op("Range", graph.op("Sub", whole, length), whole, one)
    causal = graph.op("LessOrEqual", graph.op("Unsqueeze", keys, graph.constant([0])),
                      graph.op("Unsqueeze", queries, graph.constant([1])))  # fmt: skip
    shown = graph.op("Unsqueeze", graph.op("Cast", given, to=9), graph.constant([1, 2]))
    allowed = graph.op("And", causal, shown)
    lowest = np.float32(np.finfo(np.float32).min)
    return graph.op("Where", allowed, graph.constant(np.float32(0)), graph.constant(lowest))


class _Blocks:
    """The layers; they share the angles and the mask."""

    def __init__(self, graph: Graph, config: Config, turn: tuple[str, str], mask: str) -> None:
        self.graph, self.turn, self.mask = graph, turn, mask
        self.heads, self.kv_heads, self.size = (
            config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"])  # fmt: skip
        self.epsilon = graph.constant(np.float32(config.get("rms_norm_eps", 1e-6)))
        self.two, self.half = graph.constant(np.float32(2)), graph.constant([self.size // 2] * 2)

    def layer(self, x: str, number: int, past: list[str]) -> tuple[str, list[str]]:
        """One block: (B, T, width) → the same, and the keys and values with those of the past before them."""
        graph, at = self.graph, f"model.layers.{number}."
        mixed, present = self.attention(self.norm(x, at + "input_layernorm.weight"), at + "self_attn.", past)
        x = graph.op("Add", x, mixed)
        y = self.norm(x, at + "post_attention_layernorm.weight")
        gate = self.linear(y, at + "mlp.gate_proj")
        inner = graph.op("Mul", graph.op("Mul", gate, graph.op("Sigmoid", gate)), self.linear(y, at + "mlp.up_proj"))
        return graph.op("Add", x, self.linear(inner, at + "mlp.down_proj")), present

    def attention(self, x: str, at: str, past: list[str]) -> tuple[str, list[str]]:
        graph = self.graph
        q = self.rotate(self.norm(self.split(x, at + "q_proj", self.heads), at + "q_norm.weight"))
        k = self.rotate(self.norm(self.split(x, at + "k_proj", self.kv_heads), at + "k_norm.weight"))
        present = [graph.op("Concat", before, new, axis=2)
                   for before, new in zip(past, (k, self.split(x, at + "v_proj", self.kv_heads)), strict=True)]  # fmt: skip
        keys, values = (self.shared(value) for value in present)
        scores = graph.op("MatMul", q, graph.op("Transpose", keys, perm=[0, 1, 3, 2]))
        scores = graph.op("Mul", scores, graph.constant(np.float32(self.size**-0.5)))
        weights = graph.op("Softmax", graph.op("Add", scores, self.mask), axis=-1)
        mixed = graph.op("Transpose", graph.op("MatMul", weights, values), perm=[0, 2, 1, 3])
        joined = graph.op("Reshape", mixed, graph.constant([0, 0, self.heads * self.size]))
        return self.linear(joined, at + "o_proj"), present

    def split(self, x: str, name: str, heads: int) -> str:
        """(B, T, width) → (B, heads, T, size)."""
        parted = self.graph.op("Reshape", self.linear(x, name), self.graph.constant([0, 0, heads, self.size]))
        return self.graph.op("Transpose", parted, perm=[0, 2, 1, 3])

    def shared(self, x: str) -> str:
        """Keys or values for every query's head: each of the KV heads serves the next few queries."""
        group = self.heads // self.kv_heads
        if group == 1:
            return x
        graph = self.graph
        wide = graph.op("Tile", graph.op("Unsqueeze", x, graph.constant([2])), graph.constant([1, 1, group, 1, 1]))
        shape = graph.op("Concat", graph.constant([0, self.heads, -1]), graph.constant([self.size]), axis=0)
        return graph.op("Reshape", wide, shape)

    def rotate(self, x: str) -> str:
        """x · cos + (-second half, first half) · sin."""
        graph = self.graph
        first, second = (f"{x}_{part}" for part in ("first", "second"))
        graph.op("Split", x, self.half, outputs=[first, second], axis=-1)
        turned = graph.op("Concat", graph.op("Neg", second), first, axis=-1)
        return graph.op("Add", graph.op("Mul", x, self.turn[0]), graph.op("Mul", turned, self.turn[1]))

    def norm(self, x: str, name: str) -> str:
        """x / √(mean x² + ε) · weight, along the last axis (Zhang & Sennrich 2019)."""
        graph = self.graph
        mean = graph.op("ReduceMean", graph.op("Pow", x, self.two), axes=[-1], keepdims=1)
        root = graph.op("Sqrt", graph.op("Add", mean, self.epsilon))
        return graph.op("Mul", graph.op("Div", x, root), graph.weight(name))

    def linear(self, x: str, name: str) -> str:
        return self.graph.op("MatMul", x, self.graph.weight(name + ".weight", transposed=True))
