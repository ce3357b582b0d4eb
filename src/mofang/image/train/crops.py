"""Parts of pictures to learn from: random ones at random places, in every way that leaves a photograph a photograph."""

import numpy as np
from numpy.typing import NDArray

from mofang.image.data import Split


def crops(pictures: Split, count: int, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(count, side, side, 3) of random pictures at random places, turned and mirrored, colours exchanged."""
    whole = pictures.take(rng.integers(len(pictures), size=count))[..., :3]
    out = np.empty((len(whole), side, side, 3), np.uint8)
    for number, picture in enumerate(whole):
        y, x = rng.integers(0, pictures.size - side + 1, 2)
        part = np.rot90(picture[y : y + side, x : x + side], int(rng.integers(4)))
        out[number] = (part[:, ::-1] if rng.random() < 0.5 else part)[..., rng.permutation(3)]
    return out
