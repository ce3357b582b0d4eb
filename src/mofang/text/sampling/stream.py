"""Tokens to text as they come: never half a character, never a piece of a stop string."""

import codecs
from collections.abc import Callable, Sequence

OnText = Callable[[str], None]


class Stream:
    """Gathers the bytes of tokens. `text` is what may be shown; what could still become a stop string is held back.

    A stop string may begin and end anywhere in tokens. Bytes that begin a character wait for the rest; bytes that can
    begin none become U+FFFD.
    """

    def __init__(self, stop: Sequence[str] = (), on_text: OnText | None = None) -> None:
        self._stop = tuple(word for word in stop if word)
        self._on_text = on_text
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._shown: list[str] = []
        self._held = ""
        self.stopped = False

    @property
    def text(self) -> str:
        """What has been shown so far."""
        return "".join(self._shown)

    def push(self, spelt: bytes) -> bool:
        """Take a token's bytes; returns whether a stop string is complete: the text then ends before it."""
        self._held += self._decoder.decode(spelt)
        if not self._stop:
            self._show(len(self._held))
            return False
        found = [at for word in self._stop if (at := self._held.find(word)) >= 0]
        if found:
            self._show(min(found))
            self._held, self.stopped = "", True
        else:
            self._show(len(self._held) - max(_begun(self._held, word) for word in self._stop))
        return self.stopped

    def close(self) -> str:
        """Nothing more comes: show what was held back. Half a character at the end is dropped. Returns the text."""
        self._show(len(self._held))
        return self.text

    def copy(self) -> "Stream":
        """A stream of its own, in the same place, that shows nothing to anyone."""
        other = Stream(self._stop)
        other._decoder.setstate(self._decoder.getstate())
        other._shown, other._held, other.stopped = list(self._shown), self._held, self.stopped
        return other

    def _show(self, count: int) -> None:
        if count > 0:
            piece, self._held = self._held[:count], self._held[count:]
            self._shown.append(piece)
            if self._on_text:
                self._on_text(piece)


def _begun(text: str, word: str) -> int:
    """Characters of `word` that `text` ends with."""
    for count in range(min(len(word) - 1, len(text)), 0, -1):
        if text.endswith(word[:count]):
            return count
    return 0
