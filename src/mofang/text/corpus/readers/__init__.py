"""Files of every kind a writer keeps, read piece by piece so that none has to fit in memory."""

from collections.abc import Iterator
from pathlib import Path

from mofang.text.corpus.readers.piece import Piece, Reading
from mofang.text.corpus.tally import Tally

__all__ = ["SUFFIXES", "Piece", "Reading", "read"]

SUFFIXES = {
    **dict.fromkeys((".txt", ".text"), "plain"),
    **dict.fromkeys((".jsonl", ".ndjson"), "jsonl"),
}
"""What is looked for in folders, by suffix. A file named by itself is read whatever its suffix, as plain text if unknown."""


def read(path: Path, reading: Reading, tally: Tally) -> Iterator[Piece]:
    """The pieces of the documents in a file. Raises `UserError` for one that is broken, maybe after some pieces."""
    kind = SUFFIXES.get(path.suffix.lower(), "plain")
    if kind == "jsonl":
        from mofang.text.corpus.readers.jsonl import read_jsonl

        return read_jsonl(path, reading, tally)
    from mofang.text.corpus.readers.plain import read_plain

    return read_plain(path, reading)
