"""MP3: an ID3v2.4 frame `TXXX` described `AIGC` (id3.org, id3v2.4.0-frames 4.2.6)."""

from mofang.trust.carriers import Buffer, Malformed, Pieces

HEADER_SIZE = 10


def _synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _plain(data: bytes, version: int) -> int:
    """A frame's size: seven bits a byte since version 4, eight before."""
    bits = 7 if version >= 4 else 8
    number = 0
    for byte in data:
        number = number << bits | byte
    return number


def _tag(data: Buffer) -> tuple[int, list[tuple[bytes, bytes, bytes]], int]:
    """Version, frames as (id, flags, content), and where the sound after the tag begins."""
    if data[:3] != b"ID3":
        return 4, [], 0
    if len(data) < HEADER_SIZE or data[3] not in (3, 4):
        raise Malformed("the MP3 has an ID3 tag of a version that cannot be read")
    version, flags = data[3], data[5]
    end = HEADER_SIZE + _plain(data[6:10], 4)
    if end > len(data):
        raise Malformed("the MP3's tag is cut short")
    if flags & 0xC0:  # Unsynchronised or extended: rare, and safe to refuse.
        raise Malformed("the MP3 has an ID3 tag of a kind that cannot be changed")
    frames, position = [], HEADER_SIZE
    while position + 10 <= end and data[position] != 0:
        size = _plain(data[position + 4 : position + 8], version)
        if position + 10 + size > end:
            raise Malformed("the MP3's tag is broken")
        content = data[position + 10 : position + 10 + size]
        frames.append((data[position : position + 4], data[position + 8 : position + 10], content))
        position += 10 + size
    return version, frames, end + (HEADER_SIZE if flags & 0x10 else 0)  # A footer repeats the header.


def _record(frame: tuple[bytes, bytes, bytes]) -> str | None:
    name, _, content = frame
    if name != b"TXXX" or not content:
        return None
    encoding = ("latin-1", "utf-16", "utf-16-be", "utf-8")[content[0] & 3]
    text = content[1:].decode(encoding, "replace")
    description, _, value = text.partition("\0")
    return value.strip("\0\ufeff") if description.strip("\ufeff") == "AIGC" else None


def read(data: Buffer) -> list[str]:
    """Every TXXX frame described AIGC."""
    return [record for frame in _tag(data)[1] if (record := _record(frame)) is not None]


def write(data: Buffer, record: str) -> Pieces:
    """A tag with the other frames and one of ours, in Latin letters, which every version has."""
    version, frames, sound = _tag(data)
    kept = [frame for frame in frames if _record(frame) is None]
    kept.append((b"TXXX", b"\0\0", b"\x00AIGC\0" + record.encode()))
    # A version 3 tag keeps its version, so that its frames keep their meaning; only sizes are written differently.
    size = _synchsafe if version >= 4 else lambda number: number.to_bytes(4, "big")
    body = b"".join(name + size(len(content)) + flags + content for name, flags, content in kept)
    return [b"ID3" + bytes([version, 0, 0]) + _synchsafe(len(body)) + body, memoryview(data)[sound:]]
