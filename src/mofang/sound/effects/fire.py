"""A fire: a low roar that flickers, hiss of gas, and wood that snaps."""

import numpy as np

from mofang.sound.effects.ring import Floats, Ring, burst, struck


def fire(ring: Ring) -> Floats:
    """A campfire."""
    rng = ring.rng
    flicker = np.maximum(1 + 0.35 * ring.wander(1.0, 9.0) + 0.25 * ring.wander(0.1, 0.6), 0.1)[:, None].astype(np.float32)
    roar = ring.wide(((25, -10), (60, 0), (160, -2), (400, -14), (1500, -34), (6000, -50)), 0.6) * flicker
    hiss = ring.wide(((500, -30), (2500, -6), (6000, 0), (14_000, -6)), 0.3) * np.float32(0.07) * flicker**2
    tape = roar * np.float32(0.5) + hiss
    snaps = [burst(rng, rng.uniform(700, 2500), rng.uniform(4000, 14_000), rng.uniform(0.004, 0.02), 0.0002) for _ in range(30)]
    pops = [struck([(rng.uniform(300, 900), 1, 0.03), (rng.uniform(1000, 2400), 0.6, 0.02)], 0.0004) for _ in range(10)]
    excited = ring.wander(0.15, 1.5)
    for at in ring.moments(26):
        # Snaps come in clusters: a crack lets the next one through.
        if excited[at] < rng.normal(0.2, 0.8):
            continue
        grains = snaps if rng.random() < 0.88 else pops
        loud = 0.8 * float(min(rng.pareto(1.6) + 0.2, 5))
        ring.add(tape, int(at), grains[int(rng.integers(len(grains)))], loud, rng.uniform(-0.5, 0.5))
    return tape
