"""Between frames, packets and files: encode a chunk, join chunks, look at a file. PyAV does the work."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from mofang.studio.errors import UserError
from mofang.video.planes import Planes


def encode(frames: Iterable[Planes], path: Path, width: int, height: int, fps: int, preset: str, crf: int) -> None:
    """Encode planes to an MP4 with one closed-GOP H.264 stream, one thread, a key frame at least every two seconds."""
    import av
    from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

    with av.open(str(path), "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = Fraction(1, fps)
        stream.options = {
            "preset": preset, "crf": str(crf), "profile": "high", "threads": "1", "g": str(2 * fps),
            "x264-params": "open-gop=0:stitchable=1:force-cfr=1:colorprim=bt709:transfer=bt709:colormatrix=bt709",
        }  # fmt: skip
        context = stream.codec_context
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        for number, planes in enumerate(frames):
            frame = av.VideoFrame(width, height, "yuv420p")
            for plane, pixels in zip(frame.planes, (planes.y, planes.u, planes.v), strict=True):
                rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
                rows[: pixels.shape[0], : pixels.shape[1]] = pixels
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def is_whole(path: Path, frames: int) -> bool:
    """Whether a chunk on disk has all its frames and can be decoded to the last one."""
    if not path.is_file():
        return False
    import av

    try:
        with av.open(str(path)) as container:
            stream: Any = container.streams.video[0]
            count = sum(1 for packet in container.demux(stream) if packet.size)
            return count == frames
    except (av.FFmpegError, IndexError, OSError):
        return False


def join(chunks: list[Path], audio: Path | None, path: Path, fps: int) -> None:
    """Put chunks one after another without encoding them again, with the sound as AAC beside them.

    The picture sets the length: sound beyond it is cut off.
    """
    import av

    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as out:
        with av.open(str(chunks[0])) as first:
            video: Any = out.add_stream_from_template(first.streams.video[0])
        sound: Any = out.add_stream("aac", rate=48000, layout="stereo") if audio else None
        if sound:
            sound.bit_rate = 192_000
        packets = _spoken(audio, sound, _length(chunks, fps)) if audio else iter(())
        upcoming = next(packets, None)
        offset = 0
        for chunk in chunks:
            with av.open(str(chunk)) as container:
                source: Any = container.streams.video[0]
                tick = Fraction(source.time_base)
                count = 0
                for packet in container.demux(source):
                    if not packet.size:
                        continue
                    count += 1
                    shift = round(Fraction(offset, fps) / tick)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    # Interleaved by time, so that a player never has to look far ahead for sound.
                    while upcoming is not None and upcoming.dts * upcoming.time_base < packet.dts * tick:
                        out.mux(upcoming)
                        upcoming = next(packets, None)
                    packet.stream = video
                    out.mux(packet)
                offset += count
        while upcoming is not None:
            out.mux(upcoming)
            upcoming = next(packets, None)


def _length(chunks: list[Path], fps: int) -> Fraction:
    return sum((Fraction(probe(chunk).frames, fps) for chunk in chunks), Fraction(0))


def _spoken(audio: Path, stream: Any, seconds: Fraction) -> Any:
    """AAC packets of the sound file, up to `seconds`."""
    import av

    try:
        with av.open(str(audio)) as container:
            resampler = av.AudioResampler("fltp", "stereo", 48000)
            left = int(seconds * 48000)
            for frame in container.decode(audio=0):
                for piece in resampler.resample(frame):
                    if left <= 0:
                        break
                    if piece.samples > left:
                        piece = av.AudioFrame.from_ndarray(piece.to_ndarray()[:, :left], "fltp", "stereo")
                        piece.sample_rate = 48000
                    left -= piece.samples
                    piece.pts = None
                    yield from stream.encode(piece)
        yield from stream.encode(None)
    except (av.FFmpegError, IndexError) as error:
        raise UserError(f"{audio.name} is not sound that can be read; give a WAV, MP3, FLAC or M4A file") from error


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
        with av.open(str(path)) as container:
            stream: Any = container.streams.video[0]
            sound = container.streams.audio[0].codec_context.name if container.streams.audio else ""
            frames = sum(1 for packet in container.demux(stream) if packet.size)
            seconds = float((container.duration or 0) / av.time_base)
            return Probe(seconds, frames, stream.width, stream.height, Fraction(stream.average_rate),
                         stream.codec_context.name, sound)  # fmt: skip
    except (av.FFmpegError, IndexError, OSError) as error:
        raise UserError(f"{path.name} is not a film that can be read") from error
