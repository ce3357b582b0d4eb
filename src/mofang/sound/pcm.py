"""Sound files in and out: any format PyAV reads, WAV written by hand, AAC, MP3, FLAC and Opus by PyAV."""

import struct
from pathlib import Path
from typing import Any

import numpy as np

from mofang.sound.engines.base import Samples
from mofang.studio.atomic import atomic
from mofang.studio.errors import UserError
from mofang.studio.media import open_media

LONGEST = 3 * 3600
"""Seconds read at most; three hours of stereo at 48 kHz are 4 GB of float32."""
LOUDEST = 1e6
"""What samples are held to, 120 dB above full scale: their squares must stay numbers."""
CODECS = {
    ".m4a": ("aac", "ipod"),
    ".aac": ("aac", "adts"),
    ".mp3": ("libmp3lame", "mp3"),
    ".flac": ("flac", "flac"),
    ".opus": ("libopus", "opus"),
}
"""Encoder and container for each suffix `write` knows besides .wav."""


def read(path: Path, rate: int, channels: int = 1, longest: float = LONGEST, called: str = "") -> Samples:
    """The sound in an audio or video file, resampled to `rate` Hz: (n,) for one channel, (n, 2) for two.

    At most `longest` seconds. Raises `UserError`, which calls the file `called` if that says more than its path, if the file is
    missing, holds no sound, is damaged or is longer.
    """
    import av

    assert channels in (1, 2), channels
    name = called or str(path)
    if not path.is_file():
        raise UserError(f"{name} does not exist; give an audio file (WAV, MP3, FLAC, M4A, OGG…)")
    sound = _Growing(channels)
    try:
        with open_media(path) as container:
            if not container.streams.audio:
                raise UserError(f"{name} holds no sound; give an audio file (WAV, MP3, FLAC, M4A, OGG…)")
            stream = container.streams.audio[0]
            if stream.channels > 8 and stream.layout.name.endswith("channels"):  # Nobody knows which is left and which right.
                raise UserError(f"{name} has {stream.channels} channels in no order that is known; export it in stereo or 5.1")
            # FFmpeg turns two channels into one 3 dB too loud; up to two are left as they are here.
            have = 1 if stream.channels == 1 else 2
            layout = "mono" if have == 1 else "stereo"
            resampler = av.AudioResampler(format="flt", layout=layout, rate=rate)
            for frame in _frames(container, stream):
                for resampled in resampler.resample(frame):
                    part: Samples = np.nan_to_num(resampled.to_ndarray().reshape(-1, have), nan=0.0, posinf=1.0, neginf=-1.0)
                    np.clip(part, -LOUDEST, LOUDEST, out=part)
                    sound.add(part if channels == 2 else part.mean(axis=1, keepdims=True))
                    if sound.length > longest * rate:
                        raise UserError(f"{name} is longer than {longest / 60:.0f} minutes; cut it first")
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise UserError(f"{name} cannot be read as sound: {_reason(error)}; convert it to WAV or MP3") from error
    if not sound.length:
        raise UserError(f"{name} holds no sound; it may be damaged or empty")
    whole = sound.taken()
    return whole[:, 0] if channels == 1 else whole


