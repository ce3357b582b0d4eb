"""Chapters to one audiobook: M4B (MPEG-4 audio with a chapter track and `chpl`) or MP3 (ID3v2.4 CHAP frames), cover and tags."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from mofang.sound.engines.base import Samples
from mofang.sound.loudness import normalise
from mofang.studio.errors import UserError

RATE = 24_000
LOUDNESS, PEAK = -19.5, -3.0
"""LUFS and dBTP of each chapter. ACX, whose norm the trade follows, wants −23 to −18 dB RMS and peaks below −3 dB; speech with
its rests lies about 1 to 2 dB under its loudness in RMS."""
HEAD, TAIL = 0.5, 2.0
"""Seconds of quiet before and after a chapter (ACX: 0.5 to 1, and 1 to 5)."""
BITRATE = 64_000
FORMATS = {".m4b": ("aac", "ipod", {"brand": "M4B "}), ".mp3": ("libmp3lame", "mp3", {})}


@dataclass(frozen=True)
class Track:
    """A chapter: its title, and its length in samples at `RATE` with head and tail."""

    title: str
    length: int


def mastered(parts: Sequence[Samples], rest: float) -> Samples:
    """A chapter of passages with `rest` seconds between them, quiet before and after, at an audiobook's loudness."""
    silence = np.zeros(round(rest * RATE), np.float32)
    joined = [piece for part in parts for piece in (part, silence)][:-1]
    return np.concatenate([np.zeros(round(HEAD * RATE), np.float32), normalise(np.concatenate(joined), RATE, LOUDNESS, PEAK),
                           np.zeros(round(TAIL * RATE), np.float32)])  # fmt: skip


def length_of(lengths: Sequence[int], rest: float) -> int:
    """Samples of the chapter that `mastered` would make of passages with these lengths."""
    return round(HEAD * RATE) + sum(lengths) + (len(lengths) - 1) * round(rest * RATE) + round(TAIL * RATE)


def write(path: Path, lead: Samples, tracks: Sequence[Track], sound: Iterator[Samples], tags: dict[str, str], cover: bytes) -> None:
    """Write `lead` (what comes before the book, in the first chapter) and the chapters' sound, one at a time in memory.

    `cover` is a JPEG, or empty; `tags` are title, artist, … The suffix chooses the format. Raises `UserError` for another.
    """
    import av

    if path.suffix.lower() not in FORMATS:
        raise UserError(f"an audiobook is written as .m4b or .mp3, not '{path.suffix[:12]}'")
    codec, form, options = FORMATS[path.suffix.lower()]
    with av.open(str(path), "w", format=form, options=options) as container:
        stream: Any = container.add_stream(codec, rate=RATE, layout="mono")
        stream.bit_rate = BITRATE
        container.metadata.update({key: value for key, value in tags.items() if value})
        container.set_chapters(_chapters(len(lead), tracks))
        at = 0
        for samples, expected in _blocks(lead, tracks, sound):
            assert expected is None or len(samples) == expected, (len(samples), expected)
            for start in range(0, len(samples), RATE):
                part = np.ascontiguousarray(samples[None, start : start + RATE], np.float32)
                frame = av.AudioFrame.from_ndarray(part, format="flt", layout="mono")
                frame.sample_rate, frame.pts = RATE, at
                at += part.shape[1]
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    if cover:
        (_cover_mp4 if form == "ipod" else _cover_mp3)(path, cover)


def _blocks(lead: Samples, tracks: Sequence[Track], sound: Iterator[Samples]) -> Iterator[tuple[Samples, int | None]]:
    if len(lead):
        yield lead, None
    for track, samples in zip(tracks, sound, strict=True):
        yield samples, track.length


def _chapters(lead: int, tracks: Sequence[Track]) -> list[Any]:
    made, start, at = [], 0, lead
    for number, track in enumerate(tracks, 1):
        at += track.length
        end = round(at * 1000 / RATE)
        made.append({"id": number, "start": start, "end": end, "time_base": Fraction(1, 1000), "metadata": {"title": track.title}})
        start = end
    return made


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def _cover_mp4(path: Path, jpeg: bytes) -> None:
    """`covr` into moov.udta.meta.ilst (iTunes metadata). The encoder puts `moov` last, so nothing behind it moves."""
    with path.open("r+b") as file:
        end = file.seek(0, 2)
        at = 0
        while at < end:
            file.seek(at)
            size, kind = struct.unpack(">I4s", file.read(8))
            if kind == b"moov":
                break
            at += struct.unpack(">Q", file.read(8))[0] if size == 1 else size
        assert at + size == end, "moov is not last"
        file.seek(at + 8)
        moov = _grown(file.read(size - 8), (b"udta", b"meta", b"ilst"), _box(b"covr", _box(b"data", struct.pack(">II", 13, 0) + jpeg)))
        file.seek(at)
        file.write(_box(b"moov", moov))


def _grown(content: bytes, names: tuple[bytes, ...], child: bytes) -> bytes:
    """The boxes in `content` with `child` added inside the ones of these names."""
    if not names:
        return content + child
    out, at = b"", 0
    while at < len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        body = content[at + 8 : at + size]
        if kind == names[0]:
            flags = 4 if kind == b"meta" else 0
            body = body[:flags] + _grown(body[flags:], names[1:], child)
        out += _box(kind, body)
        at += size
    return out


def _cover_mp3(path: Path, jpeg: bytes) -> None:
    """An `APIC` frame, front cover, at the end of the ID3v2.4 tag (id3v2.4.0-frames 4.14)."""
    data = path.read_bytes()
    size = sum(byte << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))
    sound = data[10 + size :]
    # The tag ends in padding, and a frame may end in zeros of its own: count the frames out.
    at = 0
    while at + 10 <= size and data[10 + at]:
        at += 10 + sum(byte << shift for byte, shift in zip(data[14 + at : 18 + at], (21, 14, 7, 0), strict=True))
    frames = data[10 : 10 + at]
    content = b"\0image/jpeg\0\x03\0" + jpeg
    frames += b"APIC" + _synchsafe(len(content)) + b"\0\0" + content
    path.write_bytes(b"ID3\x04\0\0" + _synchsafe(len(frames)) + frames + sound)


def _synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))
