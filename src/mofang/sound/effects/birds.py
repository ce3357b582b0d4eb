"""Birds: songs of syllables, each a pitch that sweeps and trills, from a few places in the trees."""

import numpy as np

from mofang.sound.effects.ring import RATE, Floats, Ring


def birds(ring: Ring) -> Floats:
    """Four singers, each with its own song, now and then."""
    rng = ring.rng
    tape = ring.silence()
    for _ in range(4):
        song = _song(rng)
        pan, gain = rng.uniform(-0.9, 0.9), rng.uniform(0.25, 1.0)
        for _, at in ring.every(rng.uniform(2.6, 5.5), min(1.0, ring.seconds / 6)):
            if rng.random() < 0.8:
                ring.add(tape, at, song, gain * rng.uniform(0.7, 1.0), pan)
    tape = ring.room(tape, 0.9, 0.35, 6000.0)
    leaves = ring.wide(((200, -30), (1000, -8), (3000, 0), (8000, -8)), 0.3)
    leaves *= (1 + 0.3 * ring.wander(0.1, 0.8))[:, None].astype(np.float32)
    return np.asarray(tape + leaves * np.float32(0.06 * float(tape.std())), np.float32)


def _song(rng: np.random.Generator) -> Floats:
    """Two motifs of one syllable each, repeated."""
    parts: list[Floats] = []
    base = rng.uniform(2200, 5200)
    for _ in range(int(rng.integers(1, 4))):
        pitch = base * 2 ** rng.uniform(-0.35, 0.35)
        sweep, trill, speed = rng.uniform(-0.5, 0.5), rng.choice([0.0, 0.0, 0.06, 0.12]), rng.uniform(22, 45)
        length = rng.uniform(0.05, 0.18)
        gap = np.zeros(round(rng.uniform(0.03, 0.12) * RATE), np.float32)
        time = np.arange(round(length * RATE)) / RATE
        x = time / length
        hertz = pitch * 2 ** (sweep * x + 0.15 * np.sin(np.pi * x) + trill * np.sin(2 * np.pi * speed * time))
        phase = 2 * np.pi * np.cumsum(hertz) / RATE
        shape = np.sin(np.pi * x) ** 0.7 * (1 - 0.4 * x)
        note = ((np.sin(phase) + 0.12 * np.sin(2 * phase)) * shape).astype(np.float32)
        for _ in range(int(rng.integers(2, 6))):
            parts += [note, gap]
    return np.concatenate(parts)
