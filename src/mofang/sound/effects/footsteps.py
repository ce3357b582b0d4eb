"""Footsteps: heel, then toe, then grit under the sole; left and right are never quite alike."""

from mofang.sound.effects.ring import Floats, Ring, burst, struck


def footsteps(ring: Ring) -> Floats:
    """A walk on a hard path, about 1.8 steps a second."""
    rng = ring.rng
    tape = ring.silence()
    for number, at in ring.every(0.55, 0.018):
        side = -0.12 if number % 2 else 0.12
        strength = rng.uniform(0.75, 1.0) * (0.92 if number % 2 else 1.0)
        heel = struck([(rng.uniform(85, 110), 1.0, 0.09), (rng.uniform(180, 240), 0.5, 0.05)], 0.002)
        ring.add(tape, at, heel, 0.9 * strength, side)
        ring.add(tape, at, burst(rng, 350, 2600, rng.uniform(0.035, 0.06), 0.0008), 0.55 * strength, side)
        toe = at + round(rng.uniform(0.075, 0.105) * 48_000)
        ring.add(tape, toe, burst(rng, 600, 4200, rng.uniform(0.04, 0.08), 0.004), 0.28 * strength, side)
        for _ in range(int(rng.integers(3, 9))):
            grit = burst(rng, 2500, 10_000, rng.uniform(0.003, 0.01), 0.0003)
            ring.add(tape, at + int(rng.integers(0, 7000)), grit, rng.uniform(0.02, 0.1), side + rng.uniform(-0.1, 0.1))
    return ring.room(tape, 0.45, 0.3, 4500.0)
