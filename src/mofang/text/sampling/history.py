"""What a text has said already, and what that changes about what comes next."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mofang.text.sampling.settings import Sampling


class History:
    """The tokens of one text, prompt included, kept so that each new one costs the same however long the text is."""

    def __init__(self, sampling: Sampling, tokens: Iterable[int] = ()) -> None:
        self._n, self._penalty = sampling.no_repeat, sampling.repetition
        self._seen: dict[int, None] = {}
        self._recent: tuple[int, ...] = ()
        self._after: dict[tuple[int, ...], set[int]] = {}
        for token in tokens:
            self.push(token)

    def push(self, token: int) -> None:
        """The token was written."""
        if self._penalty != 1:
            self._seen[token] = None
        if self._n:
            if len(self._recent) == self._n - 1:
                self._after.setdefault(self._recent, set()).add(token)
            self._recent = (*self._recent, token)[max(0, len(self._recent) + 2 - self._n) :]

    def copy(self) -> "History":
        """A history of its own."""
        other = History.__new__(History)
        other._n, other._penalty, other._recent = self._n, self._penalty, self._recent
        other._seen = dict(self._seen)
        other._after = {start: set(tokens) for start, tokens in self._after.items()}
        return other

    def penalise(self, logits: NDArray[np.float32]) -> None:
        """Make tokens that stand in the text less likely, in place (CTRL, arXiv:1909.05858, section 4.1)."""
        if self._penalty != 1 and self._seen:
            ids = np.fromiter(self._seen, np.intp, len(self._seen))
            values = logits[ids]
            logits[ids] = np.where(values > 0, values / self._penalty, values * self._penalty)

    def repeats(self) -> list[int]:
        """Tokens that would make n tokens stand in the text a second time."""
        if self._n == 1:
            return sorted(self._after.get((), ()))
        return sorted(self._after.get(self._recent, ())) if len(self._recent) == self._n - 1 else []
