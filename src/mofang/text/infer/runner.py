"""What every network does when it writes: keep a state, take tokens, say what may come next."""

from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Logits = NDArray[np.float32]
S = TypeVar("S")


class Runner(Protocol[S]):
    """A network with its weights. `context` is how many tokens it can look back on, None for any number."""

    @property
    def vocab(self) -> int: ...
    @property
    def context(self) -> int | None: ...
    @property
    def precision(self) -> str: ...

    def start(self, batch: int) -> S:
        """The state before the first token of `batch` texts."""
        ...

    def feed(self, state: S, ids: Ids) -> Logits:
        """Go on by ids (B, T) of every text; the state changes in place. Returns logits (B, V) after the last token.

        A Transformer whose context is full goes on with the newest half of what it has read (and always takes at least
        the newest of `ids` that fit): from there on it writes as if the text began with that half.
        """
        ...

    def feed_all(self, state: S, ids: Ids) -> Logits:
        """Like `feed`, with the logits (B, T, V) after every token; T must fit into what is left of the context."""
        ...

    def fork(self, state: S, rows: NDArray[np.int64]) -> S:
        """A new state of the texts `rows`, in that order; one may be named many times or never."""
        ...
