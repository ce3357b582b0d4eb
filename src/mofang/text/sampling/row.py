"""One text as it is written: its luck, its history, its rule, its words so far."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mofang.text.sampling.constraint import Constraint
from mofang.text.sampling.filters import candidates
from mofang.text.sampling.history import History
from mofang.text.sampling.settings import Sampling
from mofang.text.sampling.stream import Stream
from mofang.text.sampling.words import WordBias

BytesOf = Callable[[int], bytes]


class Row:
    """One text being written. `never` are tokens that stand for no text and must not be written."""

    def __init__(self, sampling: Sampling, history: History, constraint: Constraint | None, stream: Stream, *, end: int,
                 bytes_of: BytesOf, never: Sequence[int] = (), words: WordBias | None = None) -> None:  # fmt: skip
        self._sampling, self._history, self._constraint, self._stream = sampling, history, constraint, stream
        self._end, self._bytes_of, self._words = end, bytes_of, words
        self._never = np.array([*never, *(token for token, value in sampling.bias.items() if value == -np.inf)], np.intp)
        finite = {token: value for token, value in sampling.bias.items() if value != -np.inf}
        self._biased, self._bias = np.array(list(finite), np.intp), np.array(list(finite.values()), np.float32)
        self.tokens: list[int] = []
        self.logprob = 0.0
        self.finish: Literal["stop", "length"] | None = "stop" if constraint and constraint.finished else None

    @property
    def plain(self) -> bool:
        """Whether the likeliest token is simply the largest logit."""
        return self._sampling.plain and self._sampling.temperature == 0 and not (self._constraint or self._words)

    def shape(self, logits: NDArray[np.float32]) -> bool:
        """Bring bias, penalties and rule into `logits` (V,), in place. Returns False if nothing may come next."""
        if self._biased.size:
            logits[self._biased] += self._bias
        if self._words:
            self._words.apply(logits)
        self._history.penalise(logits)
        logits[self._never] = -np.inf
        mask = self._constraint.mask() if self._constraint else None
        if mask is not None:
            logits[~mask] = -np.inf
        if repeats := self._history.repeats():
            kept = logits[repeats]
            logits[repeats] = -np.inf
            if logits.max() == -np.inf:  # A form that can only go on by repeating goes on.
                logits[repeats] = kept
        return bool(logits.max() > -np.inf)

    def choose(self, logits: NDArray[np.float32], rng: np.random.Generator) -> int | None:
        """The next token, or None if nothing may come. `logits` (V,) are changed."""
        if not self.shape(logits):
            return None
        if self._sampling.temperature == 0:
            return int(logits.argmax())
        ids, p = candidates(logits, self._sampling)
        # One number is drawn for a token, whatever the filters leave: a seed stays comparable over settings.
        sums = np.cumsum(p)
        return int(ids[min(int(np.searchsorted(sums, rng.random() * sums[-1], side="right")), ids.size - 1)])

    def take(self, token: int | None, logprob: float) -> None:
        """Write the token, with its log-probability under the model; None or the end token end the text."""
        if token is None or token == self._end:
            self.finish = "stop"
            return
        self.tokens.append(token)
        self.logprob += logprob
        self._history.push(token)
        if self._constraint:
            self._constraint.push(token)
        spelt = self._bytes_of(token)
        if self._words:
            self._words.push(spelt)
        if self._stream.push(spelt) or (self._constraint and self._constraint.finished):
            self.finish = "stop"

    def close(self) -> str:
        """The whole text; nothing more comes."""
        return self._stream.close()

    def copy(self) -> "Row":
        """A text that goes its own way from here."""
        other = Row.__new__(Row)
        other.__dict__.update(self.__dict__)
        other._history, other._stream = self._history.copy(), self._stream.copy()
        other._constraint = self._constraint.copy() if self._constraint else None
        other._words = self._words.copy() if self._words else None
        other.tokens = list(self.tokens)
        return other
