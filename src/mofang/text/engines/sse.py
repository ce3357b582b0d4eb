"""Server-sent events, parsed as they arrive (HTML Living Standard, 9.2), in bounded memory."""

import codecs
from collections.abc import Iterator

MAX_EVENT = 1_000_000
"""Characters one event may have before the stream is called garbage."""


class SSEParser:
    """Feed it bytes in any portions; it gives back the `data` of each finished event.

    Lines may end in LF, CR or CRLF, also when the two arrive apart; invalid UTF-8 becomes U+FFFD, and a character that
    arrives in two portions is whole. Raises `ValueError` for an event longer than `MAX_EVENT`.
    """

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode
        self._line = ""
        self._data: list[str] = []
        self._size = 0
        self._after_cr = False

    def feed(self, portion: bytes, final: bool = False) -> Iterator[str]:
        """The data of the events that `portion` completes; `final` says that no more will come."""
        text = self._decode(portion, final)
        if self._after_cr and text:
            text = text.removeprefix("\n")
            self._after_cr = False
        self._after_cr = self._after_cr or text.endswith("\r")
        *lines, rest = (self._line + text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._line = rest
        self._bound(len(rest))
        for line in lines:
            if not line:
                if self._data:
                    yield "\n".join(self._data)
                self._data, self._size = [], 0
            elif line.startswith("data") and line[4:5] in ("", ":"):
                self._data.append(line[5:].removeprefix(" "))
                self._size += len(line)
                self._bound(0)

    def _bound(self, more: int) -> None:
        if self._size + more > MAX_EVENT:
            raise ValueError("an event is far too long")
