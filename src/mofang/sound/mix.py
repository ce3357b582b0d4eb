"""The mixing desk: voices and sounds on a timeline, music under them, one master."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mofang.sound.engines.base import Samples
from mofang.sound.loudness import gain_to, normalise
from mofang.sound.pcm import resample
from mofang.studio.errors import UserError

RATE = 48_000
"""Hz of every mix: what video carries."""
LONGEST = 3 * 3600
"""Seconds of one mix."""


@dataclass(frozen=True, eq=False)
class Clip:
    """A sound on the timeline: `samples` (n,) or (n, 2) at `rate` Hz, from `start` seconds on, with a `gain` in dB."""

    samples: Samples
    rate: int
    start: float
    gain: float = 0.0


@dataclass(frozen=True)
class Ducking:
    """How music makes way for a voice: by `depth` dB, in `attack` seconds, back in `release` after holding `hold`."""

    depth: float = 10.0
    attack: float = 0.15
    hold: float = 0.35
    release: float = 0.9


def mix(
    voices: Sequence[Clip],
    duration: float,
    music: Samples | None = None,
    *,
    music_below: float = 9.0,
    ducking: Ducking | None = None,
    lufs: float = -14.0,
    peak: float = -1.0,
) -> Samples:
    """Clips and a music bed as one stereo track at 48 kHz: (round(duration * 48000), 2).

    `music` (n,) or (n, 2) at 48 kHz is looped or cut to the whole duration with fades, unless it is exactly as long, as
    music made for the film is, and has its own beginning and end; it lies `music_below` LU under
    the voices and `ducking.depth` dB deeper while one speaks. The master is at `lufs` with no true peak above `peak`
    dBTP. Raises `UserError` for a duration that cannot be.
    """
    if not 0 < duration <= LONGEST:
        raise UserError(f"a mix of {duration:g} seconds cannot be made; give more than 0 and at most {LONGEST}")
    length = round(duration * RATE)
    speech = place(voices, length)
    if music is None or not len(music):
        return normalise(speech, RATE, lufs, peak)
    if len(music) != length:
        music = bed(music, length)
    elif music.ndim == 1:
        music = np.repeat(music[:, None], 2, axis=1)
    if np.any(speech):
        # Both are set by their own loudness, so that a quiet recording of music is not lost and a loud one not a fight.
        music = music * np.float32(gain_to(music, RATE, -14.0 - music_below))
        speech = speech * np.float32(gain_to(speech, RATE, -14.0))
        music = duck(music, speech, ducking or Ducking())
    return normalise(speech + music, RATE, lufs, peak)


def place(clips: Sequence[Clip], length: int) -> Samples:
    """Clips added up on a silent stereo track of `length` samples; what lies outside it is cut."""
    track = np.zeros((length, 2), np.float32)
    for clip in clips:
        samples = resample(clip.samples, clip.rate, RATE)
        stereo = samples if samples.ndim == 2 else np.repeat(samples[:, None], 2, axis=1)
        start = round(clip.start * RATE)
        first, last = max(start, 0), min(start + len(stereo), length)
        if first < last:
            track[first:last] += stereo[first - start : last - start] * np.float32(10 ** (clip.gain / 20))
    return track


def bed(music: Samples, length: int, rise: float = 1.0, fall: float = 3.0, seam: float = 2.0) -> Samples:
    """Music of `length` stereo samples: cut, or looped with cross-fades of `seam` seconds, faded at the ends."""
    stereo = music if music.ndim == 2 else np.repeat(music[:, None], 2, axis=1)
    cross = min(round(seam * RATE), len(stereo) // 4)
    track = np.zeros((length, 2), np.float32)
    step = len(stereo) - cross
    # Equal power: the two ends of a piece of music have nothing to do with each other.
    rising = np.sin(np.linspace(0, np.pi / 2, cross, dtype=np.float32))[:, None]
    for start in range(0, length, step):
        part = stereo.astype(np.float32, copy=True)
        if cross and start:
            part[:cross] *= rising
        if cross and start + step < length:
            part[step:] *= rising[::-1]
        last = min(start + len(part), length)
        track[start:last] += part[: last - start]
    for edge, seconds in ((track, rise), (track[::-1], fall)):
        fade = min(round(seconds * RATE), length // 3)
        edge[:fade] *= (0.5 - 0.5 * np.cos(np.linspace(0, np.pi, fade, dtype=np.float32)))[:, None]
    return track


def duck(music: Samples, voice: Samples, ducking: Ducking) -> Samples:
    """`music` turned down while `voice` (both (n, 2) at 48 kHz) speaks, starting before it does.

    A side chain with look-ahead: blocks of 10 ms are speaking or not; the gain is down when a voice begins, stays down
    through the rests of a sentence, and moves along raised cosines, so that neither steps nor clicks are heard.
    """
    block = RATE // 100
    blocks = -(-len(voice) // block)
    padded = np.pad(voice, ((0, blocks * block - len(voice)), (0, 0)))
    level = np.sqrt(np.square(padded).reshape(blocks, -1).mean(axis=1))
    speaking = level > max(10 ** (-30 / 20) * float(level.max(initial=0.0)), 1e-5)
    seconds = np.arange(blocks) / 100
    since = seconds - np.maximum.accumulate(np.where(speaking, seconds, -np.inf))
    until = np.minimum.accumulate(np.where(speaking, seconds, np.inf)[::-1])[::-1] - seconds
    amount = np.maximum(_ease(1 - until / ducking.attack), _ease(1 - (since - ducking.hold) / ducking.release))
    centres = (np.arange(blocks) + 0.5) * block
    decibels = np.interp(np.arange(len(music)), centres, -ducking.depth * amount)
    return (music * (10 ** (decibels / 20))[:, None]).astype(np.float32)


def _ease(share: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(share, 0.0, 1.0)))
