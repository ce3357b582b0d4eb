"""Markdown: its text, headings marked, without links' addresses, pictures and front matter."""

from collections.abc import Iterator
from pathlib import Path

from mofang.text.corpus.readers.decoded import WHOLE
from mofang.text.corpus.readers.piece import PIECE, Piece, Reading
from mofang.text.corpus.readers.plain import read as read_plain
from mofang.text.corpus.readers.whole import read_text
from mofang.text.corpus.tally import Tally
from mofang.text.front import split_front
from mofang.text.markdown import Block, parse_markdown


def read(path: Path, reading: Reading, tally: Tally) -> Iterator[Piece]:
    """A file is a document. One too large to parse at once is read as the plain text it also is."""
    if reading.boundary not in ("auto", "file") or (path.is_file() and path.stat().st_size > WHOLE):
        yield from read_plain(path, reading, tally)
        return
    front, body = split_front(read_text(path))
    blocks, notes = parse_markdown(body)
    for note in notes:
        tally.drop("markup left out", f"{path.name}: {note}", 0)
    title = [f"# {front['title']}"] if front.get("title") else []
    text = "\n\n".join(title + [_written(block) for block in blocks])
    for start in range(0, len(text), PIECE):
        yield Piece(text[start : start + PIECE], start + PIECE >= len(text))


def _written(block: Block) -> str:
    if block.kind == "heading":
        return f"{'#' * block.level} {block.text}"
    return f"- {block.text}" if block.kind == "item" else block.text
