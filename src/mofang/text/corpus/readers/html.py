"""HTML: the text a reader would see, without menus and scripts."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from mofang.text.corpus.readers.piece import PIECE, Piece, Reading
from mofang.text.corpus.readers.whole import declared, read_bytes
from mofang.text.corpus.tally import Tally
from mofang.text.language import HAN

_HIDDEN = {"script", "style", "noscript", "template", "head", "svg", "math", "iframe", "object", "select", "textarea",
           "button", "rt", "rp"}  # fmt: skip
_AROUND = {"nav", "aside", "footer", "form"}
_BLOCKS = {"address", "article", "aside", "blockquote", "body", "caption", "dd", "div", "dl", "dt", "fieldset", "figcaption",
           "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p",
           "pre", "section", "table", "tbody", "td", "th", "thead", "tr", "ul"}  # fmt: skip
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_BETWEEN_HAN = re.compile(f"(?<=[{HAN}\u3000-\u303f\uff00-\uffef])\\s*\n\\s*(?=[{HAN}\u3000-\u303f\uff00-\uffef])")
_SPACE = re.compile(r"[ \t\n\f]+")
_KEPT = "\ue000"  # a space in preformatted text, while others are folded


def read(path: Path, reading: Reading, tally: Tally) -> Iterator[Piece]:
    """A page is a document."""
    text = text_of(declared(read_bytes(path), path.name))
    for start in range(0, len(text), PIECE):
        yield Piece(text[start : start + PIECE], start + PIECE >= len(text))


def text_of(source: str) -> str:
    """The text of an HTML page: a blank line between blocks, white space as a browser shows it."""
    for around in (_AROUND, set[str]()):
        parser = _Text(_HIDDEN | around)
        parser.feed(source)
        parser.close()
        # A page all inside an unclosed menu is read with its menus rather than not at all.
        if text := "\n\n".join(parser.blocks()):
            return text
    return ""


class _Text(HTMLParser):
    def __init__(self, hidden: set[str]) -> None:
        super().__init__(convert_charrefs=True)
        self._hidden = hidden
        self._inside: list[str] = []  # hidden elements we are in
        self._pre = 0
        self._blocks: list[str] = []
        self._held: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._hidden and tag not in _VOID:
            self._inside.append(tag)
        elif tag == "body":
            self._inside.clear()  # a head nobody closed
        elif tag == "br":
            self._held.append("\v")
        elif tag in _BLOCKS:
            self._release()
            self._pre += tag == "pre"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self._hidden:
            self.handle_starttag(tag, attrs)
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._inside:
            while self._inside.pop() != tag:
                pass
        elif tag in _BLOCKS:
            self._release()
            if tag == "pre":
                self._pre = max(0, self._pre - 1)

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self._held.append(data.replace("\n", "\v").replace(" ", _KEPT) if self._pre else data)

    def _release(self) -> None:
        text = _SPACE.sub(" ", _BETWEEN_HAN.sub("", "".join(self._held)))
        self._held.clear()
        text = "\n".join(line.strip(" ") for line in text.split("\v")).strip("\n ").replace(_KEPT, " ")
        if text.strip():
            self._blocks.append(text)

    def blocks(self) -> list[str]:
        """The blocks of text found."""
        self._release()
        return self._blocks
