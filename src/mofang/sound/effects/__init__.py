"""Sound effects by synthesis, one a file: seeded, of any length, and every one can be looped."""

from importlib import import_module

import numpy as np

from mofang.sound.effects.ring import RATE, Floats, Ring
from mofang.studio.errors import UserError

EFFECTS = {
    "rain": ("雨", -30.0), "wind": ("风", -30.0), "waves": ("海浪", -28.0), "stream": ("溪流", -30.0), "fire": ("火", -30.0),
    "thunder": ("雷", -24.0), "birds": ("鸟鸣", -32.0), "crickets": ("虫鸣", -34.0), "bell": ("钟", -26.0),
    "clock": ("时钟", -36.0), "footsteps": ("脚步", -32.0), "door": ("门", -28.0), "heartbeat": ("心跳", -28.0),
    "typing": ("打字", -34.0), "train": ("火车", -26.0), "crowd": ("人群", -28.0),
}  # fmt: skip
"""Name → what it is in Chinese, and its natural level (RMS in dB full scale; those of single events peak higher)."""
LONGEST = 3600.0
TURN = 120.0
"""Seconds of a ring at most: what lasts longer goes round."""


def effect(name: str, seconds: float, seed: int = 0) -> Floats:
    """Stereo (round(seconds · 48000), 2) whose end runs into its start. Raises `UserError` for a name or length there is not."""
    if name not in EFFECTS:
        raise UserError(f"there is no sound effect '{name[:30]}'; choose one of: {', '.join(EFFECTS)}")
    if not 0.5 <= seconds <= LONGEST:
        raise UserError(f"an effect of {seconds:g} s cannot be made; give 0.5 to {LONGEST:g}")
    turns = int(np.ceil(seconds / TURN))
    length = round(seconds * RATE)
    ring = Ring(-(-length // turns), np.random.default_rng([seed, *name.encode()]))
    tape = getattr(import_module(f"mofang.sound.effects.{name}"), name)(ring)
    tape = tape - tape.mean(0, dtype=np.float64).astype(np.float32)  # thuds leave a pressure behind, which nobody hears
    level = float(np.sqrt(np.square(tape, dtype=np.float64).mean()))
    gain = min(10 ** (EFFECTS[name][1] / 20) / max(level, 1e-9) * 2, 0.9 / max(float(np.abs(tape).max()), 1e-9))
    return np.tile(np.asarray(tape * np.float32(gain), np.float32), (turns, 1))[:length]
