"""Pictures to make films of, painted from a seed: layered hills under a sky, with the grain of a photograph."""

import numpy as np
from numpy.typing import NDArray

SKIES = [
    ((22, 30, 74), (92, 80, 140), (238, 168, 140)), ((120, 182, 232), (176, 214, 240), (250, 240, 214)),
    ((8, 12, 36), (20, 30, 70), (48, 62, 108)), ((236, 196, 150), (246, 220, 182), (252, 242, 224)),
    ((214, 226, 236), (232, 238, 244), (250, 250, 250)), ((60, 110, 120), (140, 180, 160), (240, 226, 170)),
]  # fmt: skip


def landscape(seed: int, width: int, height: int) -> NDArray[np.uint8]:
    """RGB (height, width, 3): a sky, a sun or moon, five ridges, haze between them, grain."""
    import cv2

    rng = np.random.default_rng(seed)
    sky = np.array(SKIES[seed % len(SKIES)], np.float32)
    rows = np.linspace(0, 1, height, dtype=np.float32)
    at = np.minimum(rows / 0.62, 1)
    column = np.stack([np.interp(at, (0, 0.55, 1), sky[:, c]) for c in range(3)], 1)
    image = np.repeat(column[:, None], width, 1).astype(np.float32)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    short = min(width, height)
    cx, cy, radius = rng.uniform(0.25, 0.75) * width, rng.uniform(0.14, 0.3) * height, short * rng.uniform(0.06, 0.1)
    distance = np.hypot(x - cx, y - cy)
    image += (np.exp(-distance / (short * 0.28)) * 70)[..., None]
    image += np.clip(radius - distance + 0.5, 0, 1)[..., None] * (np.array((255, 246, 222)) - image)
    ground = sky.mean(0) * 0.25 + rng.uniform(0, 50, 3)
    for ridge in range(5):
        depth = (ridge + 1) / 5
        line = np.full(width, 0.50 + 0.11 * ridge, np.float32)
        for octave in range(1, 7):
            phase, wave = rng.uniform(0, 7), 2.0**octave * rng.uniform(0.5, 1)
            line += np.sin(np.arange(width) / width * wave * 3 + phase) * (0.07 + 0.02 * depth) / 1.8**octave
        colour = sky[2] * (1 - depth) * 0.75 + ground * (0.3 + 0.7 * depth)
        below = np.clip(y - line[None] * height + 0.5, 0, 1)[..., None]
        shade = 1 - 0.35 * np.clip((y - line[None] * height) / (0.3 * height), 0, 1)[..., None]
        image += below * (colour * shade - image)
    grain = cv2.GaussianBlur(rng.normal(0, 9, (height, width, 3)).astype(np.float32), (0, 0), 1.2)
    return np.clip(image + grain * 0.7, 0, 255).astype(np.uint8)
