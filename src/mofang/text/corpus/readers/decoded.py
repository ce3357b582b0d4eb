"""A text file as blocks of text, whatever its encoding and size."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from mofang.studio.errors import UserError
from mofang.text.corpus.readers.piece import PIECE
from mofang.text.decode import decode

WHOLE = 8 << 20
"""Up to so many bytes a file is decoded at once, and its encoding judged by all of it."""
_HEAD = 1 << 20
_WOUNDS = 1e-4


def blocks(path: Path) -> Iterator[str]:
    """The text of a file in blocks, line ends as `\\n`. Raises `UserError` for what cannot be read or is no text.

    In a file larger than `WHOLE` a damaged character becomes U+FFFD as long as there are few of them.
    """
    try:
        with path.open("rb") as file:
            head = file.read(WHOLE + 1)
            if len(head) <= WHOLE:
                yield decode(head, path.name)[0].replace("\r\n", "\n").replace("\r", "\n")
                return
            encoding = _encoding(head, path.name)
            decoder = codecs.getincrementaldecoder(encoding)("replace")
            seen, wounds, data, held = 0, 0, head, ""
            while data or held:
                text = held + decoder.decode(data, final=not data)
                # A carriage return at the edge may be half of a line end.
                held = "\r" if data and text.endswith("\r") else ""
                text = text[: len(text) - len(held)]
                seen, wounds = seen + len(text), wounds + text.count("\ufffd")
                if "\x00" in text or wounds > max(10, seen * _WOUNDS):
                    raise UserError(f"{path.name} is damaged, or not {encoding} throughout; save it again as UTF-8")
                text = text.replace("\r\n", "\n").replace("\r", "\n")
                for start in range(0, len(text), PIECE):
                    yield text[start : start + PIECE]
                if not data:
                    return
                data = file.read(4 * PIECE)
    except OSError as error:
        raise UserError(f"cannot read {path.name}: {error.strerror or error}") from error


def _encoding(head: bytes, name: str) -> str:
    """The encoding of a large file by its beginning, cut where a line ends so that no character is halved."""
    cut = head[:_HEAD]
    end = cut.rfind(b"\n")
    if end > 0:
        # A line feed in UTF-16 or UTF-32 fills a unit: keep whole units.
        cut = cut[: (end + 1) // 4 * 4] if b"\x00" in cut[:64] else cut[: end + 1]
    else:
        cut = cut.decode("utf-8", "ignore").encode() if len(cut.decode("utf-8", "ignore")) > len(cut) // 5 else cut
    return decode(cut, name)[1]
