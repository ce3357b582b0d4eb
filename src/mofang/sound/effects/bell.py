"""A bell: the partials of a tuned church bell, each a pair a hair apart, so that it beats as it dies."""

import numpy as np

from mofang.sound.effects.ring import Floats, Ring, burst, struck

# Hum, prime, tierce (a minor third), quint, nominal and above (Rossing 2000, Science of Percussion Instruments, ch. 11).
PARTIALS = ((0.5, 0.55, 9.0), (1.0, 0.6, 6.5), (1.2, 0.75, 5.0), (1.5, 0.25, 3.2), (2.0, 1.0, 3.6), (2.5, 0.3, 2.0),
            (2.67, 0.25, 1.8), (3.0, 0.4, 1.6), (4.0, 0.35, 1.1), (5.33, 0.2, 0.7), (6.67, 0.12, 0.45))  # fmt: skip
"""(ratio to the prime, amplitude, seconds to −60 dB)."""


def bell(ring: Ring) -> Floats:
    """A stroke every five seconds or so."""
    rng = ring.rng
    prime = rng.uniform(220, 360)
    modes = []
    for ratio, amplitude, decay in PARTIALS:
        # Bells are not quite round: each mode is two.
        for side in (-1, 1):
            modes.append((prime * ratio * (1 + side * rng.uniform(0.0004, 0.0014)), amplitude / 2, decay))
    sound = struck(modes, 0.0015)
    clapper = burst(rng, 1200, 7000, 0.05, 0.0005)
    tape = ring.silence()
    for _, at in ring.every(5.0):
        strength = rng.uniform(0.8, 1.0)
        ring.add(tape, at, sound, strength, -0.05)
        ring.add(tape, at, clapper, 0.06 * strength, 0.05)
    return np.asarray(ring.room(tape, 2.2, 0.25, 4000.0), np.float32)
