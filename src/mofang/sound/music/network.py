"""The network of a score model in numpy: one event at a time, with the keys and values of those before it kept."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.models import own
from mofang.studio.errors import UserError

Floats = NDArray[np.float32]
KIND = "mofang-score"
PHRASE = 16


class Network:
    """Weights and what has been heard. `feed` takes events and gives the logits of the next; `mark` and `rewind` go back."""

    def __init__(self, config: dict[str, Any], tensors: dict[str, Floats]) -> None:
        self.config, self.tensors = config, tensors
        self.layers, self.heads = config["num_hidden_layers"], config["num_attention_heads"]
        self.size = config["hidden_size"] // self.heads
        self.context = config["max_position_embeddings"]
        self.eps = np.float32(config["rms_norm_eps"])
        frequency = config["rope_theta"] ** -(np.arange(0, self.size, 2) / self.size)
        angle = np.tile(np.outer(np.arange(self.context), frequency), 2)
        self.cosine, self.sine = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
        self.weights = {name: np.ascontiguousarray(value.T) if value.ndim == 2 and name.startswith("blocks.") else value
                        for name, value in tensors.items()}  # fmt: skip
        self.keys = np.zeros((self.layers, self.heads, self.context, self.size), np.float32)
        self.values = np.zeros_like(self.keys)
        self.length = 0

    @classmethod
    def open(cls, folder: Path) -> "Network":
        """The model in `folder`. Raises `UserError` if it is none of scores or its weights do not fit."""
        config = own.read_config(folder)
        if config["model_type"] != KIND:
            raise UserError(f"{folder} holds a model of kind {config['model_type']}, not of scores; train one: mofang music train")
        try:
            made = cls(config, own.read_tensors(folder))
            made.feed(0, (0, 0, 0))
        except (KeyError, ValueError, TypeError, IndexError, MemoryError) as error:
            raise UserError(f"{folder} holds weights that do not fit its {own.CONFIG}; train or fetch the model again") from error
        made.length = 0
        return made

    def feed(self, event: int, place: tuple[int, int, int]) -> Floats:
        """The logits (V,) of what comes after `event` at `place` (see `tokens.places`). Raises `ValueError` past the context."""
        if self.length >= self.context:
            raise ValueError("longer than the context")
        w, at = self.weights, self.length
        bar, left, position = place
        x = w["events.weight"][event] + w["bars.weight"][(bar - 1) % PHRASE + 1 if bar else 0] + w["left.weight"][left]
        x = x + w["positions.weight"][position]
        for layer in range(self.layers):
            name = f"blocks.{layer}."
            q, k, v = (self._norm(x, w[name + "norm1.weight"]) @ w[name + "qkv.weight"]).reshape(3, self.heads, self.size)
            q = self._turned(self._norm(q, w[name + "q_norm.weight"]), at)
            self.keys[layer, :, at] = self._turned(self._norm(k, w[name + "k_norm.weight"]), at)
            self.values[layer, :, at] = v
            scores = np.einsum("hs,hts->ht", q, self.keys[layer, :, : at + 1]) * np.float32(self.size**-0.5)
            scores = np.exp(scores - scores.max(1, keepdims=True))
            scores /= scores.sum(1, keepdims=True)
            mixed = np.einsum("ht,hts->hs", scores, self.values[layer, :, : at + 1])
            x = x + mixed.reshape(-1) @ w[name + "out.weight"]
            gate, up = np.split(self._norm(x, w[name + "norm2.weight"]) @ w[name + "up.weight"], 2)
            x = x + (gate / (1 + np.exp(-np.clip(gate, -80, 80))) * up) @ w[name + "down.weight"]
        self.length += 1
        return np.asarray(w["events.weight"] @ self._norm(x, w["norm.weight"]), np.float32)

    def _norm(self, x: Floats, weight: Floats) -> Floats:
        return np.asarray(x / np.sqrt((x * x).mean(-1, keepdims=True) + self.eps) * weight, np.float32)

    def _turned(self, x: Floats, at: int) -> Floats:
        half = self.size // 2
        other = np.concatenate((-x[..., half:], x[..., :half]), -1)
        return np.asarray(x * self.cosine[at] + other * self.sine[at], np.float32)
