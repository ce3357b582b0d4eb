"""A stream: bubbles of every size over stones, and the rush of the water between them."""

import numpy as np

from mofang.sound.effects.ring import Floats, Ring, bubble


def stream(ring: Ring) -> Floats:
    """A brook nearby."""
    tape = 0.16 * ring.wide(((60, -18), (200, -6), (600, 0), (2500, -3), (6000, -10), (16_000, -26)), 0.35)
    tape *= (10 ** (1.5 * ring.wander(0.2, 2.0) / 20))[:, None].astype(np.float32)
    rng = ring.rng
    # Radii as in running water: small ones are many (van den Doel 2005, §4).
    radii = 0.0009 * (1 + rng.exponential(1.1, 160))
    grains = [bubble(float(radius), float(rng.uniform(0, 0.12) if rng.random() < 0.4 else 0.0)) for radius in radii]
    lively = ring.wander(0.3, 3.0)
    for at in ring.moments(240):
        if lively[at] < rng.normal(0, 1.0):
            continue
        number = int(rng.integers(len(grains)))
        gain = rng.uniform(0.15, 1.0) ** 2 * min((radii[number] / 0.0012) ** 0.8, 3.0)
        ring.add(tape, int(at), grains[number], 0.5 * gain, rng.uniform(-0.8, 0.8))
    return tape
