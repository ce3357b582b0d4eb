"""WebP: an `XMP ` chunk, announced by a flag in `VP8X` (WebP container specification)."""

import struct

from mofang.trust.carriers import Buffer, Malformed, Pieces, xmp
from mofang.trust.carriers.riff import build, chunks

XMP_FLAG, ALPHA_FLAG = 0x04, 0x10


def read(data: Buffer) -> list[str]:
    """Records in every XMP chunk."""
    return [record for code, content in chunks(data) if code == b"XMP " for record in xmp.records(content)]


def write(data: Buffer, record: str) -> Pieces:
    """One XMP chunk at the end; a simple file becomes an extended one, which alone may have metadata."""
    parts = list(chunks(data))
    packet = next((content for code, content in parts if code == b"XMP "), None)
    parts = [(code, content) for code, content in parts if code != b"XMP "]
    if not parts:
        raise Malformed("the WebP holds no picture")
    if parts[0][0] == b"VP8X" and parts[0][1]:
        head = bytearray(parts.pop(0)[1])
        head[0] |= XMP_FLAG
    else:
        width, height, alpha = _size(*parts[0])
        flags = XMP_FLAG | (ALPHA_FLAG if alpha else 0)
        head = bytearray(
            bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        )
    return build(b"WEBP", [(b"VP8X", bytes(head)), *parts, (b"XMP ", xmp.merged(packet, record))])


def _size(code: bytes, content: bytes) -> tuple[int, int, bool]:
    if code == b"VP8 " and len(content) >= 10:  # RFC 6386, 9.1
        width, height = struct.unpack_from("<HH", content, 6)
        return width & 0x3FFF, height & 0x3FFF, False
    if code == b"VP8L" and len(content) >= 5:  # WebP lossless bitstream, 2
        bits = struct.unpack_from("<I", content, 1)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
    raise Malformed("the WebP holds no picture")
