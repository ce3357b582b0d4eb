"""Whether a generator makes pictures or hands out its training set.

A new picture is about as far from the nearest training picture as a held-out one is, since both are new. The threshold is
the distance under which only `EXPECTED` of held-out pictures come; the copy rate is the share of generated pictures
nearer than that. A generator as new as the held-out pictures scores `EXPECTED`; one that recites scores towards 1.
Distances are between features (`measure.features`), over the training pictures and their mirror images.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mofang.image.data import Pictures as Dataset
from mofang.image.measure.features import Filters, features, filters

Pictures = NDArray[np.uint8]

EXPECTED = 0.05
MOST = 20_000
"""Pictures of a dataset that are looked at, at most."""
FEWEST = 8
"""Held-out pictures under which no threshold can be set."""


@dataclass(frozen=True)
class Copying:
    """`rate` of the generated pictures copy; `threshold` is a distance; `distances` and `nearest` (numbers of training
    pictures) are of each generated picture; `held_out` are the distances of held-out pictures."""

    rate: float
    threshold: float
    distances: NDArray[np.float32]
    nearest: NDArray[np.int64]
    held_out: NDArray[np.float32]


class Index:
    """The training pictures by their features, to find the nearest among."""

    def __init__(self, net: Filters, pictures: Pictures) -> None:
        self.net = net
        self._features = features(net, pictures)
        self._mirrored = features(net, np.ascontiguousarray(pictures[:, :, ::-1]))

    def nearest(self, pictures: Pictures) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Distance (N,) to and number (N,) of the nearest training picture, as it is or mirrored."""
        asked = features(self.net, pictures)
        best = np.full(len(asked), np.inf, np.float32)
        which = np.zeros(len(asked), np.int64)
        norms = (asked * asked).sum(1)[:, None]
        for known in (self._features, self._mirrored):
            # In blocks: the whole table of distances to 20,000 pictures would be large.
            for start in range(0, len(known), 2048):
                block = known[start : start + 2048]
                distance = np.maximum(norms - 2 * asked @ block.T + (block * block).sum(1), 0)
                place = distance.argmin(1)
                closer = distance[np.arange(len(asked)), place]
                which = np.where(closer < best, start + place, which)
                best = np.minimum(best, closer)
        return np.sqrt(best), which


def learned(data: Dataset) -> tuple[Index, Pictures]:
    """The training pictures of a dataset, `MOST` at most, and their index."""
    train = np.concatenate(list(data.split("train").batches(256, MOST)))
    return Index(filters(train), train), train


def copying(index: Index, generated: Pictures, held_out: Pictures) -> Copying:
    """How much of `generated` (N, size, size, channels) is nearer to the training set than held-out pictures are.

    With fewer than `FEWEST` held-out pictures there is no threshold, and the rate is not a number.
    """
    distances, nearest = index.nearest(generated)
    others = index.nearest(held_out)[0] if len(held_out) else np.zeros(0, np.float32)
    threshold = too_near(others)
    rate = float("nan") if np.isnan(threshold) else float((distances < threshold).mean())
    return Copying(rate, threshold, distances, nearest, others)


def too_near(held_out: NDArray[np.float32]) -> float:
    """The distance under which a picture copies, from those of held-out pictures; not a number if there are too few."""
    return float(np.quantile(held_out, EXPECTED)) if len(held_out) >= FEWEST else float("nan")
