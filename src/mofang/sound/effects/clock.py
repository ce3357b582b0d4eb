"""A clock: tick and tock, the two sides of an escapement in a wooden case."""

from mofang.sound.effects.ring import Floats, Ring, burst, struck


def clock(ring: Ring) -> Floats:
    """One beat a second, as near as the ring allows."""
    rng = ring.rng
    pitch = rng.uniform(0.9, 1.1)
    tape = ring.silence()
    for number, at in ring.every(1.0):
        high = pitch * (1.0 if number % 2 == 0 else 0.82)
        modes = ((2350, 1.0, 0.035), (3900, 0.7, 0.025), (6100, 0.4, 0.015), (410, 0.5, 0.06))
        body = struck([(hertz * high, gain, decay) for hertz, gain, decay in modes], 0.0003)
        ring.add(tape, at, body, 1.0, 0.1)
        ring.add(tape, at, burst(rng, 2500, 9000, 0.008, 0.0002), 0.5, 0.1)
        # The pallet lands, the wheel falls against it a little later.
        ring.add(tape, at + 860, burst(rng, 1800, 7000, 0.012, 0.0003), 0.25, 0.1)
    return ring.room(tape, 0.35, 0.3, 4000.0)
