"""The network of a score model in numpy: some events at a time, with the keys and values of those before them kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.models import own
from mofang.studio.errors import UserError

Floats = NDArray[np.float32]
KIND = "mofang-score"
PHRASE = 16
BLOCK = 256
"""Events whose attention is computed together at most."""


class Network:
    """Weights and what has been heard: `length` events; to forget some, make it smaller."""

    def __init__(self, config: dict[str, Any], tensors: dict[str, Floats]) -> None:
        self.config = config
        self.layers, self.heads = config["num_hidden_layers"], config["num_attention_heads"]
        self.size = config["hidden_size"] // self.heads
        self.context = config["max_position_embeddings"]
        self.eps = np.float32(config["rms_norm_eps"])
        frequency = config["rope_theta"] ** -(np.arange(0, self.size, 2) / self.size)
        angle = np.outer(np.arange(self.context), frequency)
        self.cosine = np.tile(np.cos(angle), 2).astype(np.float32)
        self.sine = np.concatenate((-np.sin(angle), np.sin(angle)), 1).astype(np.float32)
        self.tables = [tensors[f"{name}.weight"] for name in ("events", "bars", "left", "positions")]
        self.last = tensors["events.weight"] * tensors["norm.weight"]
        self.blocks = [self._block(tensors, f"blocks.{number}.") for number in range(self.layers)]
        self.keys = np.zeros((self.layers, self.heads, self.context, self.size), np.float32)
        self.values = np.zeros_like(self.keys)
        self.length = 0

    def _block(self, tensors: dict[str, Floats], name: str) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """A block's matrices as (inputs, outputs), what scales their inputs already in them, and the scales of queries and keys."""
        qkv, out, up, down = (tensors[f"{name}{part}.weight"].T for part in ("qkv", "out", "up", "down"))
        first, second = (tensors[f"{name}norm{number}.weight"][:, None] for number in (1, 2))
        scales = np.stack([tensors[name + "q_norm.weight"] * np.float32(self.size**-0.5), tensors[name + "k_norm.weight"]])
        qkv, out, up, down = (np.ascontiguousarray(each) for each in (first * qkv, out, second * up, down))
        return qkv, out, up, down, scales[:, None]

    @classmethod
    def open(cls, folder: Path) -> "Network":
        """The model in `folder`. Raises `UserError` if it is none of scores or its weights do not fit."""
        config = own.read_config(folder)
        if config["model_type"] != KIND:
            raise UserError(f"{folder} holds a model of kind {config['model_type']}, not of scores; train one: mofang music train")
        try:
            made = cls(config, own.read_tensors(folder))
            made.feed([0], [(0, 0, 0)])
        except (KeyError, ValueError, TypeError, IndexError, MemoryError) as error:
            raise UserError(f"{folder} holds weights that do not fit its {own.CONFIG}; train or fetch the model again") from error
        made.length = 0
        return made

    def feed(self, events: Sequence[int], places: Sequence[Sequence[int]]) -> Floats:
        """The logits (V,) of what comes after `events` at their `places` (see `tokens.places`), one at the least. Raises
        `ValueError` past the context."""
        if self.length + len(events) > self.context:
            raise ValueError("longer than the context")
        for start in range(0, len(events), BLOCK):
            x = self._heard(np.asarray(events[start : start + BLOCK]), np.asarray(places[start : start + BLOCK]))
        return np.asarray(self.last @ self._normed(x[-1]), np.float32)

    def _heard(self, events: NDArray[np.int64], places: NDArray[np.int64]) -> Floats:
        """What the last block makes of some events, (T, width)."""
        bar, left, position = places.T
        rows = (events, np.where(bar > 0, (bar - 1) % PHRASE + 1, 0), left, position)
        x: Floats = sum(table[row] for table, row in zip(self.tables[1:], rows[1:], strict=True)) + self.tables[0][events]
        count, start = len(events), self.length
        self.length = stop = start + count
        cosine, sine = self.cosine[start:stop, None, None], self.sine[start:stop, None, None]
        for (qkv, out, up, down, scales), keys, values in zip(self.blocks, self.keys, self.values, strict=True):
            made = (self._normed(x) @ qkv).reshape(count, 3, self.heads, self.size)
            both = self._normed(made[:, :2]) * scales
            halves = both.reshape(count, 2, self.heads, 2, -1)[:, :, :, ::-1].reshape(both.shape)
            both = (both * cosine + halves * sine).transpose(1, 2, 0, 3)
            keys[:, start:stop], values[:, start:stop] = both[1], made[:, 2].swapaxes(0, 1)
            scores = both[0] @ keys[:, :stop].swapaxes(1, 2)
            if count > 1:
                scores[:, *np.triu_indices(count, 1 + start, stop)] = -np.inf
            shares = np.exp(scores - scores.max(2, keepdims=True))
            shares /= shares.sum(2, keepdims=True)
            x = x + (shares @ values[:, :stop]).swapaxes(0, 1).reshape(count, -1) @ out
            gate, more = np.split(self._normed(x) @ up, 2, 1)
            x = x + (gate / (1 + np.exp(-np.maximum(gate, -80))) * more) @ down
        return x

    def _normed(self, x: Floats) -> Floats:
        """x / rms(x) over the last axis."""
        return np.asarray(x / np.sqrt(np.vecdot(x, x)[..., None] / np.float32(x.shape[-1]) + self.eps), np.float32)
