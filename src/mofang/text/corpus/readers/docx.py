"""DOCX (ECMA-376 WordprocessingML): the paragraphs of the body, parsed as a stream."""

from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

from mofang.studio.errors import UserError
from mofang.text.corpus.readers.piece import PIECE, Piece, Reading
from mofang.text.corpus.readers.whole import Archive
from mofang.text.corpus.tally import Tally

_BODY = "word/document.xml"
_NAMESPACES = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
)
_UNPACKED = 1 << 30


def read(path: Path, reading: Reading, tally: Tally) -> Iterator[Piece]:
    """A file is a document; deleted text of tracked changes is left out, inserted text is in.

    Raises `UserError` for a damaged or locked file, and one that unpacks to more than a gigabyte.
    """
    archive = Archive(path)
    try:
        paragraphs = _Paragraphs(path.name)
        with archive.open(_BODY) as member:
            seen = 0
            while data := archive.take(member, 1 << 18):
                seen += len(data)
                if seen > _UNPACKED:
                    raise UserError(
                        f"{path.name} unpacks to more than {_UNPACKED >> 30} GB (a zip bomb?); it was not read"
                    )
                paragraphs.feed(data)
                if paragraphs.length >= PIECE:
                    yield Piece(paragraphs.take(), False)
            paragraphs.feed(b"", final=True)
        yield Piece(paragraphs.take(), True)
    finally:
        archive.close()


class _Paragraphs:
    """What the parser has read so far, as lines."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data
        self._parser.EntityDeclHandler = self._entity
        self._text: list[str] = []
        self._reading, self._skipped = False, 0
        self.length = 0

    def feed(self, data: bytes, final: bool = False) -> None:
        """Parse some more."""
        try:
            self._parser.Parse(data, final)
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise UserError(f"{self._name} is damaged ({error}); open it in its program and save it again") from error

    def take(self) -> str:
        """The text read since the last time."""
        text = "".join(self._text)
        self._text.clear()
        self.length = 0
        return text

    def _say(self, text: str) -> None:
        self._text.append(text)
        self.length += len(text)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, tag = name.rpartition(" ")
        if tag == "Fallback":  # the same words again, for programs of another age
            self._skipped += 1
        elif space in _NAMESPACES and not self._skipped:
            self._reading = tag == "t"
            if tag in ("br", "cr"):
                self._say("\n")
            elif tag == "tab":
                self._say("\t")

    def _end(self, name: str) -> None:
        space, _, tag = name.rpartition(" ")
        self._reading = False
        if tag == "Fallback":
            self._skipped -= 1
        elif tag == "p" and space in _NAMESPACES and not self._skipped:
            self._say("\n")

    def _data(self, data: str) -> None:
        if self._reading and not self._skipped:
            self._say(data)

    def _entity(self, *_: object) -> None:
        raise UserError(f"{self._name} defines entities of its own, which no document needs; it was not read")
