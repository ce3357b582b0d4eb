"""MP4, MOV, M4A: key `AIGC` in `moov.udta.meta` (keys + ilst, QuickTime metadata; TC260-PG-20257A).

When `moov` stands before the media and grows, every chunk offset behind it is moved along.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from mofang.trust.carriers import Buffer, Malformed, Pieces

TABLES = (b"trak", b"mdia", b"minf", b"stbl")
"""The boxes on the way from `moov` to the chunk offsets."""

KEY = b"AIGC"


@dataclass(frozen=True)
class Box:
    """A box: type, where it starts, where its content starts, where it ends."""

    kind: bytes
    start: int
    body: int
    end: int


def boxes(data: Buffer, start: int, end: int) -> Iterator[Box]:
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


def _one(data: Buffer, kind: bytes, start: int, end: int) -> Box | None:
    return next((box for box in boxes(data, start, end) if box.kind == kind), None)


def _metas(data: Buffer) -> list[tuple[int, int, bytes]]:
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


def _tolerant(data: Buffer, place: Box) -> Iterator[Box]:
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


def read(data: Buffer) -> list[str]:
    """Every value under the key AIGC."""
    found = []
    for _, _, meta in _metas(data):
        for key, value in _pairs(meta):
            box = _one(value, b"data", 0, len(value))
            if key[4:] == KEY and box is not None:
                found.append(value[box.body + 8 : box.end].decode("utf-8", "replace"))
    return found


def write(data: Buffer, record: str) -> Pieces:
    """One record; other keyed metadata is kept, and so is iTunes-style metadata beside it.

    Raises `Malformed` on a fragmented file, whose fragments may be found by position.
    """
    moov = _one(data, b"moov", 0, len(data))
    if moov is None:
        raise Malformed("the MP4 has no moov box")
    if _one(data, b"mvex", moov.body, moov.end):
        raise Malformed("the MP4 is fragmented; remux it as one piece first")
    body = _with_metadata(data[moov.body : moov.end], _meta([*_kept(data), (b"mdta" + KEY, _value(record))]))
    grown = len(body) + 8 - (moov.end - moov.start)
    body = _shift(body, 0, len(body), moov.end, grown)
    whole = memoryview(data)
    return [whole[: moov.start], _box(b"moov", body), whole[moov.end :]]


def _value(text: str) -> bytes:
    # Type 1 is UTF-8 text, for no particular country or language.
    return _box(b"data", struct.pack(">II", 1, 0) + text.encode())


def _meta(pairs: list[tuple[bytes, bytes]]) -> bytes:
    """A `meta` box of QuickTime metadata."""
    keys = b"".join(struct.pack(">I", len(name) + 4) + name for name, _ in pairs)
    items = b"".join(_box(number.to_bytes(4, "big"), value) for number, (_, value) in enumerate(pairs, 1))
    handler = _box(b"hdlr", bytes(8) + b"mdta" + bytes(12) + b"\0")
    table = _box(b"keys", struct.pack(">II", 0, len(pairs)) + keys)
    return _box(b"meta", bytes(4) + handler + table + _box(b"ilst", items))


def _kept(data: Buffer) -> list[tuple[bytes, bytes]]:
    return [(key, value) for _, _, meta in _metas(data) for key, value in _pairs(meta) if key[4:] != KEY]


def _with_metadata(moov: bytes, meta: bytes) -> bytes:
    """The moov's content with this `meta` in its one `udta`, and no other keyed one."""
    out, inside = [], []
    for box in boxes(moov, 0, len(moov)):
        if box.kind == b"udta":
            inside += [moov[child.start : child.end] for child in _tolerant(moov, box) if not _keyed(moov, child)]
        elif not _keyed(moov, box):
            out.append(moov[box.start : box.end])
    return b"".join(out) + _box(b"udta", b"".join(inside) + meta)


def _keyed(data: bytes, box: Box) -> bool:
    if box.kind != b"meta":
        return False
    flagged = data[box.body + 4 : box.body + 8] != b"hdlr"
    return _one(data, b"keys", box.body + 4 * flagged, box.end) is not None


def _shift(data: bytes, start: int, end: int, beyond: int, by: int, depth: int = 0) -> bytes:
    """The boxes with every chunk offset at or beyond a file position moved along by so many bytes."""
    out = []
    for box in boxes(data, start, end):
        if depth < len(TABLES) and box.kind == TABLES[depth]:
            out.append(_box(box.kind, _shift(data, box.body, box.end, beyond, by, depth + 1)))
        elif depth == len(TABLES) and box.kind in (b"stco", b"co64"):
            out.append(_box(box.kind, _moved(data[box.body : box.end], box.kind, beyond, by)))
        else:
            out.append(data[box.start : box.end])
    return b"".join(out)


def _moved(table: bytes, kind: bytes, beyond: int, by: int) -> bytes:
    size, letter = (4, "I") if kind == b"stco" else (8, "Q")
    count = int.from_bytes(table[4:8], "big")
    if 8 + count * size > len(table):
        raise Malformed("the MP4's chunk table is broken")
    moved = [offset + by if offset >= beyond else offset for offset in struct.unpack_from(f">{count}{letter}", table, 8)]
    if max(moved, default=0) >= 1 << 8 * size:
        raise Malformed("the MP4 is too large for its chunk table")
    return table[:8] + struct.pack(f">{count}{letter}", *moved)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content
