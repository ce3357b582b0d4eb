"""PNG: an iTXt chunk `XML:com.adobe.xmp` (XMP specification part 3, 1.1.5; PNG 11.3.3.4)."""

import struct
import zlib
from collections.abc import Iterator

from mofang.trust.carriers import Buffer, Malformed, Pieces, xmp

KEYWORD = b"XML:com.adobe.xmp"


def chunks(data: Buffer) -> Iterator[tuple[bytes, bytes]]:
    """(type, content) of every chunk up to IEND."""
    position = 8
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        if position + 12 + length > len(data):
            break
        yield kind, data[position + 8 : position + 8 + length]
        position += 12 + length
        if kind == b"IEND":
            return
    raise Malformed("the PNG is cut short")


def _packet(content: bytes) -> bytes | None:
    keyword, _, rest = content.partition(b"\0")
    if keyword != KEYWORD or len(rest) < 2:
        return None
    compressed = rest[0] == 1
    body = rest[2:].split(b"\0", 2)
    if len(body) < 3:
        return None
    if not compressed:
        return body[2]
    try:  # A packet is small; more than a megabyte of it is somebody's bomb.
        return zlib.decompressobj().decompress(body[2], 1 << 20)
    except zlib.error:
        return None


def read(data: Buffer) -> list[str]:
    """Records in XMP and in a plain `AIGC` text chunk."""
    found = []
    for kind, content in chunks(data):
        if kind == b"iTXt" and (packet := _packet(content)) is not None:
            found += xmp.records(packet)
        elif kind == b"tEXt" and content.startswith(b"AIGC\0"):
            found.append(content[5:].decode("latin-1"))
    return found


def write(data: Buffer, record: str) -> Pieces:
    """One XMP chunk, right after IHDR, where readers that stream look."""
    packet, others = None, []
    for kind, content in chunks(data):
        if kind == b"iTXt" and content.startswith(KEYWORD + b"\0"):
            packet = packet or _packet(content)
        elif not (kind == b"tEXt" and content.startswith(b"AIGC\0")):
            others.append((kind, content))
    body = KEYWORD + b"\0\0\0\0\0" + xmp.merged(packet, record)
    if not others:
        raise Malformed("the PNG holds no picture")
    return [data[:8], *(_chunk(*item) for item in [others[0], (b"iTXt", body), *others[1:]])]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
