"""GIF: an application extension `XMP DataXMP` (XMP specification part 3, 1.1.2)."""

from mofang.trust.carriers import Buffer, Malformed, Pieces, xmp

HEADER = b"\x21\xff\x0bXMP DataXMP"
# The packet is not cut into sub-blocks; this trailer leads a reader that does not know that to the end, wherever it is.
TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"


def _spans(data: Buffer) -> list[tuple[int, int]]:
    """(start, end) of the XMP extensions."""
    spans, position = [], 0
    while (start := data.find(HEADER, position)) >= 0:
        end = data.find(TRAILER, start)
        if end < 0:
            raise Malformed("the GIF's metadata is cut short")
        position = end + len(TRAILER)
        spans.append((start, position))
    return spans


def _packet(data: Buffer, span: tuple[int, int]) -> bytes:
    return data[span[0] + len(HEADER) : span[1] - len(TRAILER)]


def read(data: Buffer) -> list[str]:
    """Records in the XMP extensions."""
    return [record for span in _spans(data) for record in xmp.records(_packet(data, span))]


def write(data: Buffer, record: str) -> Pieces:
    """One XMP extension before the first picture, where readers look that stop there."""
    if len(data) < 14 or data[-1:] != b"\x3b":
        raise Malformed("the GIF is cut short")
    spans = _spans(data)
    packet = _packet(data, spans[0]) if spans else None
    place = _after_header(data)
    out = [b"GIF89a", data[6:place], HEADER, xmp.merged(packet, record), TRAILER]  # Extensions came with version 89a.
    for start, end in spans:
        out.append(data[place : max(start, place)])
        place = max(end, place)
    return [*out, data[place:]]


LOOP = b"\x21\xff\x0bNETSCAPE2.0\x03\x01"


def _after_header(data: Buffer) -> int:
    """Behind the screen descriptor, its colours and the count of loops, which some readers want right there."""
    colours = 3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0
    place = 13 + colours
    if place >= len(data):
        raise Malformed("the GIF is cut short")
    return place + len(LOOP) + 3 if data[place : place + len(LOOP)] == LOOP else place
