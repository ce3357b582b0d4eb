"""All measures of one model against its dataset."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.image.data import Pictures
from mofang.image.measure.copies import EXPECTED, MOST, Copying, copying, learned
from mofang.image.measure.features import features
from mofang.image.measure.kid import diversity, kid
from mofang.image.sampler import Sampler
from mofang.studio.errors import UserError

SEED = 1_000_000
"""First of the seeds measured by: none of those a creator is likely to have looked at and chosen by."""


def measured(model: Path, data: Pictures, count: int = 512) -> dict[str, float]:
    """KID, its floor, diversity and copy rate of `count` pictures of the model in a folder. See `measure`."""
    sampler = Sampler(model)
    if (sampler.size, sampler.channels) != (data.size, data.channels):
        raise UserError(f"the model makes pictures of {sampler.size} pixels and {sampler.channels} channels, and {data.folder} has "
                        f"{data.size} and {data.channels}; give the dataset it was trained on")  # fmt: skip
    return measure(sampler.sample(range(SEED, SEED + count)), data)[0]


def measure(generated: NDArray[np.uint8], data: Pictures) -> tuple[dict[str, float], Copying]:
    """What `generated` (N, size, size, channels) is like beside the dataset.

    `kid` against held-out pictures and `kid_floor`, that of the training pictures: about the best there can be; `diversity`
    as a share of held-out pictures'; `copy_rate` beside `copy_expected`, that of new pictures (`measure.copies`). Where too
    few pictures are held out, KID is against training pictures, which reward copies, and the copy rate is missing.
    """
    index, train = learned(data)
    held_out = np.concatenate([*data.split("val").batches(256, MOST), train[:0]])
    made = features(index.net, generated)
    facts: dict[str, float] = {}
    reference = held_out if len(held_out) >= 2 else train
    known = features(index.net, reference)
    facts["kid"] = kid(made, known)
    if len(held_out) >= 2:
        chosen = np.random.default_rng(0).permutation(len(train))[:2000]
        facts["kid_floor"] = kid(features(index.net, train[chosen]), known)
    facts["diversity"] = diversity(made, known)
    found = copying(index, generated, held_out)
    if np.isfinite(found.rate):
        facts |= {"copy_rate": found.rate, "copy_expected": EXPECTED}
    return {name: round(value, 6) for name, value in facts.items()}, found
