"""A door: hinges that stick and slip, the leaf against its frame, the latch."""

import numpy as np

from mofang.sound.effects.ring import RATE, Floats, Ring, burst, struck


def door(ring: Ring) -> Floats:
    """A creak and a close, every six seconds or so."""
    rng = ring.rng
    tape = ring.silence()
    for _, at in ring.every(6.0):
        creak = _creak(rng, min(1.7, 0.5 * ring.seconds))
        ring.add(tape, at, creak, 0.5, -0.2)
        shut = at + len(creak) + round(0.12 * RATE)
        leaf = struck([(68, 1.0, 0.28), (121, 0.8, 0.2), (187, 0.5, 0.14), (310, 0.35, 0.09), (475, 0.2, 0.06)], 0.002)
        ring.add(tape, shut, leaf, 1.6, 0.0)
        ring.add(tape, shut, burst(rng, 120, 1800, 0.09, 0.001), 0.7, 0.0)
        for delay, gain in ((0.018, 0.35), (0.055, 0.25)):
            latch = struck([(1850, 1.0, 0.03), (3100, 0.8, 0.025), (4700, 0.5, 0.015)], 0.0003)
            ring.add(tape, shut + round(delay * RATE), latch, gain, 0.1)
    return ring.room(tape, 0.8, 0.4, 4000.0)


def _creak(rng: np.random.Generator, seconds: float) -> Floats:
    """Slips of a dry hinge: pulses whose rate rises and falls with the leaf's speed, through the wood's resonances."""
    count = round(seconds * RATE)
    x = np.arange(count) / count
    speed = 40 + 150 * np.sin(np.pi * x) ** 1.5 * (1 + 0.25 * np.sin(2 * np.pi * (1.5 * x + rng.random())))
    turns = np.cumsum(speed * (1 + 0.03 * rng.standard_normal(count))) / RATE
    at = np.flatnonzero(np.diff(np.floor(turns)) > 0)
    pulses = np.zeros(count)
    pulses[at] = rng.uniform(0.5, 1.0, len(at)) * np.sin(np.pi * x[at]) ** 0.6
    wood = struck([(430, 0.7, 0.05), (780, 1.0, 0.04), (1270, 0.9, 0.035), (2100, 0.6, 0.025), (3300, 0.3, 0.02)], 0.0004)
    made = np.fft.irfft(np.fft.rfft(pulses, 2 * count) * np.fft.rfft(wood, 2 * count), 2 * count)[:count]
    return np.asarray(made / max(float(np.abs(made).max()), 1e-9), np.float32)
