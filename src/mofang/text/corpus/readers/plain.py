"""Plain text: a file is a document, unless something in it parts documents."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from mofang.text.corpus.readers.chat import chat_pieces, is_chat
from mofang.text.corpus.readers.decoded import blocks
from mofang.text.corpus.readers.piece import PIECE, Boundary, Piece, Reading
from mofang.text.corpus.tally import Tally

_BETWEEN = {
    "auto": re.compile(r"^[ \t]*(?:<\|endoftext\|>|<\|end\|>)[ \t]*$\n?", re.M),
    "line": re.compile(r"\n"),
    "blank": re.compile(r"\n[ \t\u3000]*(?:\n[ \t\u3000]*)+"),
}


def read(path: Path, reading: Reading, tally: Tally) -> Iterator[Piece]:
    """The documents of a text file; the export of a chat is known by its lines."""
    texts = blocks(path)
    head = next(texts, "")
    if reading.boundary == "auto" and is_chat(head):
        return chat_pieces(chain([head], texts), tally)
    return pieces(chain([head], texts), reading.boundary)


def pieces(texts: Iterable[str], boundary: Boundary) -> Iterator[Piece]:
    """Documents out of blocks of text. A piece ends at the end of a line if there is one."""
    between = _BETWEEN.get(boundary)
    held, begun = "", False  # text not yet given, and whether the document already has pieces
    for text in texts:
        held += text
        if between:
            # The last line is held back: a separator may be cut in two.
            *documents, held = _split(between, held)
            for document in documents:
                if document.strip() or begun:
                    yield Piece(document, True)
                begun = False
        while len(held) >= PIECE:
            end = held.rfind("\n", 0, PIECE) + 1 or PIECE
            yield Piece(held[:end], False)
            held, begun = held[end:], True
    if between:
        *documents, held = between.split(held)
        for document in documents:
            if document.strip() or begun:
                yield Piece(document, True)
            begun = False
    if held.strip() or begun:
        yield Piece(held, True)


def _split(between: re.Pattern[str], text: str) -> list[str]:
    """The documents that are complete, and what is left: from the last separator that is surely whole."""
    safe = text.rfind("\n") + 1
    # Blank lines may go on in the next block.
    safe = len(text[:safe].rstrip("\n \t\u3000")) if between is _BETWEEN["blank"] else safe
    *documents, rest = between.split(text[:safe])
    return [*documents, rest + text[safe:]]
