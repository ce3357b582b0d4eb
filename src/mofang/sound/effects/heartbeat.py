"""A heart: two low thuds a beat, the valves' closing, as heard through a chest."""

from mofang.sound.effects.ring import Floats, Ring, burst, struck


def heartbeat(ring: Ring) -> Floats:
    """About 72 beats a minute."""
    rng = ring.rng
    pace = 60 / rng.uniform(66, 78)
    tape = ring.silence()
    for _, at in ring.every(pace, 0.012):
        first = struck([(46, 1.0, 0.2), (68, 0.7, 0.15), (97, 0.3, 0.1)], 0.012)
        second = struck([(58, 1.0, 0.14), (84, 0.7, 0.1), (125, 0.25, 0.07)], 0.008)
        strength = rng.uniform(0.92, 1.0)
        ring.add(tape, at, first, strength)
        ring.add(tape, at, burst(rng, 30, 160, 0.12, 0.015), 0.25 * strength)
        ring.add(tape, at + round(0.36 * pace * 48_000), second, 0.65 * strength)
    return ring.filtered(tape, ((15, -30), (30, 0), (180, 0), (400, -24), (2000, -60)))
