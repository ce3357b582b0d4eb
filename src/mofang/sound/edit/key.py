"""The key: how well the shares of pitch classes fit each of 24 profiles (Krumhansl & Schmuckler; Krumhansl 1990, ch. 4).

Shares are of notes, not of partials: each moment's spectrum is explained by notes with their harmonics, none negative (Mauch &
Dixon 2010, "Approximate note transcription for the improved identification of difficult chords", ISMIR).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mofang.sound.edit.source import Sound
from mofang.sound.edit.stft import stft
from mofang.sound.pcm import resample

Floats = NDArray[np.float32]

RATE, SIZE, HOP = 11_025, 4096, 1024
LOWEST, HIGHEST, TOP = 36, 96, 113
"""MIDI pitches of the notes that are looked for, C2 to B6, and where the spectrum of their harmonics ends."""
HARMONICS, DECAY = 10, 0.6 ** 0.5
"""Harmonics of a note, and what each is to the one before it, of roots of strengths."""
ROUNDS = 30
# Shares of scale degrees in common-practice pieces, from the tonic up (Albrecht & Shanahan 2013, Music Perception 31:1).
MAJOR = (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081)
MINOR = (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052)
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


def chroma(sound: Sound) -> Floats:
    """Strength of each pitch class (frames, 12): of the notes that explain the spectrum, tuned to the recording's own A."""
    notes = _notes(_semitones(resample(sound.mono(), sound.rate, RATE)))
    notes = np.where(notes > 0.1 * notes.max(1, keepdims=True), notes, 0)
    return np.asarray(notes.reshape(len(notes), -1, 12).sum(1))  # the lowest is a C


def _semitones(mono: Floats) -> Floats:
    """Roots of the strengths of the spectrum's peaks, (frames, semitones from `LOWEST` to `TOP`)."""
    level = np.abs(stft(mono, SIZE, HOP)) / SIZE
    out = np.zeros((len(level), TOP - LOWEST), np.float32)
    inner = level[:, 1:-1]
    peaks = (inner > level[:, :-2]) & (inner >= level[:, 2:]) & (inner > 0.01 * level.max(1, keepdims=True)) & (inner > 1e-5)
    frame, bins = np.nonzero(peaks)
    a, b, c = (np.log(np.maximum(level[frame, bins + shift], 1e-12)) for shift in range(3))
    offset = np.clip(0.5 * (a - c) / np.minimum(a - 2 * b + c, -1e-9), -0.5, 0.5)
    midi = 69 + 12 * np.log2((bins + 1 + offset) * RATE / SIZE / 440)
    kept = (midi > LOWEST - 0.5) & (midi < TOP - 1)
    frame, midi, strength = frame[kept], midi[kept], np.exp(b[kept] / 2)
    # The circular mean of the distances to equal temperament: how far the recording is out of tune.
    midi -= np.angle((strength * np.exp(2j * np.pi * midi)).sum()) / (2 * np.pi)
    near = np.round(midi)
    np.maximum.at(out, (frame, np.maximum(near.astype(int) - LOWEST, 0)), strength * np.cos(np.pi * (midi - near)) ** 2)
    return out


def _notes(spectra: Floats) -> Floats:
    """How strong each note (frames, `LOWEST` … `HIGHEST`) is, so that notes with their harmonics add up to the spectra:
    non-negative least squares by multiplicative steps (Lee & Seung 2001)."""
    shapes = np.zeros((HIGHEST - LOWEST, TOP - LOWEST), np.float32)
    for harmonic in range(HARMONICS):
        at = np.arange(HIGHEST - LOWEST) + round(12 * np.log2(harmonic + 1))
        inside = at < TOP - LOWEST
        shapes[inside, at[inside]] += DECAY**harmonic
    shapes /= np.linalg.norm(shapes, axis=1, keepdims=True)
    told, alike = spectra @ shapes.T, shapes @ shapes.T
    found = told.copy()
    for _ in range(ROUNDS):
        found *= told / (found @ alike + np.float32(1e-9))
    return found
