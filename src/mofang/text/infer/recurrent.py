"""Recurrent networks: vanilla RNN, LSTM and GRU, in the equations and the gate order of torch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mofang.models.own import Config
from mofang.text.infer import cells
from mofang.text.infer.pack import Floats, Pack
from mofang.text.infer.runner import Ids, Logits
from mofang.text.infer.team import Team
from mofang.text.infer.weights import Tensors, whole

KINDS = {"mofang-rnn": (0, 1), "mofang-gru": (1, 3), "mofang-lstm": (2, 4)}
"""Kind → (its number in the kernel, gates)."""


@dataclass
class Memory:
    """Hidden state and, for the LSTM, cell state: both (B, layers, H)."""

    hidden: Floats
    cell: Floats


class Recurrent:
    """A recurrent network ready to write; see `Runner`. Its state has one size however long the text is."""

    context = None

    def __init__(self, config: Config, tensors: Tensors, *, precision: str, team: Team) -> None:
        kind, gates = KINDS[config["model_type"]]
        self.vocab, embedding = whole(config, "vocab_size"), whole(config, "embedding_size")
        hidden, layers = whole(config, "hidden_size"), whole(config, "num_layers")
        self.precision, self._team = precision, team
        self._shape = np.array([kind, hidden, self.vocab], np.int64)
        pack = Pack(precision == "int8")
        table = []
        for layer in range(layers):
            inputs = embedding if layer == 0 else hidden
            table.append([
                *pack.matrix(tensors.take(f"rnn.{layer}.weight_ih", gates * hidden, inputs)),
                *pack.matrix(tensors.take(f"rnn.{layer}.weight_hh", gates * hidden, hidden)),
                pack.vector(tensors.take(f"rnn.{layer}.bias_ih", gates * hidden)),
                pack.vector(tensors.take(f"rnn.{layer}.bias_hh", gates * hidden)),
            ])  # fmt: skip
        self._embedding = np.ascontiguousarray(tensors.take("embedding.weight", self.vocab, embedding))
        tied = "head.weight" not in tensors
        head = tensors.take("embedding.weight", self.vocab, hidden) if tied else tensors.take("head.weight", self.vocab, hidden)
        last = [*pack.matrix(head), pack.vector(tensors.take("head.bias", self.vocab))]
        self._table, self._last = np.array(table, np.int64), np.array(last, np.int64)
        self._bytes, self._floats = pack.codes(), pack.floats()

    def start(self, batch: int) -> Memory:
        """See `Runner.start`."""
        shape = (batch, len(self._table), int(self._shape[1]))
        return Memory(np.zeros(shape, np.float32), np.zeros(shape, np.float32))

    def feed(self, state: Memory, ids: Ids) -> Logits:
        """See `Runner.feed`."""
        return self._feed(state, ids, every=False)

    def feed_all(self, state: Memory, ids: Ids) -> Logits:
        """See `Runner.feed_all`."""
        return self._feed(state, ids, every=True).reshape(*ids.shape, self.vocab)

    def fork(self, state: Memory, rows: NDArray[np.int64]) -> Memory:
        """See `Runner.fork`."""
        return Memory(state.hidden[rows].copy(), state.cell[rows].copy())

    def _feed(self, state: Memory, ids: Ids, every: bool) -> Logits:
        ids = np.ascontiguousarray(ids, np.int32)
        batch, steps = ids.shape
        out = np.empty((batch * (steps if every else 1), self.vocab), np.float32)

        def work(first: int, end: int) -> None:
            cells.recurrent(self._bytes, self._floats, self._table, self._last, self._shape, self._embedding, state.hidden,
                            state.cell, ids, first, end, every, out)  # fmt: skip

        self._team.share(work, batch)
        return out
