"""Typing: keys go down and come up, in words and pauses, the space bar deeper than the rest."""

from mofang.sound.effects.ring import RATE, Floats, Ring, burst, struck


def typing(ring: Ring) -> Floats:
    """Somebody writes, about five keys a second."""
    rng = ring.rng
    tape = ring.silence()
    at, left = 0.05, int(rng.integers(3, 9))
    while at < ring.seconds - 0.3:
        space = left == 0
        body = 150.0 if space else rng.uniform(210, 290)
        place = round(at * RATE)
        pan = 0.0 if space else rng.uniform(-0.35, 0.35)
        strength = rng.uniform(0.6, 1.0) * (1.2 if space else 1.0)
        ring.add(tape, place, burst(rng, 1800, 8000, rng.uniform(0.01, 0.02), 0.0004), 0.5 * strength, pan)
        bottom = place + round(rng.uniform(0.012, 0.02) * RATE)
        plate = struck([(body, 1.0, 0.05), (2.6 * body, 0.5, 0.03), (5.1 * body, 0.3, 0.02)], 0.0008)
        ring.add(tape, bottom, plate, 0.6 * strength, pan)
        ring.add(tape, bottom, burst(rng, 900, 5000, 0.018, 0.0004), 0.6 * strength, pan)
        ring.add(tape, bottom + round(rng.uniform(0.05, 0.09) * RATE), burst(rng, 2200, 9000, 0.012, 0.0004), 0.25 * strength, pan)
        left -= 1
        at += rng.uniform(0.09, 0.2)
        if space:
            left = int(rng.integers(2, 9))
            at += rng.exponential(0.12) if rng.random() < 0.8 else rng.uniform(0.4, 1.1)
    return ring.room(tape, 0.3, 0.25, 5000.0)
