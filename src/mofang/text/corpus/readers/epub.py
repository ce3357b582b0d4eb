"""EPUB 2 and 3: a book is a document, its chapters in reading order."""

import posixpath
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from mofang.studio.errors import UserError
from mofang.text.corpus.readers.html import text_of
from mofang.text.corpus.readers.piece import PIECE, Piece, Reading
from mofang.text.corpus.readers.whole import Archive, declared
from mofang.text.corpus.tally import Tally

_CONTAINER = "{urn:oasis:names:tc:opendocument:xmlns:container}"
PACKAGE = "{http://www.idpf.org/2007/opf}"
_LOCKED = "{http://www.w3.org/2001/04/xmlenc#}CipherReference"
_TEXT = ("application/xhtml+xml", "text/html")


def read(path: Path, reading: Reading, tally: Tally) -> Iterator[Piece]:
    """The chapters in the order of the spine, without contents pages. Raises `UserError` for a damaged or locked book."""
    book = Archive(path)
    try:
        given = False
        for name in chapters(book, path.name):
            text = text_of(declared(book.read(name), f"{path.name}: {name}"))
            for start in range(0, len(text), PIECE):
                yield Piece(text[start : start + PIECE] + ("" if start + PIECE < len(text) else "\n\n"), False)
                given = True
        if given:
            yield Piece("", True)
    finally:
        book.close()


def package_of(book: Archive, name: str) -> tuple[ET.Element, str]:
    """The package document of a book, and the folder inside the archive that its links start from."""
    container = xml(book.read("META-INF/container.xml"), name)
    root = container.find(f".//{_CONTAINER}rootfile")
    path = (root.get("full-path") if root is not None else None) or ""
    return xml(book.read(path), name), posixpath.dirname(path)


def member(folder: str, link: str) -> str:
    """The member of the archive that a link written in `folder` means; it is only ever looked up, never a path on disk."""
    return posixpath.normpath(posixpath.join(folder, unquote(link).split("#")[0]))


def chapters(book: Archive, name: str) -> list[str]:
    """The members that are read, in the order of the spine. Raises `UserError` for a locked book or one without any."""
    package, folder = package_of(book, name)
    items = {item.get("id"): item for item in package.iter(f"{PACKAGE}item")}
    found = []
    for reference in package.iter(f"{PACKAGE}itemref"):
        item = items.get(reference.get("idref"))
        if item is None or "nav" in (item.get("properties") or "").split() or item.get("media-type") not in _TEXT:
            continue
        target = member(folder, item.get("href") or "")
        if target in book.names:
            found.append(target)
    locked = _locked(book, name)
    if any(chapter in locked for chapter in found):
        raise UserError(f"{name} is protected against copying (DRM); give a book without")
    if not found:
        raise UserError(f"{name} holds no chapters that can be found; save it again with an EPUB editor")
    return list(dict.fromkeys(found))


def _locked(book: Archive, name: str) -> set[str]:
    if "META-INF/encryption.xml" not in book.names:
        return set()
    return {
        unquote(cipher.get("URI") or "") for cipher in xml(book.read("META-INF/encryption.xml"), name).iter(_LOCKED)
    }


def xml(data: bytes, name: str) -> ET.Element:
    """Parsed XML. Raises `UserError` for what is broken or defines entities."""
    # Expat fetches nothing from outside; entities of the file's own are only good for blowing it up.
    if b"<!ENTITY" in data or b"<\x00!\x00E\x00N" in data:
        raise UserError(f"{name} defines entities of its own, which no book needs; it was not read")
    try:
        return ET.fromstring(data)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise UserError(f"{name} is damaged ({error}); save it again with an EPUB editor") from error
