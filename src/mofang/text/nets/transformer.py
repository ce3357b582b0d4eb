"""A decoder-only Transformer: the shape of Qwen3, so that what is trained here opens in every program that reads it.

Vaswani et al. 2017 (arXiv 1706.03762), with rotary positions (Su et al. 2021, arXiv 2104.09864), RMSNorm before each
block (Zhang & Sennrich 2019, arXiv 1910.07467), SwiGLU (Shazeer 2020, arXiv 2002.05202), grouped queries (Ainslie et al.
2023, arXiv 2305.13245), normalised queries and keys (Henry et al. 2020, arXiv 2010.04245) and one matrix for reading
and writing tokens (Press & Wolf 2017, arXiv 1608.05859). Names of parameters are Hugging Face's for Qwen3.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Config = dict[str, Any]
Cache = list[tuple[Tensor, Tensor]]
"""Keys and values of each layer, (B, KV heads, T, head size)."""


def config_for(
    vocabulary: int, layers: int, width: int, heads: int, kv_heads: int, context: int, *, inner: int = 0, tied: bool = True
) -> Config:
    """A configuration in Hugging Face's words. `inner` is SwiGLU's width: 8/3 of `width`, in steps of 32, if not given.

    The base of the rotary angles is 10,000, fit for the short contexts a laptop trains.
    """
    assert width % heads == 0 and heads % kv_heads == 0, "heads must divide the width, and KV heads the heads"
    return {
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": vocabulary, "hidden_size": width,
        "intermediate_size": inner or round(width * 8 / 3 / 32) * 32, "num_hidden_layers": layers,
        "num_attention_heads": heads, "num_key_value_heads": kv_heads, "head_dim": width // heads, "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0, "tie_word_embeddings": tied, "max_position_embeddings": context, "hidden_act": "silu",
        "attention_bias": False, "torch_dtype": "float32", "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 1,
    }  # fmt: skip


class Attention(nn.Module):
    """Causal self-attention with grouped queries, each head's queries and keys normalised before they are rotated."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width, self.size = config["hidden_size"], config["head_dim"]
        self.heads, self.kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
        self.q_proj = nn.Linear(width, self.heads * self.size, bias=False)
        self.k_proj = nn.Linear(width, self.kv_heads * self.size, bias=False)
        self.v_proj = nn.Linear(width, self.kv_heads * self.size, bias=False)
        self.o_proj = nn.Linear(self.heads * self.size, width, bias=False)
        self.q_norm = RMSNorm(self.size, config["rms_norm_eps"])
        self.k_norm = RMSNorm(self.size, config["rms_norm_eps"])

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], past: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Any]:
        """x: (B, T, width) → the same shape, and the keys and values so far."""
        batch, length, _ = x.shape
        # One product instead of three: on a processor, starting one costs more than joining the weights.
        joined = F.linear(x, torch.cat((self.q_proj.weight, self.k_proj.weight, self.v_proj.weight)))
        heads = joined.view(batch, length, -1, self.size)
        q, k, v = torch.split(heads, [self.heads, self.kv_heads, self.kv_heads], 2)
        q, k = rotate(self.q_norm(q), turn).transpose(1, 2), rotate(self.k_norm(k), turn).transpose(1, 2)
        v = v.transpose(1, 2)
        if past is not None:
            k, v = torch.cat((past[0], k), 2), torch.cat((past[1], v), 2)
        mixed = attend(q, k, v)
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, length, -1)), (k, v)


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """softmax(q kᵀ / √size) v with a causal mask: query i of the last T sees all keys up to its own place.

    q (B, heads, T, size), k and v (B, KV heads, S, size), S ≥ T → (B, heads, T, size). Written out, not fused: for the
    short contexts a processor trains, the fused kernel is two to four times as slow in bfloat16.
    """
    if q.is_cuda and q.size(2) == k.size(2):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
    batch, heads, length, size = q.shape
    kv_heads, total = k.size(1), k.size(2)
    # Queries that share a head of keys are rows of one product.
    rows = q.reshape(batch * kv_heads, heads // kv_heads * length, size) * size**-0.5
    scores = torch.bmm(rows, k.reshape(-1, total, size).mT).view(batch, heads, length, total)
    unseen = torch.ones(length, total, dtype=torch.bool, device=q.device).triu(total - length + 1)
    weights = scores.masked_fill(unseen, -torch.inf).softmax(-1).view(batch * kv_heads, -1, total)
    return torch.bmm(weights.to(v.dtype), v.reshape(-1, total, size)).view(batch, heads, length, size)


class RMSNorm(nn.RMSNorm):
    """x / rms(x) · weight, in the type of x."""

    def forward(self, x: Tensor) -> Tensor:
        """(…, size) → the same shape."""
        assert self.weight is not None
        return F.rms_norm(x, self.weight.shape, self.weight.to(x.dtype), self.eps)


class MLP(nn.Module):
    """SwiGLU: down(silu(gate(x)) · up(x))."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width, inner = config["hidden_size"], config["intermediate_size"]
        self.gate_proj = nn.Linear(width, inner, bias=False)
        self.up_proj = nn.Linear(width, inner, bias=False)
        self.down_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(…, width) → (…, width)."""
        gate, up = F.linear(x, torch.cat((self.gate_proj.weight, self.up_proj.weight))).chunk(2, -1)
        out: Tensor = self.down_proj(F.silu(gate) * up)
        return out


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(config["hidden_size"], config["rms_norm_eps"])
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RMSNorm(config["hidden_size"], config["rms_norm_eps"])
        self.mlp = MLP(config)
        self.dropout = nn.Dropout(config.get("dropout", 0.0))

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], past: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Any]:
        """(B, T, width) → the same shape, and the attention's keys and values."""
        mixed, cache = self.self_attn(self.input_layernorm(x), turn, past)
        x = x + self.dropout(mixed)
        return x + self.dropout(self.mlp(self.post_attention_layernorm(x))), cache


