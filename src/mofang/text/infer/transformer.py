"""The decoder-only Transformer in Qwen3's form (arXiv:2505.09388), with a cache of keys and values."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.models.own import Config
from mofang.studio.errors import UserError
from mofang.text.infer import kernels
from mofang.text.infer.pack import Floats, Pack
from mofang.text.infer.runner import Ids, Logits
from mofang.text.infer.team import Team
from mofang.text.infer.vectors import LANES
from mofang.text.infer.weights import Tensors, whole

ROWS = 64
"""Tokens of a prompt that one thread takes at a time: enough to use each weight well, few enough for the caches."""


@dataclass
class Cache:
    """Keys and values of every layer, `length` tokens of `room`, and the tokens themselves, to begin anew from."""

    keys: NDArray[Any]
    values: NDArray[Any]
    ids: Ids
    length: int = 0

    @property
    def room(self) -> int:
        return int(self.keys.shape[3]) * LANES

    def copy(self, rows: NDArray[np.int64] | slice, room: int) -> "Cache":
        """The texts `rows` in a cache of `room` tokens."""
        batch = self.ids[rows].shape[0]
        used = -(-self.length // LANES)
        keys = np.zeros((batch, *self.keys.shape[1:3], room // LANES, *self.keys.shape[4:]), self.keys.dtype)
        keys[:, :, :, :used] = self.keys[rows, :, :, :used]
        values = np.zeros((batch, *self.values.shape[1:4], room, LANES), self.values.dtype)
        values[..., : self.length, :] = self.values[rows, :, :, :, : self.length]
        return Cache(keys, values, self.ids[rows].copy(), self.length)


class Transformer:
    """A Transformer ready to write; see `Runner`. Raises `UserError` for a configuration it does not compute."""

    def __init__(self, config: Config, tensors: Tensors, *, precision: str, team: Team) -> None:
        self.vocab, hidden, inner = whole(config, "vocab_size"), whole(config, "hidden_size"), whole(config, "intermediate_size")
        heads, self._layers = whole(config, "num_attention_heads"), whole(config, "num_hidden_layers")
        shared = whole(config, "num_key_value_heads", heads)
        size = whole(config, "head_dim", max(1, hidden // heads))
        self.context: int = whole(config, "max_position_embeddings")
        self.precision = precision
        _check(config, heads, shared, size)
        self._team, self._shared, self._size = team, shared, size
        self._base = float(config.get("rope_theta") or (config.get("rope_parameters") or {}).get("rope_theta") or 10_000.0)
        self._epsilon = np.float32(config.get("rms_norm_eps", 1e-6))
        self._shape = np.array([heads, shared, size, inner, self.vocab], np.int64)
        self._cos = self._sin = np.empty((0, size // 2), np.float32)
        self._angles(min(self.context, 256))
        pack = Pack(precision == "int8")
        table = []
        for layer in range(self._layers):
            block = f"model.layers.{layer}."

            def take(name: str, *shape: int, block: str = block) -> Floats:
                return tensors.take(block + name + ".weight", *shape)

            qkv = [take(f"self_attn.{kind}_proj", count * size, hidden) for kind, count in
                   (("q", heads), ("k", shared), ("v", shared))]  # fmt: skip
            gates = [take(f"mlp.{kind}_proj", inner, hidden) for kind in ("gate", "up")]
            table.append([
                pack.vector(take("input_layernorm", hidden)), *pack.matrix(np.concatenate(qkv)),
                pack.vector(take("self_attn.q_norm", size)), pack.vector(take("self_attn.k_norm", size)),
                *pack.matrix(take("self_attn.o_proj", hidden, heads * size)),
                pack.vector(take("post_attention_layernorm", hidden)), *pack.matrix(np.concatenate(gates)),
                *pack.matrix(take("mlp.down_proj", hidden, inner)),
            ])  # fmt: skip
        self._embedding = np.ascontiguousarray(tensors.take("model.embed_tokens.weight", self.vocab, hidden))
        tied = "lm_head.weight" not in tensors
        head = self._embedding if tied else tensors.take("lm_head.weight", self.vocab, hidden)
        last = [pack.vector(tensors.take("model.norm.weight", hidden)), *pack.matrix(head)]
        self._table, self._last = np.array(table, np.int64), np.array(last, np.int64)
        self._bytes, self._floats = pack.codes(), pack.floats()

    def start(self, batch: int) -> Cache:
        """See `Runner.start`."""
        wide = -(-self._size // LANES)
        # Reading the cache is half of what a token costs in a long text; beside byte weights bfloat16 is exact enough.
        kind = np.uint16 if self.precision == "int8" else np.float32
        keys = np.zeros((batch, self._layers, self._shared, 0, self._size, LANES), kind)
        values = np.zeros((batch, self._layers, self._shared, wide, 0, LANES), kind)
        return Cache(keys, values, np.zeros((batch, 0), np.int32))

    def feed(self, state: Cache, ids: Ids) -> Logits:
        """See `Runner.feed`."""
        if state.length + ids.shape[1] > self.context:
            every = np.concatenate([state.ids, ids], 1)
            ids = every[:, -max(min(ids.shape[1], self.context), self.context // 2, 1) :]
            state.ids, state.length = ids[:, :0], 0
        return self._feed(state, ids, every=False)

    def feed_all(self, state: Cache, ids: Ids) -> Logits:
        """See `Runner.feed_all`."""
        assert state.length + ids.shape[1] <= self.context, "feed_all beyond the context"
        return self._feed(state, ids, every=True)

    def fork(self, state: Cache, rows: NDArray[np.int64]) -> Cache:
        """See `Runner.fork`."""
        return state.copy(np.asarray(rows, np.int64), state.room)

    def _feed(self, state: Cache, ids: Ids, every: bool) -> Logits:
        batch, steps = ids.shape
        needed = state.length + steps
        if needed > state.room:
            # Doubling keeps the copying cheaper than the writing.
            room = -(-min(self.context, max(needed, 2 * state.room, 64)) // LANES) * LANES
            grown = state.copy(slice(None), room)
            state.keys, state.values = grown.keys, grown.values
        self._angles(needed)
        parts = []
        chunk = max(1, ROWS // -(-batch // self._team.size))
        ids = np.ascontiguousarray(ids, np.int32)
        for at in range(0, steps, chunk):
            piece = np.ascontiguousarray(ids[:, at : at + chunk])
            start = state.length
            out = np.empty((batch * (piece.shape[1] if every else 1), self.vocab), np.float32)

            def work(first: int, end: int, piece: Ids = piece, start: int = start, out: Logits = out) -> None:
                kernels.transformer(self._bytes, self._floats, self._table, self._last, self._shape, self._epsilon,
                                    self._embedding, self._cos, self._sin, state.keys, state.values, piece, first, end, start,
                                    every, out)  # fmt: skip

            self._team.share(work, batch)
            state.length += piece.shape[1]
            parts.append(out.reshape(batch, -1, self.vocab))
        state.ids = np.concatenate([state.ids, ids], 1)
        return np.concatenate(parts, 1) if every else parts[-1][:, -1]

    def _angles(self, length: int) -> None:
        """Tables of cosines and sines for `length` positions at least."""
        known = self._cos.shape[0]
        if length > known:
            length = min(self.context, max(length, 2 * known))
            turns = self._base ** (-np.arange(0, self._size, 2) / self._size)
            angles = np.outer(np.arange(length), turns)
            self._cos, self._sin = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def _check(config: Config, heads: int, shared: int, size: int) -> None:
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = rope.get("rope_type", rope.get("type", "default")) if isinstance(rope, dict) else "unknown"
    unknown = {
        "attention_bias": bool(config.get("attention_bias")), "hidden_act": config.get("hidden_act", "silu") != "silu",
        "use_sliding_window": bool(config.get("use_sliding_window")), "rope_scaling": kind != "default",
        "num_key_value_heads": heads % shared != 0, "head_dim": size % 2 != 0,
    }  # fmt: skip
    if wrong := [name for name, is_unknown in unknown.items() if is_unknown]:
        raise UserError(f"this model's {wrong[0]} ({config.get(wrong[0])}) is not computed here; write with it through "
                        "Transformers: transformers:FOLDER")  # fmt: skip
