"""No character twice: what regulated verse avoids and small models love."""

import numpy as np

from mofang.text.forms.tokens import Mask, Vocabulary, split_tail
from mofang.text.language import is_han


class Unrepeated:
    """Turns down Han characters that were written before, save one doubled on the spot (萧萧, 滚滚)."""

    finished = False

    def __init__(self, vocabulary: Vocabulary, before: str = "") -> None:
        """`before` is text that counts as written."""
        self._vocabulary = vocabulary
        self._mask = np.ones(vocabulary.size, np.bool_)
        self._pending = b""
        self._last = self._doubled = ""
        self._write(before)

    def mask(self) -> Mask:
        """Which tokens may come next, (size,)."""
        return self._mask

    def push(self, token: int) -> None:
        """Go on by one token."""
        split = split_tail(self._pending + self._vocabulary.spelt[token])
        text, self._pending = split or ("", b"")
        self._write(text)

    def copy(self) -> "Unrepeated":
        other = Unrepeated.__new__(Unrepeated)
        other._vocabulary, other._mask, other._pending = self._vocabulary, self._mask, self._pending
        other._last, other._doubled = self._last, self._doubled
        return other

    def _write(self, text: str) -> None:
        if not text:
            return
        mask = self._mask.copy()  # what was handed out before is not changed behind its back
        for character in text:
            if self._last:
                mask[self._vocabulary.holding(self._last)] = False
            doubled = character == self._last
            self._last = character if is_han(character) else ""
            mask[self._vocabulary.holding(self._last)] = False
            if self._last and not doubled:
                mask[self._vocabulary.alone(self._last)] = True
        self._mask = mask
