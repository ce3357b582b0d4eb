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
    """One XMP extension before the trailer byte."""
    if data[-1:] != b"\x3b":
        raise Malformed("the GIF is cut short")
    spans = _spans(data)
    out, position = [b"GIF89a"], 6  # Extensions came with version 89a.
    for start, end in spans:
        out.append(data[position:start])
        position = end
    packet = _packet(data, spans[0]) if spans else None
    return [*out, data[position:-1], HEADER, xmp.merged(packet, record), TRAILER, b"\x3b"]
