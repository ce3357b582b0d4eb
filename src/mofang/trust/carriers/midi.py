"""MIDI: text meta events at the beginning of the first track (Standard MIDI Files 1.0: FF 01 text, FF 02 copyright notice).

No practice guide names a place in MIDI files. A text event is what the format has for words about the music, and no player
sounds it; the copyright notice is what players and sequencers show, so it bears the explicit label.
"""

import struct
from collections.abc import Iterator

from mofang.trust.carriers import Buffer, Malformed, Pieces

TEXT, NOTICE = 0x01, 0x02
RECORD, RECIPE = b"AIGC=", b"Mofang-Recipe="
Words = list[tuple[int, bytes]]


def _tracks(data: Buffer) -> Iterator[tuple[int, int]]:
    """Where the content of each track chunk begins and ends."""
    position = 0
    while position + 8 <= len(data):
        kind, size = struct.unpack_from(">4sI", data, position)
        if position + 8 + size > len(data):
            raise Malformed("the MIDI file is cut short")
        if kind == b"MTrk":
            yield position + 8, position + 8 + size
        position += 8 + size


def _length(data: Buffer, position: int, end: int) -> tuple[int, int]:
    """A variable-length quantity, and where what it measures begins."""
    value = 0
    for count in range(4):
        if position + count >= end:
            break
        byte = data[position + count]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, position + count + 1
    raise Malformed("the MIDI file's first track is broken")


def _head(data: Buffer) -> tuple[Words, int, int, int]:
    """The meta events that open the first track at time 0 as (type, content); where the track begins, these end, it ends."""
    start, end = next(_tracks(data), (0, 0))
    if not end:
        raise Malformed("the MIDI file has no track")
    events: Words = []
    position = start
    while position + 3 <= end and data[position] == 0 and data[position + 1] == 0xFF and data[position + 2] != 0x2F:
        size, content = _length(data, position + 3, end)
        if content + size > end:
            raise Malformed("the MIDI file's first track is broken")
        events.append((data[position + 2], data[content : content + size]))
        position = content + size
    return events, start, position, end


def read(data: Buffer) -> list[str]:
    """Every record in the opening text events."""
    return [content[len(RECORD) :].decode("utf-8", "replace") for kind, content in _head(data)[0]
            if kind == TEXT and content.startswith(RECORD)]  # fmt: skip


def write(data: Buffer, record: str) -> Pieces:
    """One record, before whatever else the first track says."""
    return _with(data, TEXT, RECORD, record.encode())


def remark(data: Buffer, recipe: str) -> Pieces:
    """The recipe as a text event of its own, in place of any that is there."""
    return _with(data, TEXT, RECIPE, recipe.encode("utf-8", "replace"))


def notices(data: Buffer) -> list[str]:
    """The copyright notices, which programs show."""
    return [content.decode("utf-8", "replace") for kind, content in _head(data)[0] if kind == NOTICE]


def notice(data: Buffer, text: str) -> Pieces:
    """The file with one more notice."""
    return _with(data, NOTICE, text.encode(), b"")


def _with(data: Buffer, kind: int, mark: bytes, content: bytes) -> Pieces:
    events, start, rest, end = _head(data)
    kept = [event for event in events if not (event[0] == kind and event[1].startswith(mark))]
    head = b"".join(b"\0\xff" + bytes([of]) + _quantity(len(each)) + each for of, each in [(kind, mark + content), *kept])
    return [data[: start - 4], struct.pack(">I", len(head) + end - rest), head, data[rest:]]


def _quantity(value: int) -> bytes:
    """A variable-length quantity."""
    out = bytes([value & 0x7F])
    while value := value >> 7:
        out = bytes([0x80 | value & 0x7F]) + out
    return out
