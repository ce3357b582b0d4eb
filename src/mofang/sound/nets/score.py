"""A decoder-only Transformer over the events of scores.

Vaswani et al. 2017 (arXiv 1706.03762) as Music Transformer (Huang et al. 2018, arXiv 1809.04281) uses it: distance matters,
not place, which rotary angles (Su et al. 2021, arXiv 2104.09864) say at no cost. What music knows besides — which bar of a
phrase this is, how far the end, where in the bar — is told apart, by tables added to the event's own vector.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mofang.sound.music.tokens import GIVEN, LONGEST_BAR, VOCABULARY

Cache = list[tuple[Tensor, Tensor]]
KIND = "mofang-score"
PHRASE = 16
"""Bars after which the table of bars begins again."""


def config_for(layers: int, width: int, heads: int, context: int) -> dict[str, Any]:
    """The configuration of a network; SwiGLU's width is 8/3 of `width`, in steps of 32."""
    assert width % heads == 0 and width // heads % 2 == 0, "heads must divide the width into even parts"
    return {"model_type": KIND, "vocab_size": VOCABULARY, "hidden_size": width, "intermediate_size": round(width * 8 / 3 / 32) * 32,
            "num_hidden_layers": layers, "num_attention_heads": heads, "max_position_embeddings": context,
            "rope_theta": 10000.0, "rms_norm_eps": 1e-6}  # fmt: skip


class RMSNorm(nn.RMSNorm):
    """x / rms(x) · weight, in the type of x."""

    def forward(self, x: Tensor) -> Tensor:
        """(…, size) → the same shape."""
        assert self.weight is not None
        return F.rms_norm(x, self.weight.shape, self.weight.to(x.dtype), self.eps)


class Block(nn.Module):
    """x + attention(norm(x)), then x + SwiGLU(norm(x)); queries and keys are normalised before they turn."""

    def __init__(self, config: dict[str, Any], dropout: float) -> None:
        super().__init__()
        width, inner, eps = config["hidden_size"], config["intermediate_size"], config["rms_norm_eps"]
        self.heads, self.size = config["num_attention_heads"], width // config["num_attention_heads"]
        self.norm1, self.norm2 = RMSNorm(width, eps), RMSNorm(width, eps)
        self.q_norm, self.k_norm = RMSNorm(self.size, eps), RMSNorm(self.size, eps)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, 2 * inner, bias=False), nn.Linear(inner, width, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], past: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Any]:
        """x (B, T, width) → the same shape, and keys and values (B, heads, S, size) so far."""
        batch, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, length, 3 * self.heads, self.size).transpose(1, 2).chunk(3, 1)
        q, k = rotate(self.q_norm(q), turn), rotate(self.k_norm(k), turn)
        if past is not None:
            k, v = torch.cat((past[0], k), 2), torch.cat((past[1], v), 2)
        mask = torch.ones(length, k.size(2), dtype=torch.bool, device=x.device).tril(k.size(2) - length)
        mixed = F.scaled_dot_product_attention(q.to(v.dtype), k.to(v.dtype), v, attn_mask=mask)
        x = x + self.dropout(self.out(mixed.transpose(1, 2).reshape(batch, length, width)))
        gate, up = self.up(self.norm2(x)).chunk(2, -1)
        return x + self.dropout(self.down(F.silu(gate) * up)), (k, v)


class ScoreNet(nn.Module):
    """Events (B, T) and their places (B, T, 3) → logits of the next event (B, T, V). See `tokens.places`."""

    def __init__(self, config: dict[str, Any], dropout: float = 0.0) -> None:
        super().__init__()
        self.config, width = config, config["hidden_size"]
        self.events = nn.Embedding(config["vocab_size"], width)
        self.bars, self.left = nn.Embedding(PHRASE + 1, width), nn.Embedding(GIVEN + 1, width)
        self.positions = nn.Embedding(LONGEST_BAR + 1, width)
        self.blocks = nn.ModuleList(Block(config, dropout) for _ in range(config["num_hidden_layers"]))
        self.norm = RMSNorm(width, config["rms_norm_eps"])
        size = width // config["num_attention_heads"]
        frequency = config["rope_theta"] ** -(torch.arange(0, size, 2, dtype=torch.float64) / size)
        angle = torch.outer(torch.arange(config["max_position_embeddings"], dtype=torch.float64), frequency).repeat(1, 2)
        self._turn = angle.cos().float(), angle.sin().float()
        self.apply(_initialise)

    def forward(self, ids: Tensor, places: Tensor, state: Cache | None = None) -> tuple[Tensor, Cache]:
        """Logits after each event, and the cache to go on from."""
        start = 0 if state is None else state[0][0].size(2)
        turn = (self._turn[0][start : start + ids.size(1)].to(ids.device), self._turn[1][start : start + ids.size(1)].to(ids.device))
        bar, left, position = places.unbind(-1)
        phrase = torch.where(bar > 0, (bar - 1) % PHRASE + 1, 0)
        x = self.events(ids) + self.bars(phrase) + self.left(left) + self.positions(position)
        cache: Cache = []
        for number, block in enumerate(self.blocks):
            x, kept = block(x, turn, None if state is None else state[number])
            cache.append(kept)
        return F.linear(self.norm(x), self.events.weight), cache


def rotate(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Turn each pair (i, i + size/2) of the last axis by its place's angle. x (B, heads, T, size)."""
    first, second = x.chunk(2, -1)
    return x * turn[0] + torch.cat((-second, first), -1) * turn[1]


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=module.in_features**-0.5)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    elif isinstance(module, Block):
        # Each block starts as the identity (Zhang et al. 2019).
        nn.init.zeros_(module.out.weight)
        nn.init.zeros_(module.down.weight)
