"""GIF: an application extension `XMP DataXMP` (XMP specification part 3, 1.1.2)."""

from mofang.trust.carriers import Malformed, xmp

HEADER = b"\x21\xff\x0bXMP DataXMP"
# The packet is not cut into sub-blocks; this trailer leads a reader that does not know that to the end, wherever it is.
TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"


def _span(data: bytes) -> tuple[int, int] | None:
    start = data.find(HEADER)
    if start < 0:
        return None
    end = data.find(TRAILER, start)
    if end < 0:
        raise Malformed("the GIF's metadata is cut short")
    return start, end


def read(data: bytes) -> list[str]:
    """Records in the XMP extensions."""
    found: list[str] = []
    while span := _span(data):
        found += xmp.records(data[span[0] + len(HEADER) : span[1]])
        data = data[span[1] + len(TRAILER) :]
    return found


def write(data: bytes, record: str) -> bytes:
    """One XMP extension before the trailer byte."""
    packet = None
    while span := _span(data):
        packet = packet or data[span[0] + len(HEADER) : span[1]]
        data = data[: span[0]] + data[span[1] + len(TRAILER) :]
    if data[-1:] != b"\x3b":
        raise Malformed("the GIF is cut short")
    # Extensions came with version 89a.
    return b"GIF89a" + data[6:-1] + HEADER + xmp.merged(packet, record) + TRAILER + b"\x3b"
