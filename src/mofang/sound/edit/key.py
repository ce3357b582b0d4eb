"""The key: how well the pitch classes' shares fit each of 24 profiles (Krumhansl & Schmuckler; Krumhansl 1990, ch. 4)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mofang.sound.edit.source import Sound
from mofang.sound.edit.stft import stft
from mofang.sound.pcm import resample

RATE, SIZE, HOP = 11_025, 8192, 2048
LOWEST, HIGHEST = 36, 96
"""MIDI pitches that are listened to: C2 to C7."""
# Probe-tone ratings for Western music, with the weights Temperley (1999) gave them, from the tonic up.
MAJOR = (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0)
MINOR = (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0)
MAJOR_NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MINOR_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")


@dataclass(frozen=True)
class Found:
    """A key: its tonic's pitch class (0: C), its mode, and how well it fits (correlation, −1 … 1)."""

    tonic: int
    minor: bool
    fit: float

    @property
    def name(self) -> str:
        """`G`, `F#m` …"""
        return MINOR_NAMES[self.tonic] + "m" if self.minor else MAJOR_NAMES[self.tonic]


def key(sound: Sound) -> Found | None:
    """The key that fits best; None for a sound without tones."""
    moments = chroma(sound)
    total = moments.sum(1, keepdims=True)
    # Every moment that sounds counts alike: a loud chord shall not outvote a quiet phrase.
    shares = (moments / np.maximum(total, 1e-9))[total[:, 0] > 0.05 * total.max(initial=0.0)].sum(0)
    if shares.sum() <= 0 or shares.std() < 0.05 * shares.mean():
        return None
    fits = [
        Found(tonic, minor, float(np.corrcoef(shares, np.roll(profile, tonic))[0, 1]))
        for minor, profile in ((False, MAJOR), (True, MINOR))
        for tonic in range(12)
    ]
    return max(fits, key=lambda each: each.fit)


def chroma(sound: Sound) -> NDArray[np.float64]:
    """Strength of each pitch class (frames, 12), from the spectrum's peaks, tuned to the recording's own A."""
    mono = resample(sound.mono(), sound.rate, RATE)
    level = np.abs(stft(mono, SIZE, HOP)).astype(np.float64) / SIZE
    inner = level[:, 1:-1]
    peaks = (inner > level[:, :-2]) & (inner >= level[:, 2:]) & (inner > 0.02 * level.max(1, keepdims=True)) & (inner > 1e-5)
    frame, bins = np.nonzero(peaks)
    if not len(bins):
        return np.zeros((len(level), 12))
    a, b, c = (np.log(np.maximum(level[frame, bins + shift], 1e-12)) for shift in range(3))
    offset = np.clip(0.5 * (a - c) / np.minimum(a - 2 * b + c, -1e-9), -0.5, 0.5)
    hertz = (bins + 1 + offset) * RATE / SIZE
    midi = 69 + 12 * np.log2(hertz / 440)
    kept = (midi > LOWEST) & (midi < HIGHEST)
    frame, midi, strength = frame[kept], midi[kept], np.sqrt(np.exp(b[kept]))  # the root: loud partials shall not decide alone
    if not len(midi):
        return np.zeros((len(level), 12))
    # The circular mean of the distances to equal temperament: how far the recording is out of tune.
    off = np.angle((strength * np.exp(2j * np.pi * midi)).sum()) / (2 * np.pi)
    # Harmonics of a note below speak for that note: high partials count less.
    strength = strength * np.exp(-np.maximum(midi - 72, 0) / 18)
    out = np.zeros((len(level), 12))
    np.add.at(out, (frame, np.round(midi - off).astype(int) % 12), strength * np.cos(np.pi * (midi - off - np.round(midi - off))) ** 2)
    return out
