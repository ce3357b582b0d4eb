"""What a film file holds."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from mofang.studio.errors import UserError
from mofang.studio.media import open_media


@dataclass(frozen=True)
class Probe:
    """What a film file holds: seconds, video frames, size, codecs (`sound` empty for none)."""

    seconds: float
    frames: int
    width: int
    height: int
    fps: Fraction
    video: str
    sound: str


def probe(path: Path) -> Probe:
    """Look into a film file. Raises `UserError` if it is none."""
    import av

    try:
        with open_media(path) as container:
            stream: Any = container.streams.video[0]
            sound = container.streams.audio[0].codec_context.name if container.streams.audio else ""
            frames = sum(1 for packet in container.demux(stream) if packet.size)
            seconds = float((container.duration or 0) / av.time_base)
            return Probe(seconds, frames, stream.width, stream.height, Fraction(stream.average_rate),
                         stream.codec_context.name, sound)  # fmt: skip
    except (av.FFmpegError, IndexError, OSError) as error:
        raise UserError(f"{path.name} is not a film that can be read") from error
