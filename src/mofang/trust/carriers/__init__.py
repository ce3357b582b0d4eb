"""Where each format keeps the `AIGC` record: one carrier per format, told apart by content and not by file name.

A carrier writes exactly one record, replacing what is there, and leaves every other byte of the content as it was.
The places follow the practice guides to GB 45438-2025 (TC260-PG-20257A to 202511A), as the anchors of this field quote
them.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from mmap import mmap

Buffer = bytes | mmap
"""A file's content: in memory, or mapped so that a long film need not be."""

Pieces = Iterable[bytes | memoryview]
"""Content to be written in this order."""


class Malformed(ValueError):
    """The file is not what its first bytes promise; the message says what is wrong with it."""


@dataclass(frozen=True)
class Carrier:
    """A format: its name, MIME type, whether C2PA can be embedded, and how records are written and read.

    `write(data, record)` gives the pieces of the file with exactly that record; `read(data)` returns every record
    found. `remark(data, recipe)`, where a format has a place for it, gives the file with its recipe in it. All raise `Malformed`.
    """

    name: str
    mime: str
    embeds: bool
    write: Callable[[Buffer, str], Pieces]
    read: Callable[[Buffer], list[str]]
    remark: Callable[[Buffer, str], Pieces] | None = None


def after_id3(data: Buffer) -> int:
    """Where the content begins behind an ID3v2 tag, 0 without one; signed FLAC files begin with such a tag."""
    if data[:3] != b"ID3" or len(data) < 10:
        return 0
    return 10 + sum((byte & 0x7F) << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))


def _is_flac(data: Buffer) -> bool:
    start = after_id3(data)
    return data[start : start + 4] == b"fLaC"


def _riff(data: Buffer) -> bytes:
    return data[8:12] if data[:4] == b"RIFF" else b""


ROOT = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:<(?:\?|!)[^<>]*>\s*)*<([\w-]+)[\s>]")
"""The name of an XML document's root element, behind its declaration, document type and comments."""


def _root(data: Buffer) -> bytes:
    found = ROOT.match(data[:4096]) if data[:1] in (b"<", b"\xef", b" ", b"\n", b"\r", b"\t") else None
    return found[1] if found else b""


SNIFFS: tuple[tuple[str, str, bool, Callable[[Buffer], bool]], ...] = (
    ("png", "image/png", True, lambda d: d[:8] == b"\x89PNG\r\n\x1a\n"),
    ("jpeg", "image/jpeg", True, lambda d: d[:3] == b"\xff\xd8\xff"),
    ("webp", "image/webp", True, lambda d: _riff(d) == b"WEBP"),
    ("gif", "image/gif", True, lambda d: d[:6] in (b"GIF87a", b"GIF89a")),
    ("wav", "audio/wav", True, lambda d: _riff(d) == b"WAVE"),
    ("flac", "audio/flac", True, _is_flac),
    ("mp4", "video/mp4", True, lambda d: d[4:8] == b"ftyp"),
    ("mp3", "audio/mpeg", True, lambda d: d[:3] == b"ID3" or (d[:1] == b"\xff" and len(d) > 1 and d[1] & 0xE6 == 0xE2)),
    ("pdf", "application/pdf", True, lambda d: d[:5] == b"%PDF-"),
    ("midi", "audio/midi", False, lambda d: d[:4] == b"MThd"),
    ("svg", "image/svg+xml", True, lambda d: _root(d) == b"svg"),
    ("musicxml", "application/vnd.recordare.musicxml+xml", False, lambda d: _root(d) == b"score-partwise"),
)


def carrier(data: Buffer, suffix: str) -> Carrier | None:
    """The carrier of this content, or None. Only Markdown, which has no first bytes of its own, goes by its suffix."""
    for name, mime, embeds, matches in SNIFFS:
        if matches(data):
            module = import_module(f"mofang.trust.carriers.{name}")
            mime = "audio/mp4" if name == "mp4" and data[8:12] in (b"M4A ", b"M4B ") else mime
            return Carrier(name, mime, embeds, module.write, module.read, getattr(module, "remark", None))
    if suffix.lower() in (".md", ".markdown"):
        from mofang.trust.carriers import markdown

        return Carrier("markdown", "text/markdown", False, markdown.write, markdown.read)
    return None
