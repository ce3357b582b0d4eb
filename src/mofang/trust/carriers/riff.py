"""RIFF chunks, which WAV and WebP are made of."""

import struct
from collections.abc import Iterator

from mofang.trust.carriers import Malformed


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(four-character code, content) of the chunks inside the outer RIFF."""
    position, end = 12, min(len(data), 8 + struct.unpack_from("<I", data, 4)[0]) if len(data) >= 12 else 0
    if len(data) < 12:
        raise Malformed("the RIFF file is cut short")
    while position + 8 <= end:
        code, length = struct.unpack_from("<4sI", data, position)
        if position + 8 + length > len(data):
            raise Malformed("the RIFF file is cut short")
        yield code, data[position + 8 : position + 8 + length]
        position += 8 + length + length % 2


def build(form: bytes, parts: list[tuple[bytes, bytes]]) -> bytes:
    """A RIFF file of these chunks, each padded to an even length."""
    body = b"".join(code + struct.pack("<I", len(part)) + part + b"\0" * (len(part) % 2) for code, part in parts)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + form + body
