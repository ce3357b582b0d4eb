"""WAV: a RIFF chunk of its own, `AIGC` (TC260-PG-202510A; not inside LIST/INFO)."""

from mofang.trust.carriers import Buffer, Pieces
from mofang.trust.carriers.riff import build, chunks


def read(data: Buffer) -> list[str]:
    """The content of every `AIGC` chunk."""
    return [content.rstrip(b"\0").decode("utf-8", "replace") for code, content in chunks(data) if code == b"AIGC"]


def write(data: Buffer, record: str) -> Pieces:
    """One `AIGC` chunk, after the sound."""
    parts = [(code, content) for code, content in chunks(data) if code != b"AIGC"]
    return build(b"WAVE", [*parts, (b"AIGC", record.encode())])
