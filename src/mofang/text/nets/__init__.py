"""Networks that model text, each beside its paper. Language models map tokens (B, T) to logits (B, T, V) and a state."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from mofang.studio.errors import UserError


def build(config: Mapping[str, Any]) -> nn.Module:
    """The network of a model's `config.json`, with fresh weights. Raises `UserError` for a kind unknown here."""
    kind = config.get("model_type", "")
    if kind == "qwen3":
        from mofang.text.nets.transformer import Transformer

        return Transformer(dict(config))
    if kind in ("mofang-rnn", "mofang-lstm", "mofang-gru"):
        from mofang.text.nets.recurrent import Recurrent

        return Recurrent(dict(config))
    if kind == "mofang-seq2seq":
        from mofang.text.nets.seq2seq import Seq2Seq

        return Seq2Seq(dict(config))
    raise UserError(f"there is no network '{str(kind)[:40]}' here; known: qwen3, mofang-rnn, mofang-lstm, mofang-gru, "
                    "mofang-seq2seq")  # fmt: skip
