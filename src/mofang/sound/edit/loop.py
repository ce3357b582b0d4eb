"""Loop: the part of a recording that follows itself best, made seamless, and as long as wanted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mofang.sound.edit.beats import grid
from mofang.sound.edit.join import crossed
from mofang.sound.edit.source import LONGEST, Sound
from mofang.sound.edit.stft import stft
from mofang.sound.mel import Mel, filters
from mofang.sound.pcm import resample
from mofang.studio.errors import UserError

SHORTEST = 1.0
"""Seconds of a loop."""
CROSS = 0.05
RATE = 16_000
MEL = Mel(RATE, hop=320, window=1024, size=1024, bands=40)


@dataclass(frozen=True, eq=False)
class Loop:
    """One turn of the loop, which follows itself without a seam, from `start` to `end` seconds; `beats` in it (0: no beat)."""

    sound: Sound
    start: float
    end: float
    beats: int


def find(sound: Sound, least: float = 4.0) -> Loop:
    """The best loop of at least `least` seconds: on the beats where there are some, else where the sound is alike.

    What is heard before the end must be like what is heard before the start, and what follows the start like what follows
    the end. Raises `UserError` if the sound is too short.
    """
    if sound.seconds < SHORTEST + 0.5:
        raise UserError(f"{sound.seconds:.2f} s is too short to loop; give at least {SHORTEST + 0.5:g} s")
    least = min(max(least, SHORTEST), 0.6 * sound.seconds)
    found = grid(sound)
    beats = found.beats[(found.beats > CROSS) & (found.beats < sound.seconds - CROSS)]
    on_beat = len(beats) > 4 and beats[-1] - beats[0] > least
    points = beats if on_beat else np.linspace(0.1, sound.seconds - 0.1, min(240, int(sound.seconds * 16)))
    start, end = _best(sound, points, least, on_beat)
    count = int(np.searchsorted(beats, end - 0.02) - np.searchsorted(beats, start - 0.02)) if on_beat else 0
    a, b = round(start * sound.rate), round(end * sound.rate)
    b = _aligned(sound, a, b)
    over = min(round(CROSS * sound.rate), a, (b - a) // 4)
    turn = sound.samples[a:b].copy()
    if over:
        # The end fades into what came before the start: after it the start is the natural continuation.
        turn[-over:] = crossed(turn[-over:], sound.samples[a - over : a])
    return Loop(Sound(turn, sound.rate), a / sound.rate, b / sound.rate, count)


def repeat(sound: Sound, seconds: float) -> Sound:
    """A loop turned until it lasts `seconds`."""
    if not 0 < seconds <= LONGEST:
        raise UserError(f"a loop of {seconds:g} s cannot be made; give up to {LONGEST:g}")
    length = round(seconds * sound.rate)
    return Sound(np.tile(sound.samples, (-(-length // len(sound.samples)), 1))[:length], sound.rate)


def _best(sound: Sound, points: NDArray[np.float64], least: float, on_beat: bool) -> tuple[float, float]:
    mono = resample(sound.mono(), sound.rate, RATE)
    log = np.log(np.abs(stft(mono, MEL.size, MEL.hop)) @ filters(MEL).T + 1e-3)
    log -= log.mean(0)
    width = max(2, round(0.4 * RATE / MEL.hop))
    padded = np.pad(log, ((width, width), (0, 0)), mode="edge")
    frames = np.clip(np.round(points * RATE / MEL.hop).astype(int), 0, len(log) - 1) + width
    around = np.stack([padded[at - width : at + width].reshape(-1) for at in frames])
    square = (around**2).sum(1)
    distance = np.maximum(square[:, None] + square - 2 * around @ around.T, 0)
    span = points[None, :] - points[:, None]
    cost = np.where(span >= least - 1e-6, distance, np.inf)
    if on_beat:  # whole bars of four are what most music loops by
        number = np.arange(len(points))
        cost = (cost + 0.02 * float(square.mean())) * np.where((number[None, :] - number[:, None]) % 4 == 0, 1.0, 1.35)
    first, last = np.unravel_index(int(np.argmin(cost)), cost.shape)
    if not np.isfinite(cost[first, last]):
        return float(points[0]), float(points[-1])
    return float(points[first]), float(points[last])


def _aligned(sound: Sound, a: int, b: int) -> int:
    """`b` moved by up to 10 ms to where the wave before it is most like the wave before `a`."""
    size, reach = min(round(0.04 * sound.rate), a), round(0.01 * sound.rate)
    if size < 16 or b - size - reach < 0 or b + reach > len(sound.samples):
        return b
    mono = sound.mono()
    pattern = mono[a - size : a].astype(np.float64)
    field = np.lib.stride_tricks.sliding_window_view(mono[b - size - reach : b + reach].astype(np.float64), size)
    fit = field @ pattern / np.sqrt(np.maximum((field**2).sum(1), 1e-9))
    return b - reach + int(np.argmax(fit))
