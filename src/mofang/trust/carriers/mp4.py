"""MP4, MOV, M4A: key `AIGC` in `moov.udta.meta` (keys + ilst, QuickTime metadata; TC260-PG-20257A).

When `moov` stands before the media and grows, every chunk offset behind it is moved along.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from mofang.trust.carriers import Malformed

CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"udta")
KEY = b"AIGC"


@dataclass(frozen=True)
class Box:
    """A box: type, where it starts, where its content starts, where it ends."""

    kind: bytes
    start: int
    body: int
    end: int


def boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    """The boxes between two positions."""
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if size == 1 and start + 16 <= end:
            size, body = struct.unpack_from(">Q", data, start + 8)[0], start + 16
        elif size == 0:
            size = end - start
        if size < body - start or start + size > end:
            raise Malformed("the MP4's boxes are broken or cut short")
        yield Box(kind, start, body, start + size)
        start += size


def _one(data: bytes, kind: bytes, start: int, end: int) -> Box | None:
    return next((box for box in boxes(data, start, end) if box.kind == kind), None)


def _metas(data: bytes) -> list[tuple[int, int, bytes]]:
    """(start, end, children) of every `meta` box in moov and moov.udta; its children may follow four flag bytes."""
    moov = _one(data, b"moov", 0, len(data))
    if moov is None:
        raise Malformed("the MP4 has no moov box")
    found = []
    places = [moov] + [box for box in boxes(data, moov.body, moov.end) if box.kind == b"udta"]
    for place in places:
        for box in _tolerant(data, place):
            if box.kind == b"meta":
                flagged = data[box.body + 4 : box.body + 8] != b"hdlr"
                found.append((box.start, box.end, data[box.body + 4 * flagged : box.end]))
    return found


def _tolerant(data: bytes, place: Box) -> Iterator[Box]:
    """Children of moov or udta; QuickTime ends a udta with four zero bytes, which are no box."""
    end = place.end
    if place.kind == b"udta" and end - place.body >= 4 and data[end - 4 : end] == bytes(4):
        end -= 4
    yield from boxes(data, place.body, end)


def _pairs(meta: bytes) -> list[tuple[bytes, bytes]]:
    """(key, value box content) of a `meta` with `keys`; iTunes-style metadata without keys gives nothing."""
    keys, values = _one(meta, b"keys", 0, len(meta)), _one(meta, b"ilst", 0, len(meta))
    if keys is None or values is None:
        return []
    names, position = [], keys.body + 8
    while position + 8 <= keys.end:
        size = struct.unpack_from(">I", meta, position)[0]
        if size < 8 or position + size > keys.end:
            raise Malformed("the MP4's metadata keys are broken")
        names.append(meta[position + 4 : position + size])
        position += size
    pairs = []
    for item in boxes(meta, values.body, values.end):
        number = int.from_bytes(item.kind, "big") - 1
        if 0 <= number < len(names):
            pairs.append((names[number], meta[item.body : item.end]))
    return pairs


def read(data: bytes) -> list[str]:
    """Every value under the key AIGC."""
    found = []
    for _, _, meta in _metas(data):
        for key, value in _pairs(meta):
            box = _one(value, b"data", 0, len(value))
            if key[4:] == KEY and box is not None:
                found.append(value[box.body + 8 : box.end].decode("utf-8", "replace"))
    return found


def write(data: bytes, record: str) -> bytes:
    """One record; other keyed metadata is kept, and so is iTunes-style metadata beside it."""
    moov = _one(data, b"moov", 0, len(data))
    if moov is None:
        raise Malformed("the MP4 has no moov box")
    body = _without_records(data[moov.body : moov.end])
    value = _box(b"data", struct.pack(">II", 1, 0) + record.encode())
    pairs = [*_kept(data), (b"mdta" + KEY, value)]
    keys = b"".join(struct.pack(">I", len(name) + 4) + name for name, _ in pairs)
    items = b"".join(_box((number + 1).to_bytes(4, "big"), value) for number, (_, value) in enumerate(pairs))
    handler = _box(b"hdlr", bytes(8) + b"mdta" + bytes(12) + b"\0")
    meta = handler + _box(b"keys", struct.pack(">II", 0, len(pairs)) + keys) + _box(b"ilst", items)
    body += _box(b"udta", _box(b"meta", bytes(4) + meta))
    grown = len(body) + 8 - (moov.end - moov.start)
    if any(box.kind == b"mdat" and box.start > moov.start for box in boxes(data, 0, len(data))):
        body = _shift(body, 0, len(body), moov.end, grown)
    return data[: moov.start] + _box(b"moov", body) + data[moov.end :]


def _kept(data: bytes) -> list[tuple[bytes, bytes]]:
    return [(key, value) for _, _, meta in _metas(data) for key, value in _pairs(meta) if key[4:] != KEY]


def _without_records(moov: bytes) -> bytes:
    """The moov's content without keyed `meta` boxes: their pairs are written anew in one place."""
    out = b""
    for box in boxes(moov, 0, len(moov)):
        if box.kind == b"udta":
            inner = b"".join(moov[b.start : b.end] for b in _tolerant(moov, box) if not _keyed(moov, b))
            out += _box(b"udta", inner) if inner else b""
        elif not _keyed(moov, box):
            out += moov[box.start : box.end]
    return out


def _keyed(data: bytes, box: Box) -> bool:
    if box.kind != b"meta":
        return False
    flagged = data[box.body + 4 : box.body + 8] != b"hdlr"
    return _one(data, b"keys", box.body + 4 * flagged, box.end) is not None


def _shift(data: bytes, start: int, end: int, beyond: int, by: int) -> bytes:
    """Chunk offsets at or beyond a file position, moved along by so many bytes."""
    out = b""
    for box in boxes(data, start, end):
        if box.kind in CONTAINERS and box.kind != b"udta":
            out += _box(box.kind, _shift(data, box.body, box.end, beyond, by))
        elif box.kind in (b"stco", b"co64"):
            size = 4 if box.kind == b"stco" else 8
            count = struct.unpack_from(">I", data, box.body + 4)[0]
            if box.body + 8 + count * size > box.end:
                raise Malformed("the MP4's chunk table is broken")
            letter = "I" if size == 4 else "Q"
            offsets = struct.unpack_from(f">{count}{letter}", data, box.body + 8)
            moved = [offset + by if offset >= beyond else offset for offset in offsets]
            if size == 4 and max(moved, default=0) > 0xFFFFFFFF:
                raise Malformed("the MP4 is too large for its chunk table")
            out += _box(box.kind, data[box.body : box.body + 8] + struct.pack(f">{count}{letter}", *moved))
        else:
            out += data[box.start : box.end]
    return out


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content
