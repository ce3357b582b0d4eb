"""What is heard around a scene: sound effects that its words call for, low under voice and music."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mofang.sound.edit.fade import rise
from mofang.sound.effects import effect
from mofang.sound.effects.words import effects_for
from mofang.sound.engines.base import Samples
from mofang.sound.loudness import gain_to
from mofang.sound.mix import RATE, bed

FADE = 0.8
"""Seconds in which an effect comes and goes; neighbouring scenes overlap by as much."""
BELOW_MUSIC = 4.0
"""LU under the music."""
BELOW_VOICE = 13.0
"""LU under the voices, where there is no music."""


@dataclass(frozen=True)
class Around:
    """An effect from `start` to `end` seconds of the film."""

    effect: str
    start: float
    end: float
    seed: int = 0


def around(scenes: Sequence[tuple[str, float, float]], seed: int) -> tuple[Around, ...]:
    """The effects of scenes given as (words, start, end); one that goes on in the next scene is one effect."""
    out: list[Around] = []
    for text, start, end in scenes:
        for name in effects_for(text):
            before = next((each for each in out if each.effect == name and abs(each.end - start) < 0.01), None)
            if before is not None:
                out.remove(before)
            out.append(Around(name, before.start if before else start, end, seed))
    return tuple(out)


def under(music: Samples | None, effects: Sequence[Around], seconds: float) -> Samples:
    """The bed (round(seconds · 48000), 2) of music, if any, and the effects under it."""
    length = round(seconds * RATE)
    track = np.zeros((length, 2), np.float32)
    for each in effects:
        first, last = max(0, round((each.start - FADE / 2) * RATE)), min(length, round((each.end + FADE / 2) * RATE))
        sound = effect(each.effect, max((last - first) / RATE, 0.5), each.seed)[: last - first]
        count = min(round(FADE * RATE), len(sound) // 2)
        sound[:count] *= rise(count, "power")[:, None]
        sound[len(sound) - count :] *= rise(count, "power")[::-1, None]
        track[first : first + len(sound)] += sound
    if music is None:
        return track
    whole = music if music.shape == track.shape else bed(music, length)
    track *= np.float32(gain_to(track, RATE, -23.0 - BELOW_MUSIC))
    return np.asarray(whole * np.float32(gain_to(whole, RATE, -23.0)) + track, np.float32)
