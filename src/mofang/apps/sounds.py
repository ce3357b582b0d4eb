"""A sound on its way out: the formats it may have, and the audible label."""

from pathlib import Path

from mofang import trust
from mofang.sound import pcm
from mofang.sound.engines.base import Samples
from mofang.studio import UserError

LOSSLESS = (".wav", ".flac")
SUFFIXES = (*LOSSLESS, ".mp3", ".m4a")


def check(target: Path) -> None:
    """Raises `UserError` for a format that is not written."""
    if target.suffix.lower() not in SUFFIXES:
        raise UserError(f"cannot write a sound as '{target.suffix[:12]}'; choose one of: {', '.join(SUFFIXES)}")


def labelled(samples: Samples, rate: int, suffix: str) -> Samples:
    """Generated sound for a file of `suffix`: formats that are compressed get the audible label now, for it cannot be put into
    them when they are published."""
    return samples if suffix in LOSSLESS else trust.label_audio(samples, rate)


def write(target: Path, samples: Samples, rate: int) -> None:
    """Write generated sound in the format of the suffix, with its label where it must be put in first."""
    pcm.write(target, labelled(samples, rate, target.suffix), rate)
