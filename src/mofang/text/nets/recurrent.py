"""Recurrent language models: embedding → a stack of RNN, LSTM or GRU layers → logits.

The cells stand in `cells.py` as their papers write them, their run through time in `unroll.py`; this file stacks them.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mofang.text.nets.cells import CELLS
from mofang.text.nets.unroll import unroll

Config = dict[str, Any]
State = list[tuple[Tensor, ...]]
"""Of each layer: (h,), and for an LSTM (h, c). Each (B, H)."""


def config_for(
    kind: str, vocabulary: int, embedding: int, hidden: int, layers: int, *, dropout: float = 0.0, tied: bool = False
) -> Config:
    """A configuration: `kind` is rnn, lstm or gru. Tied weights need `embedding == hidden`."""
    assert not tied or embedding == hidden, "one matrix can only serve both ends if they have one width"
    return {"model_type": f"mofang-{kind}", "vocab_size": vocabulary, "embedding_size": embedding, "hidden_size": hidden,
            "num_layers": layers, "dropout": dropout, "tie_word_embeddings": tied}  # fmt: skip


class Layer(nn.Module):
    """The weights of one recurrent layer, in torch's order of gates."""

    def __init__(self, gates: int, inputs: int, hidden: int) -> None:
        super().__init__()
        self.weight_ih = nn.Parameter(torch.empty(gates * hidden, inputs))
        self.weight_hh = nn.Parameter(torch.empty(gates * hidden, hidden))
        self.bias_ih = nn.Parameter(torch.zeros(gates * hidden))
        self.bias_hh = nn.Parameter(torch.zeros(gates * hidden))
        # Glorot for what comes in, orthogonal for what comes round: it neither grows nor fades (Saxe et al. 2013).
        for gate in range(gates):
            rows = slice(gate * hidden, (gate + 1) * hidden)
            nn.init.xavier_uniform_(self.weight_ih.data[rows])
            nn.init.orthogonal_(self.weight_hh.data[rows])


class Head(nn.Module):
    """W_hy and b_y; tied to the embedding only the bias is its own."""

    def __init__(self, vocabulary: int, hidden: int, tied: bool) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.weight = None if tied else nn.Parameter(nn.init.xavier_uniform_(torch.empty(vocabulary, hidden)))


class Recurrent(nn.Module):
    """Tokens (B, T) → logits (B, T, V), and the state to go on from."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        vocabulary, inputs, hidden = config["vocab_size"], config["embedding_size"], config["hidden_size"]
        self.cell = CELLS[config["model_type"].removeprefix("mofang-")]
        self.embedding = nn.Embedding(vocabulary, inputs)
        nn.init.uniform_(self.embedding.weight, -0.05, 0.05)
        sizes = [inputs] + [hidden] * (config["num_layers"] - 1)
        layers = [Layer(self.cell.gates, size, hidden) for size in sizes]
        if self.cell.name == "lstm":
            for layer in layers:
                # Remember by default (Jozefowicz et al. 2015).
                nn.init.ones_(layer.bias_ih.data[hidden : 2 * hidden])
        self.rnn = nn.ModuleList(layers)
        self.head = Head(vocabulary, hidden, config["tie_word_embeddings"])
        self.dropout = nn.Dropout(config.get("dropout", 0.0))

    def forward(self, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Logits after each token, and the state after the last."""
        hidden, state = self.hidden(ids, state)
        return self.logits(hidden), state

    def hidden(self, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """The top layer's h at every step (B, T, H): what `logits` reads."""
        if state is None:
            zero = self.embedding.weight.new_zeros(ids.size(0), self.config["hidden_size"])
            state = [(zero,) * self.cell.states for _ in self.rnn]
        x: Tensor = self.dropout(self.embedding(ids.T))  # time first: each step is one block of memory
        after: State = []
        for layer, before in zip(self.rnn, state, strict=True):
            assert isinstance(layer, Layer)
            x, last = unroll(self.cell, x, (layer.weight_ih, layer.weight_hh, layer.bias_ih, layer.bias_hh), before)
            x = self.dropout(x)
            after.append(last)
        return x.transpose(0, 1), after

    def logits(self, hidden: Tensor) -> Tensor:
        """(…, H) → logits (…, V): y = W_hy h + b_y."""
        return F.linear(hidden, self.output_weight, self.head.bias)

    @property
    def output_weight(self) -> Tensor:
        """The matrix (V, H) that makes logits: the embedding's own if tied."""
        return self.embedding.weight if self.head.weight is None else self.head.weight
