"""A train from inside: the rumble of the floor, air along the windows, and the joints of the rails, two axles at a time."""

import numpy as np

from mofang.sound.effects.ring import RATE, Floats, Ring, burst, struck


def train(ring: Ring) -> Floats:
    """About eighty kilometres an hour over jointed track."""
    rng = ring.rng
    sway = (10 ** (1.8 * ring.wander(0.1, 1.0) / 20))[:, None].astype(np.float32)
    rumble = ring.wide(((20, -14), (40, 0), (110, -1), (260, -9), (900, -24), (5000, -48)), 0.7) * sway
    air = ring.wide(((200, -18), (700, 0), (1800, -5), (6000, -22)), 0.4) * np.float32(0.16) * sway
    tape = rumble * np.float32(0.5) + air
    axle, bogie = 0.11, 0.62  # seconds between axles of a bogie, and between the two bogies at a joint
    for _, at in ring.every(1.15):
        for delay, gain in ((0.0, 1.0), (axle, 0.85), (bogie, 0.7), (bogie + axle, 0.6)):
            place = at + round((delay + rng.uniform(-0.003, 0.003)) * RATE)
            clack = struck([(72, 1.0, 0.16), (128, 0.8, 0.12), (340, 0.5, 0.07), (910, 0.35, 0.04), (1730, 0.25, 0.03)], 0.0015)
            ring.add(tape, place, clack, 9.0 * gain * rng.uniform(0.85, 1.0), -0.1)
            ring.add(tape, place, burst(rng, 400, 3500, 0.05, 0.001), 3.5 * gain, 0.1)
    return np.asarray(tape, np.float32)
