"""All of it in the order that works: what hides in the wave first, the spectrum next, silence and loudness last."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mofang.sound.clean.clicks import declick
from mofang.sound.clean.clips import declip
from mofang.sound.clean.hum import dehum
from mofang.sound.clean.noise import denoise
from mofang.sound.clean.silence import trimmed
from mofang.sound.edit.source import Sound
from mofang.sound.loudness import normalise
from mofang.studio.errors import UserError

STEPS = ("clip", "click", "hum", "noise", "silence", "loudness")


@dataclass(frozen=True)
class Wish:
    """Which steps, how strong the noise reduction (0 … 2), the longest pause in seconds (0: any), and the loudness in LUFS."""

    steps: Sequence[str] = STEPS
    strength: float = 1.0
    pause: float = 0.0
    lufs: float = -16.0


def clean(sound: Sound, wish: Wish | None = None) -> Sound:
    """`sound` cleaned. Raises `UserError` for silence and for a step there is not."""
    wish = wish or Wish()
    if unknown := [step for step in wish.steps if step not in STEPS]:
        raise UserError(f"there is no step '{unknown[0][:20]}'; choose from: {', '.join(STEPS)}")
    # A constant offset is no sound, and it would look like a loud one to every level below.
    sound = Sound((sound.samples - sound.samples.mean(0, dtype=np.float64)).astype(np.float32), sound.rate)
    if float(np.abs(sound.samples).max(initial=0.0)) < 1e-6:
        raise UserError("there is nothing but silence in it; give a recording with sound")
    for step in STEPS:
        if step not in wish.steps:
            continue
        if step == "clip":
            sound = declip(sound)
        elif step == "click":
            sound = declick(sound)
        elif step == "hum":
            sound = dehum(sound)
        elif step == "noise":
            sound = denoise(sound, wish.strength)
        elif step == "silence":
            sound = trimmed(sound, wish.pause)
        else:
            sound = Sound(normalise(sound.samples, sound.rate, wish.lufs), sound.rate)
    return sound
