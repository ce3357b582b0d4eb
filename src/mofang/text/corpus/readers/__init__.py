"""Files of every kind a writer keeps, read piece by piece so that none has to fit in memory."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from mofang.text.corpus.readers.piece import Piece, Reading
from mofang.text.corpus.tally import Tally

__all__ = ["SUFFIXES", "Piece", "Reading", "read"]

SUFFIXES = {
    **dict.fromkeys((".txt", ".text", ".log"), "plain"),
    **dict.fromkeys((".md", ".markdown"), "markup"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), "jsonl"),
    **dict.fromkeys((".srt", ".vtt", ".ass", ".ssa"), "subtitles"),
    ".epub": "epub",
    ".docx": "docx",
}
"""Suffix → the module that reads it. Folders are searched for these; a file named by itself is read whatever its suffix,
by its first bytes or else as plain text."""


def read(path: Path, reading: Reading, tally: Tally) -> Iterator[Piece]:
    """The pieces of the documents in a file; what is passed over in it goes to the tally.

    Raises `UserError` for a file that is broken, maybe after some pieces of it.
    """
    module = import_module(f"{__name__}.{SUFFIXES.get(path.suffix.lower(), 'plain')}")
    reader: Callable[[Path, Reading, Tally], Iterator[Piece]] = module.read
    return reader(path, reading, tally)
