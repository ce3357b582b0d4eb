"""Rain: a hiss of drops too many to tell apart, and near ones that can be: a tick on a leaf, a bubble in a puddle."""

import numpy as np

from mofang.sound.effects.ring import Floats, Ring, bubble, burst


def rain(ring: Ring) -> Floats:
    """Steady rain that swells a little and ebbs."""
    hiss = ring.wide(((80, -34), (400, -14), (1500, -4), (4000, 0), (9000, -2), (20_000, -12)), 0.3)
    body = ring.wide(((40, -20), (150, -4), (500, 0), (1200, -8), (6000, -40)), 0.5)
    swell = 10 ** (2.0 * ring.wander(0.03, 0.3) / 20)
    tape = (hiss + 0.35 * body) * swell[:, None].astype(np.float32)
    rng = ring.rng
    ticks = [burst(rng, rng.uniform(1500, 5000), 12_000, rng.uniform(0.008, 0.03), 0.0004) for _ in range(24)]
    plops = [bubble(rng.uniform(0.0012, 0.0035), rng.uniform(0.0, 0.2)) for _ in range(24)]
    for grains, rate, loud in ((ticks, 55, 2.6), (plops, 14, 1.5)):
        for at in ring.moments(rate):
            # How near a drop falls: few are close.
            near = float(rng.pareto(2.5) + 0.15)
            ring.add(tape, int(at), grains[int(rng.integers(len(grains)))], loud * min(near, 2.5), rng.uniform(-0.9, 0.9))
    return tape
