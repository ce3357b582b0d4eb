"""Between frames, packets and files: encode a chunk, join chunks. PyAV does the work."""

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from mofang.studio.errors import UserError
from mofang.studio.media import open_media
from mofang.video.planes import Planes

SEAL = struct.pack(">I4s", 40, b"free")
RATE = 48_000
"""Hz of the film's sound."""


def encode(
    frames: Iterable[Planes], path: Path, width: int, height: int, fps: int, preset: str, crf: int, threads: int = 1
) -> None:
    """Encode planes to a sealed MP4 with one closed-GOP H.264 stream, a key frame at least every two seconds.

    Raises `UserError` if the file cannot be written.
    """
    import av

    try:
        _encode(frames, path, width, height, fps, {"preset": preset, "crf": str(crf), "threads": str(threads)})
        seal(path)
    except av.FFmpegError as error:
        raise UserError(f"cannot write in {path.parent}: {error.strerror}; free some space and run it again") from error


def _encode(frames: Iterable[Planes], path: Path, width: int, height: int, fps: int, options: dict[str, str]) -> None:
    import av
    from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

    with av.open(str(path), "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = Fraction(1, fps)
        stream.options = options | {
            "profile": "high", "g": str(2 * fps),
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


def seal(path: Path) -> None:
    """Append the file's own SHA-256 in a `free` box (ISO 14496-12, 8.1.2), which players skip."""
    digest = hashlib.sha256(path.read_bytes()).digest()
    with path.open("ab") as file:
        file.write(SEAL + digest)


def is_whole(path: Path) -> bool:
    """Whether a sealed file is there and as it was written."""
    try:
        data = path.read_bytes()
    except OSError:
        return False
    return data[-40:-32] == SEAL and hashlib.sha256(memoryview(data)[:-40]).digest() == data[-32:]


def join(chunks: Sequence[Path], audio: Path | None, path: Path, frames: int, fps: int) -> None:
    """Put chunks of `frames` in all one after another without encoding them again, the sound as AAC beside them.

    The picture sets the length: sound beyond it is cut off. Raises `UserError` for sound that cannot be read and for
    a file that cannot be written.
    """
    import av

    try:
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as out:
            with open_media(chunks[0]) as first:
                video: Any = out.add_stream_from_template(first.streams.video[0])
            sound = _sound(out, audio, Fraction(frames, fps)) if audio else iter(())
            upcoming = next(sound, None)
            for packet, seconds in _pictures(chunks, fps):
                # Interleaved by time, so that a player never has to look far ahead for sound.
                while upcoming is not None and upcoming.dts * upcoming.time_base < seconds:
                    out.mux(upcoming)
                    upcoming = next(sound, None)
                packet.stream = video
                out.mux(packet)
            while upcoming is not None:
                out.mux(upcoming)
                upcoming = next(sound, None)
    except av.FFmpegError as error:
        raise UserError(f"cannot write in {path.parent}: {error.strerror}; free some space and run it again") from error


def _pictures(chunks: Sequence[Path], fps: int) -> Iterator[tuple[Any, Fraction]]:
    """The packets of all chunks with their times moved to the film's, and their decoding times in seconds."""
    offset = 0
    for chunk in chunks:
        with open_media(chunk) as container:
            source: Any = container.streams.video[0]
            tick = Fraction(source.time_base)
            shift = round(Fraction(offset, fps) / tick)
            for packet in container.demux(source):
                if packet.size:
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    offset += 1
                    yield packet, packet.dts * tick


def _sound(out: Any, audio: Path, seconds: Fraction) -> Iterator[Any]:
    """AAC packets of the sound file, up to `seconds`."""
    import av

    stream = out.add_stream("aac", rate=RATE, layout="stereo")
    stream.bit_rate = 192_000

    def packets() -> Iterator[Any]:
        left, position = int(seconds * RATE), 0
        for piece in samples(audio):
            if piece.samples > left:
                piece = av.AudioFrame.from_ndarray(piece.to_ndarray()[:, : max(left, 1)], "fltp", "stereo")
                piece.sample_rate = RATE
            piece.pts, piece.time_base = position, Fraction(1, RATE)
            position += piece.samples
            yield from stream.encode(piece)
            left -= piece.samples
            if left <= 0:
                break
        yield from stream.encode(None)

    return packets()


def samples(audio: Path) -> Iterator[Any]:
    """A sound file's frames as 48 kHz stereo floats. Raises `UserError` if it is none."""
    import av

    try:
        with open_media(audio) as container:
            resampler = av.AudioResampler("fltp", "stereo", RATE)
            for frame in container.decode(audio=0):
                yield from resampler.resample(frame)
            yield from resampler.resample(None)
    except (av.FFmpegError, IndexError, OSError) as error:
        raise UserError(f"{audio.name} is not sound that can be read; give a WAV, MP3, FLAC or M4A file") from error
