"""An encoder–decoder Transformer: one text read whole, another written from it.

Vaswani et al. 2017 (arXiv 1706.03762) with what has been learnt since, as in `transformer.py`: RMSNorm before each block,
rotary positions, SwiGLU, normalised queries and keys, one matrix for both vocabularies and the output. Positions are
rotated in cross-attention too, so that a decoder finds "the same place in the source" before it has learnt any word.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from mofang.text.nets.transformer import MLP, RMSNorm, angles, rotate

Config = dict[str, Any]
PAD = 1
"""The token that fills short rows; it is neither read nor learnt."""


def config_for(
    vocabulary: int, layers: int, width: int, heads: int, *, inner: int = 0, dropout: float = 0.1, longest: int = 256
) -> Config:
    """A configuration with `layers` blocks on each side. `inner` is SwiGLU's width: 8/3 of `width` if not given."""
    assert width % (2 * heads) == 0, "heads must divide the width into even parts"
    return {
        "model_type": "mofang-seq2seq", "vocab_size": vocabulary, "hidden_size": width,
        "intermediate_size": inner or round(width * 8 / 3 / 32) * 32, "encoder_layers": layers, "decoder_layers": layers,
        "num_attention_heads": heads, "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "max_position_embeddings": longest,
        "dropout": dropout,
    }  # fmt: skip


class Attention(nn.Module):
    """What each place of `x` takes from the places of `memory`: itself, or the other side."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width, self.heads = config["hidden_size"], config["num_attention_heads"]
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.q_norm = RMSNorm(width // self.heads, config["rms_norm_eps"])
        self.k_norm = RMSNorm(width // self.heads, config["rms_norm_eps"])

    def forward(self, x: Tensor, memory: Tensor, turns: tuple[Tensor, Tensor], mask: Tensor | None) -> Tensor:
        """x: (B, T, width), memory: (B, S, width) → (B, T, width). No mask: causal. Mask: (B, 1, 1, S), True is seen."""
        q = self._turned(self.q_norm(self._split(self.q_proj(x))), turns)
        k = self._turned(self.k_norm(self._split(self.k_proj(memory))), turns)
        v = self._split(self.v_proj(memory)).transpose(1, 2)
        mixed = F.scaled_dot_product_attention(q, k, v, mask, is_causal=mask is None)
        out: Tensor = self.o_proj(mixed.transpose(1, 2).reshape(x.shape))
        return out

    def _split(self, x: Tensor) -> Tensor:
        return x.view(x.size(0), x.size(1), self.heads, -1)

    @staticmethod
    def _turned(side: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
        """(B, T, heads, size) → (B, heads, T, size), each place turned to its position."""
        cosine, sine = (table[: side.size(1)].to(side.device) for table in turns)
        return rotate(side, (cosine, sine)).transpose(1, 2)


class EncoderBlock(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.self_norm, self.mlp_norm = (RMSNorm(config["hidden_size"], config["rms_norm_eps"]) for _ in range(2))
        self.self_attn, self.mlp = Attention(config), MLP(config)
        self.dropout = nn.Dropout(config["dropout"])

    def forward(self, x: Tensor, turns: tuple[Tensor, Tensor], mask: Tensor) -> Tensor:
        """(B, S, width) → the same shape."""
        normed = self.self_norm(x)
        x = x + self.dropout(self.self_attn(normed, normed, turns, mask))
        out: Tensor = x + self.dropout(self.mlp(self.mlp_norm(x)))
        return out


class DecoderBlock(nn.Module):
    """x + attention to what is written, + attention to the source, + mlp."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.self_norm, self.cross_norm, self.mlp_norm = (
            RMSNorm(config["hidden_size"], config["rms_norm_eps"]) for _ in range(3)
        )
        self.self_attn, self.cross_attn, self.mlp = Attention(config), Attention(config), MLP(config)
        self.dropout = nn.Dropout(config["dropout"])

    def forward(self, x: Tensor, memory: Tensor, turns: tuple[Tensor, Tensor], mask: Tensor) -> Tensor:
        """(B, T, width) and the source (B, S, width) → (B, T, width)."""
        normed = self.self_norm(x)
        x = x + self.dropout(self.self_attn(normed, normed, turns, None))
        x = x + self.dropout(self.cross_attn(self.cross_norm(x), memory, turns, mask))
        out: Tensor = x + self.dropout(self.mlp(self.mlp_norm(x)))
        return out


class Seq2Seq(nn.Module):
    """Source (B, S) and the target so far (B, T) → logits (B, T, V) of each next token."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        width = config["hidden_size"]
        self.embedding = nn.Embedding(config["vocab_size"], width)
        self.encoder = nn.ModuleList(EncoderBlock(config) for _ in range(config["encoder_layers"]))
        self.decoder = nn.ModuleList(DecoderBlock(config) for _ in range(config["decoder_layers"]))
        self.encoder_norm, self.decoder_norm = (RMSNorm(width, config["rms_norm_eps"]) for _ in range(2))
        self.dropout = nn.Dropout(config["dropout"])
        self._turns = angles(width // config["num_attention_heads"], config["max_position_embeddings"], config["rope_theta"])
        nn.init.normal_(self.embedding.weight, std=0.02)
        for name, weight in self.named_parameters():
            if weight.ndim == 2 and name != "embedding.weight":
                # Variance 1/inputs; what is added to the stream starts at zero, so every block starts as the identity.
                last = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.zeros_(weight) if last else nn.init.normal_(weight, std=weight.size(1) ** -0.5)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Logits after each token of the target, which begins with `<|end|>`. Rows are filled up with `PAD`."""
        return self.logits(self.decode(target, *self.encode(source)))

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """(B, S) → the source's vectors (B, S, width), and which of them count (B, 1, 1, S)."""
        mask = (source != PAD)[:, None, None]
        x = self.dropout(self.embedding(source))
        for block in self.encoder:
            x = block(x, self._turns, mask)
        out: Tensor = self.encoder_norm(x)
        return out, mask

    def decode(self, target: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        """(B, T) and what `encode` gave → the decoder's vectors (B, T, width), normalised: what `logits` reads."""
        x = self.dropout(self.embedding(target))
        for block in self.decoder:
            x = block(x, memory, self._turns, mask)
        out: Tensor = self.decoder_norm(x)
        return out

    def logits(self, hidden: Tensor) -> Tensor:
        """(…, width) → logits (…, V)."""
        return F.linear(hidden, self.embedding.weight)
