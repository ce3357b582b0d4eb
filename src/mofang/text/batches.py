"""Windows of a token stream, in an order that is a function of the step alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass
class Windows:
    """Shuffled windows of `length` + 1 tokens, each the input and, one token on, what should be predicted.

    Every epoch cuts the stream at another offset and goes through all windows in another order, both drawn from
    (seed, epoch): batch `n` is the same whoever asks, so a resumed run and one split over processes see the same data.
    """

    tokens: NDArray[np.unsignedinteger]
    length: int
    seed: int = 0

    def __post_init__(self) -> None:
        self.count = (len(self.tokens) - 1) // self.length - 1
        assert self.count > 0, "fewer tokens than two windows"
        self._epoch = -1
        self._order: NDArray[np.int64] = np.empty(0, np.int64)
        self._offset = 0

    def batch(self, number: int, size: int) -> NDArray[np.int64]:
        """Batch `number` of `size` windows, (size, length + 1)."""
        rows = []
        for index in range(number * size, (number + 1) * size):
            epoch, place = divmod(index, self.count)
            self._shuffle(epoch)
            start = self._offset + int(self._order[place]) * self.length
            rows.append(self.tokens[start : start + self.length + 1])
        return np.stack(rows).astype(np.int64)

    def _shuffle(self, epoch: int) -> None:
        if epoch != self._epoch:
            rng = np.random.default_rng((self.seed, epoch))
            self._offset = int(rng.integers(self.length))
            self._order = rng.permutation(self.count)
            self._epoch = epoch


def whole(tokens: NDArray[np.unsignedinteger], length: int, most: int | None = None) -> NDArray[np.int64]:
    """Non-overlapping windows that cover a stream once, (windows, length + 1); of too many, `most` spread evenly.

    Tokens after the last whole window are left out, as every loss over windows of a fixed context does.
    """
    count = (len(tokens) - 1) // length
    picked = range(count) if most is None or count <= most else np.linspace(0, count - 1, most).astype(int)
    rows = [tokens[index * length : (index + 1) * length + 1] for index in picked]
    return np.stack(rows).astype(np.int64) if rows else np.empty((0, length + 1), np.int64)
