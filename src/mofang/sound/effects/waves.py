"""Waves on a beach: each gathers low, breaks bright, and hisses back over the sand."""

import numpy as np

from mofang.sound.effects.ring import RATE, Floats, Ring, band


def waves(ring: Ring) -> Floats:
    """A wave every seven seconds or so."""
    bands = ((50, 180), (160, 500), (450, 1300), (1200, 3500), (3200, 9000))
    noises = [ring.wide(band(low, high, 9.0), 0.35) for low, high in bands]
    far = ring.wide(((40, -6), (90, 0), (300, -3), (1000, -14), (5000, -34)), 0.5)
    strength = np.zeros((ring.length, len(bands)), np.float32)
    rng, time = ring.rng, np.arange(round(14 * RATE)) / RATE
    for _, at in ring.every(7.0, min(1.2, ring.seconds / 8)):
        size, steep = rng.uniform(0.6, 1.0), rng.uniform(0.8, 1.3)
        for number in range(len(bands)):
            # Bright bands begin with the break, rise faster and stay longest: the foam.
            start, rise, fall = 0.6 + 0.25 * number, (1.5 - 0.22 * number) * steep, 1.1 + 0.45 * number
            x = np.maximum(time - start, 0)
            envelope = np.where(x < rise, np.sin(np.pi / 2 * np.minimum(x / rise, 1)) ** 2, np.exp(-(x - rise) / fall))
            envelope *= np.minimum(1, (14 - time) / 2)  # nothing is left when the next but one comes
            _wrapped(strength[:, number], at, (size * envelope * (1.0, 1.1, 0.9, 0.6, 0.3)[number]).astype(np.float32))
    tape = 0.22 * far
    for number, noise in enumerate(noises):
        tape = tape + noise * strength[:, number, None]
    return np.asarray(tape, np.float32)


def _wrapped(curve: Floats, at: int, piece: Floats) -> None:
    while len(piece):
        part = piece[: len(curve) - at]
        curve[at : at + len(part)] += part
        piece, at = piece[len(part) :], 0
