"""Words made likelier, less likely, or impossible, however a tokenizer cuts them."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray


class WordBias:
    """Adds a bias to every token that would complete a word (−inf: the word cannot be written).

    Words are matched in the bytes of the text, over the borders of tokens and out of the prompt; a word inside a longer one
    counts ("cat" in "concatenate"). For a word of several tokens only the last is touched, as in Transformers' sequence bias.
    """

    def __init__(self, words: Mapping[str, float], spelling: Iterable[bytes]) -> None:
        tokens = list(spelling)
        self._size = len(tokens)
        # For every beginning of every word: which tokens bring the rest of it.
        self._completing: dict[bytes, list[tuple[NDArray[np.intp], float]]] = {}
        self._longest = 0
        for word, value in words.items():
            spelt = word.encode()
            self._longest = max(self._longest, len(spelt) - 1)
            for cut in range(len(spelt)):
                rest = spelt[cut:]
                ids = [i for i, token in enumerate(tokens) if (token.startswith(rest) if cut else rest in token)]
                if ids:
                    self._completing.setdefault(spelt[:cut], []).append((np.array(ids, np.intp), value))
        self._tail = b""

    def push(self, spelt: bytes) -> None:
        """These bytes were written (or stand in the prompt)."""
        self._tail = (self._tail + spelt)[-self._longest :] if self._longest else b""

    def copy(self) -> "WordBias":
        """A matcher of its own, in the same place."""
        other = WordBias.__new__(WordBias)
        other.__dict__.update(self.__dict__)
        return other

    def apply(self, logits: NDArray[np.float32]) -> None:
        """Bring the bias into logits (V,), in place."""
        for start, changes in self._completing.items():
            if self._tail.endswith(start):
                for ids, value in changes:
                    logits[ids] += np.float32(value)
