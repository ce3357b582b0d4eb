"""RIFF chunks, which WAV and WebP are made of."""

import struct
from collections.abc import Iterator

from mofang.trust.carriers import Buffer, Malformed, Pieces


def chunks(data: Buffer) -> Iterator[tuple[bytes, bytes]]:
    """(four-character code, content) of the chunks inside the outer RIFF."""
    if len(data) < 12:
        raise Malformed("the RIFF file is cut short")
    position, end = 12, min(len(data), 8 + struct.unpack_from("<I", data, 4)[0])
    while position + 8 <= end:
        code, length = struct.unpack_from("<4sI", data, position)
        if position + 8 + length > len(data):
            raise Malformed("the RIFF file is cut short")
        yield code, data[position + 8 : position + 8 + length]
        position += 8 + length + length % 2


def build(form: bytes, parts: list[tuple[bytes, bytes]]) -> Pieces:
    """A RIFF file of these chunks, each padded to an even length. Raises `Malformed` past RIFF's 4 GiB."""
    size = 4 + sum(8 + len(part) + len(part) % 2 for _, part in parts)
    if size > 0xFFFFFFFF:
        raise Malformed("the file is longer than RIFF allows")
    out = [b"RIFF" + struct.pack("<I", size) + form]
    for code, part in parts:
        out += [code + struct.pack("<I", len(part)), part, b"\0" * (len(part) % 2)]
    return out
