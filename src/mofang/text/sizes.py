"""One dial for how large a model is, and what goes with each size."""

from dataclasses import dataclass, replace
from typing import Any, Literal

Network = Literal["transformer", "rnn", "lstm", "gru"]
NETWORKS = ("transformer", "rnn", "lstm", "gru")


@dataclass(frozen=True)
class Shape:
    """A network's shape and how it is fed. For recurrent nets `width` is the hidden size, `embedding` its input, and
    `context` how far back gradients go; `heads` and `kv_heads` are the Transformer's."""

    layers: int
    width: int
    context: int
    batch: int
    heads: int = 0
    kv_heads: int = 0
    embedding: int = 0

    def config(self, network: Network, vocabulary: int, dropout: float) -> dict[str, Any]:
        """The configuration of a network of this shape."""
        if network == "transformer":
            from mofang.text.nets import transformer

            found = transformer.config_for(vocabulary, self.layers, self.width, self.heads, self.kv_heads, self.context)
            return found | ({"dropout": dropout} if dropout else {})
        from mofang.text.nets import recurrent

        tied = self.embedding == self.width
        return recurrent.config_for(network, vocabulary, self.embedding, self.width, self.layers, dropout=dropout, tied=tied)


TRANSFORMERS = {
    "nano": Shape(4, 128, 64, 12, heads=4, kv_heads=4),
    "micro": Shape(4, 192, 128, 16, heads=6, kv_heads=3),
    "small": Shape(6, 288, 192, 16, heads=6, kv_heads=3),
    "base": Shape(8, 384, 256, 16, heads=6, kv_heads=3),
}
RECURRENT = {
    "nano": Shape(1, 192, 64, 32, embedding=192),
    "micro": Shape(2, 256, 64, 32, embedding=256),
    "small": Shape(2, 512, 96, 32, embedding=512),
    "base": Shape(2, 1024, 128, 32, embedding=1024),
    # Embedding 128 → LSTM 1024 → LSTM 1024 → Dense: the stack of the classic tutorials.
    "classic": Shape(2, 1024, 64, 64, embedding=128),
}
SIZES = tuple(RECURRENT)


def shape_for(network: Network, size: str, **instead: int | None) -> Shape:
    """The shape a size stands for, with whatever is given `instead` of its own values.

    Raises `ValueError`, in words for the user, for a size this network does not have and for heads that do not fit.
    """
    table = TRANSFORMERS if network == "transformer" else RECURRENT
    if size not in table:
        raise ValueError(f"the {network} has no size '{size}'; choose one of: {', '.join(table)}")
    shape = table[size]
    given = {key: value for key, value in instead.items() if value is not None}
    if network == "transformer" and "heads" in given and "kv_heads" not in given:
        given["kv_heads"] = given["heads"]
    if network != "transformer" and "width" in given and "embedding" not in given and shape.embedding == shape.width:
        given["embedding"] = given["width"]
    shape = replace(shape, **given)
    if network == "transformer" and (shape.width % shape.heads or shape.width // shape.heads % 2 or shape.heads % shape.kv_heads):
        raise ValueError(f"{shape.width} wide does not divide into {shape.heads} even heads over {shape.kv_heads} of keys; "
                         "give --width, --heads and --kv-heads that do")  # fmt: skip
    return shape
