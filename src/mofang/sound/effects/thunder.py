"""Thunder: a crack whose high part is soon gone, and the same stroke's farther pieces rolling in after it."""

import numpy as np

from mofang.sound.effects.ring import RATE, Floats, Ring, band


def thunder(ring: Ring) -> Floats:
    """A stroke every twelve seconds or so."""
    rng = ring.rng
    tape = ring.silence()
    bands = ((25, 70), (60, 160), (150, 400), (380, 1100), (1000, 4000))
    for _, at in ring.every(12.0, min(1.5, ring.seconds / 10)):
        length = round(min(9.0, 0.85 * ring.seconds) * RATE)
        time = np.arange(length) / RATE
        near = rng.uniform(0.35, 1.0)
        pieces = np.concatenate([[0.0], np.sort(rng.exponential(1.3, 14))])
        for number, (low, high) in enumerate(bands):
            envelope = np.zeros(length)
            for index, start in enumerate(pieces):
                x = time - start
                strength = (1.0 if index == 0 else rng.uniform(0.2, 0.8) * np.exp(-start / 2.6)) * np.exp(-start * number * 0.45)
                attack = 0.006 if index == 0 else rng.uniform(0.05, 0.3)
                decay = (1.5, 1.1, 0.7, 0.35, 0.16)[number] * rng.uniform(0.8, 1.2)
                envelope += strength * np.where(x > 0, np.minimum(np.maximum(x, 0) / attack, 1) * np.exp(-np.maximum(x, 0) / decay), 0)
            envelope *= np.minimum(1, (time[-1] - time) / (0.3 * time[-1]))
            gain = (1.0, 0.9, 0.6, 0.35 * near, 0.25 * near**2)[number]
            for side in (-0.6, 0.6):
                noise = Ring(length, rng).noise(band(low, high, 9.0))
                ring.add(tape, at, (noise * envelope).astype(np.float32), gain, side)
    return tape
