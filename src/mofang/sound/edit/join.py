"""Join: one recording after another, with a gap or a cross-fade."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mofang.sound.edit.source import Sound
from mofang.sound.pcm import resample
from mofang.studio.errors import UserError


def join(sounds: Sequence[Sound], crossfade: float = 0.0, gap: float = 0.0) -> Sound:
    """All of them in order at the highest rate among them, `crossfade` seconds overlapped or `gap` seconds apart.

    Raises `UserError` for a cross-fade longer than a part allows.
    """
    rate = max(sound.rate for sound in sounds)
    channels = max(sound.samples.shape[1] for sound in sounds)
    parts = [_like(sound, rate, channels) for sound in sounds]
    over, rest = round(crossfade * rate), np.zeros((round(gap * rate), channels), np.float32)
    shortest = min(len(part) for part in parts)
    if len(parts) > 1 and 2 * over > shortest:
        raise UserError(f"a cross-fade of {crossfade:g} s is too long for a part of {shortest / rate:.2f} s; give at most half of it")
    out = [parts[0]]
    for part in parts[1:]:
        if over:
            before = out.pop()
            out += [before[:-over], crossed(before[-over:], part[:over]), part[over:]]
        else:
            out += [rest, part]
    return Sound(np.concatenate(out), rate)


def crossed(falling: NDArray[np.float32], rising: NDArray[np.float32]) -> NDArray[np.float32]:
    """Two equally long pieces (n, channels) faded into one another so that the power stays level.

    With gains g and h, power is g² + h² + 2ρgh for pieces correlated by ρ: sine and cosine divided by what that gives are
    equal power for strangers (ρ = 0) and equal gain for a piece and itself (ρ = 1) (after Fink et al. 2016, DAFx).
    """
    energy = np.sqrt(float((falling.astype(np.float64) ** 2).sum()) * float((rising.astype(np.float64) ** 2).sum()))
    rho = float((falling.astype(np.float64) * rising).sum()) / energy if energy > 1e-12 else 0.0
    angle = (np.arange(len(falling)) + 0.5) / len(falling) * np.pi / 2
    level = np.sqrt(1 + max(rho, 0.0) * np.sin(2 * angle))
    gains = np.stack([np.cos(angle) / level, np.sin(angle) / level]).astype(np.float32)[..., None]
    return np.asarray(falling * gains[0] + rising * gains[1], np.float32)


def _like(sound: Sound, rate: int, channels: int) -> NDArray[np.float32]:
    samples = resample(sound.samples, sound.rate, rate)
    return np.repeat(samples, channels, 1) if samples.shape[1] < channels else samples
