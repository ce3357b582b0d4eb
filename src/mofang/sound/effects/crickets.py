"""Crickets at night: chirps of a few pulses of one high tone, many singers, each with its own pace."""

import numpy as np

from mofang.sound.effects.ring import RATE, Floats, Ring


def crickets(ring: Ring) -> Floats:
    """A summer meadow after dark."""
    rng = ring.rng
    tape = ring.silence()
    for singer in range(9):
        hertz, pulses = rng.uniform(3900, 5300), int(rng.integers(2, 5))
        time = np.arange(round(0.016 * RATE)) / RATE
        pulse = np.sin(2 * np.pi * hertz * time * (1 - 0.8 * time)) * np.sin(np.pi * time / time[-1]) ** 1.5
        rest = np.zeros(round(rng.uniform(0.008, 0.016) * RATE))
        chirp = np.concatenate([np.concatenate([pulse, rest]) * (0.6 + 0.4 * k / pulses) for k in range(pulses)]).astype(np.float32)
        gain = 1.0 if singer < 2 else rng.uniform(0.08, 0.35)
        pan = rng.uniform(-0.9, 0.9)
        for _, at in ring.every(rng.uniform(0.3, 0.65), 0.015):
            ring.add(tape, at, chirp, gain * rng.uniform(0.85, 1.0), pan)
    tape = ring.room(tape, 0.5, 0.25, 7000.0)
    air = ring.wide(((100, -10), (400, 0), (1500, -12), (6000, -24)), 0.4)
    return np.asarray(tape + air * np.float32(0.12 * float(tape.std())), np.float32)