class Trunk(nn.Module):
    """Embedding, blocks and the last norm, under the names Hugging Face gives them."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config["vocab_size"], config["hidden_size"])
        self.layers = nn.ModuleList(Block(config) for _ in range(config["num_hidden_layers"]))
        self.norm = RMSNorm(config["hidden_size"], config["rms_norm_eps"])


class Transformer(nn.Module):
    """Tokens (B, T) → logits (B, T, V), and the cache to go on from."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.model = Trunk(config)
        self.lm_head = None if config["tie_word_embeddings"] else nn.Linear(config["hidden_size"], config["vocab_size"], bias=False)
        self._angles = angles(config["head_dim"], config["max_position_embeddings"], config["rope_theta"])
        self.apply(_initialise)

    def forward(self, ids: Tensor, state: Cache | None = None) -> tuple[Tensor, Cache]:
        """Logits after each token. `state` is the cache of the tokens before; positions go on from it.

        Raises `AssertionError` past the context (`max_position_embeddings`).
        """
        hidden, cache = self.hidden(ids, state)
        return self.logits(hidden), cache

    def hidden(self, ids: Tensor, state: Cache | None = None) -> tuple[Tensor, Cache]:
        """The last layer's vectors (B, T, width), normalised: what `logits` reads."""
        start = 0 if state is None else state[0][0].size(2)
        assert start + ids.size(1) <= self.config["max_position_embeddings"], "longer than the context"
        cosine, sine = (table[start : start + ids.size(1)].to(ids.device) for table in self._angles)
        x = self.model.embed_tokens(ids)
        cache: Cache = []
        for index, block in enumerate(self.model.layers):
            x, kept = block(x, (cosine, sine), None if state is None else state[index])
            cache.append(kept)
        return self.model.norm(x), cache

    def logits(self, hidden: Tensor) -> Tensor:
        """(…, width) → logits (…, V)."""
        return F.linear(hidden, self.output_weight)

    @property
    def output_weight(self) -> Tensor:
        """The matrix (V, width) that makes logits: the embedding's own, unless untied."""
        return self.model.embed_tokens.weight if self.lm_head is None else self.lm_head.weight


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        # Variance 1/inputs keeps the size of what passes through (LeCun et al. 1998).
        nn.init.normal_(module.weight, std=module.in_features**-0.5)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    elif isinstance(module, Block):
        # Each block starts as the identity: the first steps learn on the residual stream alone (Zhang et al. 2019).
        nn.init.zeros_(module.self_attn.o_proj.weight)
        nn.init.zeros_(module.mlp.down_proj.weight)


def angles(size: int, positions: int, base: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines (positions, size) of the rotary angles; the second half repeats the first."""
    frequency = base ** -(torch.arange(0, size, 2, dtype=torch.float64) / size)
    angle = torch.outer(torch.arange(positions, dtype=torch.float64), frequency).repeat(1, 2)
    return angle.cos().float(), angle.sin().float()


def rotate(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Turn each pair (i, i + size/2) of the last axis by its position's angle. x: (B, T, heads, size)."""
    cosine, sine = (table[:, None].to(x.dtype) for table in turn)
    first, second = x.chunk(2, -1)
    return x * cosine + torch.cat((-second, first), -1) * sine
