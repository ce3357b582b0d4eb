"""Wind: broad noise whose strength and brightness rise and fall together, and edges that whistle in the gusts."""

import numpy as np

from mofang.sound.effects.ring import Floats, Ring, band


def wind(ring: Ring) -> Floats:
    """Gusts over a steady breath."""
    gust = 0.75 * ring.wander(0.04, 0.25) + 0.35 * ring.wander(0.3, 1.2)
    tape = ring.silence()
    # The faster it blows, the higher it reaches: each band of noise comes in at its own strength.
    for number, (low, high) in enumerate(((60, 160), (150, 320), (300, 650), (600, 1300), (1200, 3000))):
        strength = 10 ** ((-5.0 * number + (4.0 + 2.2 * number) * gust) / 20)
        tape += ring.wide(band(low, high, 9.0), 0.4) * np.minimum(strength, 2.0)[:, None].astype(np.float32)
    for centre, pan in ((420.0, -0.5), (610.0, 0.4)):
        # A whistle: noise carried to a pitch that follows the wind's speed (Aeolian tones, f ∝ v).
        slow = ring.noise(((1, 0), (12, 0), (40, -40), (200, -80)))
        turn = centre * 2 ** (0.35 * gust + 0.04 * ring.wander(0.5, 2))
        cycles = np.cumsum(turn) / 48_000
        cycles *= np.round(cycles[-1]) / cycles[-1]  # whole turns, for the ring
        voice = slow * np.sin(2 * np.pi * cycles) * np.clip(gust - 0.4, 0, 2) * 0.22
        ring.add(tape, 0, voice.astype(np.float32), 1.0, pan)
    return tape
