"""Subtitles (SRT, WebVTT, ASS): what is said, a line each, without times and styles."""

from collections.abc import Iterator
from pathlib import Path

from mofang.studio.errors import UserError
from mofang.text.corpus.readers.piece import PIECE, Piece, Reading
from mofang.text.corpus.readers.whole import read_text
from mofang.text.corpus.tally import Tally


def read(path: Path, reading: Reading, tally: Tally) -> Iterator[Piece]:
    """A file is a document. Lines that captions repeat as they roll are given once."""
    import pysubs2

    source = read_text(path)
    try:
        events = pysubs2.SSAFile.from_string(source, path.suffix.lower().replace(".", ""))
    except (pysubs2.Pysubs2Error, ValueError, IndexError, KeyError) as error:
        raise UserError(f"{path.name} is no subtitle file that can be read; save it again as SRT") from error
    said: list[str] = []
    repeated = 0
    for event in events:
        if event.is_comment or event.is_drawing:
            continue
        for line in event.plaintext.split("\n"):
            line = line.strip()
            if line and line not in said[-2:]:
                said.append(line)
            else:
                repeated += bool(line)
    if repeated:
        tally.drop("caption shown again", path.name, 0, repeated)
    text = "\n".join(said)
    for start in range(0, len(text), PIECE):
        yield Piece(text[start : start + PIECE], start + PIECE >= len(text))
