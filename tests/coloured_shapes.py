"""A dataset small enough to learn in seconds: discs and squares of three colours, captioned in two languages."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from mofang.image.data import Pictures
from mofang.image.data.prepare import Preparing, prepare
from mofang.training.budget import parse
from mofang.training.loop import Plan

COLOURS = {"red": ("红色", (220, 40, 40)), "green": ("绿色", (40, 180, 60)), "blue": ("蓝色", (40, 70, 220))}


def shapes(folder: Path) -> Pictures:
    """Sixty pictures of 32 pixels, transparent around."""
    rng = np.random.default_rng(0)
    for number in range(60):
        name = list(COLOURS)[number % 3]
        chinese, colour = COLOURS[name]
        pixels = np.zeros((32, 32, 4), np.uint8)
        y, x = np.mgrid[:32, :32] - rng.integers(13, 19, (2, 1, 1))
        inside = x * x + y * y < rng.integers(60, 150) if number % 2 else np.maximum(abs(x), abs(y)) < rng.integers(7, 12)
        pixels[inside] = (*np.clip(np.array(colour) + rng.integers(-25, 25, 3), 0, 255), 255)
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
        caption = {"en": f"{name}, shape", "zh": f"{chinese}，形状", "style": "round" if number % 2 else "square", "subject": name}
        (folder / f"{number:02}.json").write_text(json.dumps(caption))
    return prepare([folder], folder / "data", Preparing(32, alpha=True, val=0.1, by_picture=True, crop=False, licence="own"))


def plan(budget: str, **settings: object) -> Plan:
    """A course that averages over few steps and looks twice."""
    return Plan(parse(budget), ema=0.95, validations=2, samples=1, **settings)
