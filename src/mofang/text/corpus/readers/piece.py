"""What readers give: pieces of documents."""

from dataclasses import dataclass
from typing import Literal, NamedTuple


class Piece(NamedTuple):
    """Some text of a document, at most about a million characters; `last` if the document ends with it."""

    text: str
    last: bool


PIECE = 1 << 20
"""Characters in a piece, about."""

Boundary = Literal["auto", "file", "line", "blank"]


@dataclass(frozen=True)
class Reading:
    """How files are read: the JSON `field` that holds the text, and what parts documents in plain text (`boundary`):
    the file, the line, blank lines, or, for "auto", a line `<|endoftext|>` where there are any."""

    field: str = "text"
    boundary: Boundary = "auto"
