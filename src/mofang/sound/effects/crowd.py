"""A crowd: voices at many tables, each a glottal source with wandering pitch and vowels, none of them saying anything."""

import numpy as np

from mofang.sound.effects.ring import RATE, Floats, Ring

VOWELS = ((700, 1150, 2500), (310, 2200, 2950), (350, 800, 2400), (480, 1850, 2600), (500, 900, 2450))
"""Formants in Hz of a, i, u, e, o."""


def crowd(ring: Ring) -> Floats:
    """The murmur of sixteen voices in a hall."""
    rng = ring.rng
    tape = ring.silence()
    for _ in range(16):
        ring.add(tape, 0, _voice(ring), rng.uniform(0.3, 1.0), rng.uniform(-0.9, 0.9))
    far = ring.wide(((80, -22), (200, -4), (500, 0), (1200, -8), (4000, -26)), 0.4)
    far *= np.float32(0.3 * float(tape.std())) * (1 + 0.2 * ring.wander(2, 6))[:, None].astype(np.float32)
    return ring.room(tape + far, 1.3, 0.7, 3000.0)


def _voice(ring: Ring) -> Floats:
    """One speaker, (length,), mean square 1 while speaking."""
    rng = ring.rng
    base, size = (rng.uniform(95, 140), 1.0) if rng.random() < 0.5 else (rng.uniform(175, 240), 1.16)
    hertz = base * 2 ** (0.12 * ring.wander(0.3, 1.2) + 0.07 * ring.wander(1.5, 4.0))
    cycles = np.cumsum(hertz) / RATE
    cycles *= np.round(cycles[-1]) / cycles[-1]
    # A smooth pulse a period (von Mises) and breath: band-limited, so that no harmonic folds back.
    pulse = np.exp(14 * (np.cos(2 * np.pi * cycles) - 1)) + 0.02 * rng.standard_normal(ring.length)
    spectrum = np.fft.rfft(pulse)
    bins = np.maximum(np.fft.rfftfreq(ring.length, 1 / RATE), 1.0)
    chosen = [ring.wander(1.0, 4.0) for _ in VOWELS]
    weight = np.exp(2.5 * np.stack(chosen))
    weight /= weight.sum(0)
    out = np.zeros(ring.length)
    for formants, share in zip(VOWELS, weight, strict=True):
        resonances = zip(formants, (1.0, 0.5, 0.25), (70, 90, 130), strict=True)
        shape = sum(gain / (1 + ((bins - size * centre) / width) ** 2) for centre, gain, width in resonances)
        out += np.fft.irfft(spectrum * shape * (bins > 60), ring.length) * share
    syllables = np.clip(0.55 + 0.8 * ring.wander(2.5, 5.5), 0, 2)
    phrases = np.clip(0.5 + 1.2 * ring.wander(0.1, 0.5), 0, 1)
    out *= syllables * phrases
    return np.asarray(out / max(float(out.std()), 1e-9), np.float32)
