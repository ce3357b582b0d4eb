"""FLAC: a Vorbis comment `AIGC=` (RFC 9639, 8.6)."""

import struct

from mofang.trust.carriers import Buffer, Malformed, Pieces, after_id3

COMMENT = 4


def _blocks(data: Buffer) -> tuple[list[tuple[int, bytes]], int]:
    """Metadata blocks as (type, content), and where the sound after them begins."""
    blocks, position, last = [], after_id3(data) + 4, False
    while not last:
        if position + 4 > len(data):
            raise Malformed("the FLAC is cut short")
        last, kind = bool(data[position] & 0x80), data[position] & 0x7F
        length = int.from_bytes(data[position + 1 : position + 4], "big")
        content = data[position + 4 : position + 4 + length]
        if len(content) < length:
            raise Malformed("the FLAC is cut short")
        blocks.append((kind, content))
        position += 4 + length
    return blocks, position


def _comments(content: bytes) -> tuple[bytes, list[bytes]]:
    """Vendor and comments of a Vorbis comment block."""
    try:
        length = struct.unpack_from("<I", content)[0]
        vendor, position = content[4 : 4 + length], 4 + length
        count = struct.unpack_from("<I", content, position)[0]
        position += 4
        comments = []
        for _ in range(min(count, 100_000)):
            length = struct.unpack_from("<I", content, position)[0]
            if position + 4 + length > len(content):
                raise Malformed("the FLAC's comments are broken")
            comments.append(content[position + 4 : position + 4 + length])
            position += 4 + length
    except struct.error as error:
        raise Malformed("the FLAC's comments are broken") from error
    return vendor, comments


def _is_record(comment: bytes) -> bool:
    return comment[:5].upper() == b"AIGC="


def read(data: Buffer) -> list[str]:
    """Every AIGC comment."""
    return [
        comment[5:].decode("utf-8", "replace")
        for kind, content in _blocks(data)[0]
        if kind == COMMENT
        for comment in _comments(content)[1]
        if _is_record(comment)
    ]


def write(data: Buffer, record: str) -> Pieces:
    """One AIGC comment among the others."""
    blocks, sound = _blocks(data)
    vendor, comments = b"mofang", list[bytes]()
    for kind, content in blocks:
        if kind == COMMENT:
            vendor, comments = _comments(content)
    comments = [comment for comment in comments if not _is_record(comment)] + [b"AIGC=" + record.encode()]
    body = struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", len(comments))
    body += b"".join(struct.pack("<I", len(comment)) + comment for comment in comments)
    kept = [(kind, content) for kind, content in blocks if kind != COMMENT]
    kept.insert(1, (COMMENT, body))
    out: list[bytes | memoryview] = [b"fLaC"]
    for number, (kind, content) in enumerate(kept):
        last = 0x80 if number == len(kept) - 1 else 0
        out.append(bytes([last | kind]) + len(content).to_bytes(3, "big") + content)
    return [*out, memoryview(data)[sound:]]