class _Growing:
    """Samples (n, channels) that come in small parts, in little more memory than they need together."""

    def __init__(self, channels: int) -> None:
        self.length = 0
        self._room = np.zeros((1 << 16, channels), np.float32)

    def add(self, part: Samples) -> None:
        """Append a part (n, channels)."""
        end = self.length + len(part)
        if end > len(self._room):
            self._resize(max(end, len(self._room) * 9 // 8))
        self._room[self.length : end] = part
        self.length = end

    def taken(self) -> Samples:
        """All of them; nothing may be added any more."""
        self._resize(self.length)
        return self._room

    def _resize(self, length: int) -> None:
        # In place: the system moves pages, where joining parts would hold everything twice.
        self._room.resize((length, self._room.shape[1]), refcheck=False)


def _frames(container: Any, stream: Any) -> Any:
    """Every frame that decodes; one bad packet in the middle of an MP3 is no reason to refuse the rest."""
    import av

    bad = good = 0
    for packet in container.demux(stream):
        try:
            for frame in packet.decode():
                good += 1
                yield frame
        except av.error.InvalidDataError:
            bad += 1
            if bad > 10 + good // 10:
                raise
    yield None  # empties the resampler


def write_wav(path: Path, samples: Samples, rate: int, bits: int = 16) -> None:
    """Write (n,) or (n, channels) samples as PCM WAV with 16 or 24 bits; what lies beyond ±1 is clipped.

    Written whole or not at all; raises `UserError` if the disk refuses or the sound passes WAV's 4 GB.
    """
    if bits not in (16, 24):
        raise UserError(f"WAV with {bits} bits is not written here; choose 16 or 24")
    data = pcm_bytes(samples, bits)
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    frame = channels * bits // 8
    if len(data) > 0xFFFFFFFF - 44:
        raise UserError("this sound is too long for a WAV file (4 GB); write FLAC instead")
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + len(data) + len(data) % 2, b"WAVE"),
        *(b"fmt ", 16, 1, channels, rate, rate * frame, frame, bits),
        *(b"data", len(data)),
    )
    with atomic(path) as temporary, temporary.open("wb") as file:
        file.write(head)
        file.write(data)
        file.write(b"\0" * (len(data) % 2))  # chunks of RIFF are even


def pcm_bytes(samples: Samples, bits: int = 16) -> bytes:
    """Little-endian signed integers, channels interleaved."""
    scale = 1 << (bits - 1)
    clean = np.clip(np.nan_to_num(samples.astype(np.float64, copy=False), nan=0.0), -1, 1)
    whole = np.clip(np.round(clean * scale), -scale, scale - 1).astype("<i4")
    if bits == 16:
        return whole.astype("<i2").tobytes()
    return np.ascontiguousarray(whole.reshape(-1, 1).view(np.uint8)[:, :3]).tobytes()


def write(path: Path, samples: Samples, rate: int, bitrate: int = 192_000) -> None:
    """Write samples in the format of the suffix: .wav (16 bits), .m4a, .aac, .mp3, .flac or .opus."""
    suffix = path.suffix.lower()
    if suffix == ".wav":
        return write_wav(path, samples, rate)
    if suffix not in CODECS:
        raise UserError(f"'{suffix}' is no sound format written here; use .wav, {', '.join(CODECS)}")
    with atomic(path, suffix=suffix) as temporary:
        _encode(temporary, samples, rate, bitrate, *CODECS[suffix])
    return None


def _encode(path: Path, samples: Samples, rate: int, bitrate: int, codec: str, container_format: str) -> None:
    import av

    channels = samples.reshape(len(samples), -1)
    layout = "mono" if channels.shape[1] == 1 else "stereo"
    with av.open(str(path), "w", format=container_format) as container:
        target = 48_000 if codec == "libopus" else rate
        stream: Any = container.add_stream(codec, rate=target, layout=layout)
        if codec != "flac":
            stream.bit_rate = bitrate
        block = rate  # a second at a time keeps the interleaved copy small
        for start in range(0, len(channels), block):
            part = np.ascontiguousarray(channels[start : start + block].reshape(1, -1), np.float32)
            frame = av.AudioFrame.from_ndarray(part, format="flt", layout=layout)
            frame.sample_rate = rate
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", "") or error)[:100] or type(error).__name__


def resample(samples: Samples, rate: int, target: int) -> Samples:
    """`samples` (n,) or (n, channels) at another rate, by a windowed-sinc filter (FFmpeg's swresample)."""
    import av

    if rate == target or not len(samples):
        return samples
    channels = samples.reshape(len(samples), -1)
    layout = "mono" if channels.shape[1] == 1 else "stereo"
    resampler = av.AudioResampler(format="flt", layout=layout, rate=target)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(channels.reshape(1, -1), np.float32), "flt", layout)
    frame.sample_rate = rate
    parts = [part.to_ndarray().reshape(-1, channels.shape[1]) for f in (frame, None) for part in resampler.resample(f)]
    length = round(len(samples) * target / rate)
    # A few samples may never leave the filter.
    joined = np.concatenate([np.zeros((0, channels.shape[1]), np.float32), *parts])[:length]
    joined = np.pad(joined, ((0, length - len(joined)), (0, 0)))
    return joined.reshape((length, *samples.shape[1:])).astype(np.float32, copy=False)
