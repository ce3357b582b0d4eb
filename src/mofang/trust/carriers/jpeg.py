"""JPEG: an APP1 segment with the XMP packet (XMP specification part 3, 1.1.3)."""

import struct
from collections.abc import Iterator

from mofang.trust.carriers import Buffer, Malformed, Pieces, xmp

HEADER = b"http://ns.adobe.com/xap/1.0/\0"


def segments(data: Buffer) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of the segments before the picture's data; the last is (0xDA, start, end of file)."""
    position = 2
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            raise Malformed("the JPEG's segments are broken")
        marker = data[position + 1]
        if marker == 0xFF:  # Fill bytes are allowed before a marker.
            position += 1
            continue
        if marker == 0xDA:
            yield marker, position, len(data)
            return
        length = struct.unpack_from(">H", data, position + 2)[0]
        if length < 2 or position + 2 + length > len(data):
            break
        yield marker, position, position + 2 + length
        position += 2 + length
    raise Malformed("the JPEG is cut short")


def _is(data: Buffer, start: int, header: bytes) -> bool:
    """Whether the segment at `start` is an APP1 of this kind."""
    return data[start + 1] == 0xE1 and data[start + 4 : start + 4 + len(header)] == header


def _packets(data: Buffer) -> list[bytes]:
    return [data[start + 4 + len(HEADER) : end] for _, start, end in segments(data) if _is(data, start, HEADER)]


def read(data: Buffer) -> list[str]:
    """Records in every XMP segment."""
    return [record for packet in _packets(data) for record in xmp.records(packet)]


def write(data: Buffer, record: str) -> Pieces:
    """One XMP segment, after JFIF and Exif, which readers want first."""
    packets = _packets(data)
    content = HEADER + xmp.merged(packets[0] if packets else None, record)
    if len(content) + 2 > 0xFFFF:
        content = HEADER + xmp.packet(record)
    segment = b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content
    out, placed = [data[:2]], False
    for marker, start, end in segments(data):
        if not placed and marker != 0xE0 and not _is(data, start, b"Exif\0"):
            out.append(segment)
            placed = True
        if not _is(data, start, HEADER):
            out.append(data[start:end])
    return out
