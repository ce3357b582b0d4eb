"""A recording opened for work: its samples at its own rate, one channel or two, and what the file said of itself."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mofang.sound import pcm
from mofang.sound.engines.base import Samples
from mofang.studio.errors import UserError
from mofang.studio.media import open_media

LONGEST = 3600.0
"""Seconds that are worked on at once."""
SLOWEST, FASTEST = 8_000, 96_000
"""Hz kept as they are; what lies outside is brought there while it is read."""
ENCODED = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""Rates that every format written here can hold; lossless ones hold any."""


@dataclass(frozen=True, eq=False)
class Sound:
    """`samples` (n, channels) with one channel or two, at `rate` Hz."""

    samples: Samples
    rate: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate

    def mono(self) -> Samples:
        """The channels' mean, (n,)."""
        channels = self.samples.shape[1]
        # A product: numpy's mean over so short an axis is twenty times slower.
        return self.samples[:, 0] if channels == 1 else np.asarray(self.samples @ np.full(channels, 1 / channels, np.float32))


@dataclass(frozen=True)
class Facts:
    """What a file says of itself: `rate` in Hz, channels, codec, container, bits a sample (0 where coded)."""

    rate: int
    channels: int
    codec: str
    container: str
    bits: int


def probe(path: Path) -> Facts:
    """What the file says of itself. Raises `UserError` if it holds no sound."""
    import av

    if not path.is_file():
        raise UserError(f"{path} does not exist; give an audio file (WAV, MP3, FLAC, M4A, OGG…)")
    try:
        with open_media(path) as container:
            if not container.streams.audio:
                raise UserError(f"{path} holds no sound; give an audio file (WAV, MP3, FLAC, M4A, OGG…)")
            stream = container.streams.audio[0]
            if stream.codec_context is None:
                raise UserError(f"{path} is coded in a way that is not known here; convert it to WAV or MP3")
            coded = stream.codec_context.name
            bits = stream.codec_context.format.bits if coded.startswith(("pcm", "flac")) and stream.codec_context.format else 0
            if coded.startswith("pcm_s24"):
                bits = 24
            return Facts(int(stream.rate or 0), int(stream.channels or 0), coded, container.format.name, bits)
    except (av.error.FFmpegError, ValueError, OSError) as error:
        reason = str(getattr(error, "strerror", "") or error)[:80]
        raise UserError(f"{path} cannot be read as sound: {reason}; convert it to WAV or MP3") from error


def open_sound(path: Path, longest: float = LONGEST, called: str = "") -> Sound:
    """The recording at its own rate (within 8 to 96 kHz); more than two channels become two.

    Raises `UserError`, which calls the file `called` if that is given.
    """
    facts = probe(path)
    rate = min(max(facts.rate, SLOWEST), FASTEST)
    samples = pcm.read(path, rate, 1 if facts.channels == 1 else 2, longest, called)
    return Sound(samples.reshape(len(samples), -1), rate)


def rate_for(suffix: str, rate: int) -> int:
    """The rate a format of this suffix can hold that is nearest above `rate`, or the highest."""
    if suffix in (".wav", ".flac"):
        return rate
    return next((each for each in ENCODED if each >= rate), ENCODED[-1])


def seconds_of(text: str) -> float:
    """`12.5`, `1:02.5` or `1:00:00` as seconds. Raises `UserError`."""
    total, parts = 0.0, text.strip().split(":")
    try:
        if not 1 <= len(parts) <= 3:
            raise ValueError
        for part in parts:
            value = float(part)
            if not 0 <= value < 1e6:
                raise ValueError
            total = total * 60 + value
    except ValueError as error:
        raise UserError(f"'{text[:20]}' is no time; write seconds (12.5) or minutes:seconds (1:02.5)") from error
    return total
