"""Learned or copied: a rule anyone can check.

Real text copies too: set phrases, quotations, titles. So the samples are held against held-out text of the same lengths (the
floor), which the model has never seen and its author did not copy from the works.

- **copied**: at least half of what the model writes stands in the works, or it ends at least half more of its training texts by
  heart than of held-out texts.
- **leaning**: the samples' share is above the floor by more than 2 points with 95 % confidence (bootstrap over texts, Efron
  1979), or it ends at least 5 points more of its training texts by heart.
- **learned**: neither; **little** instead if the model foretells held-out text hardly better than token frequencies or
  plain chance do, since noise copies nothing either.
- **unknown**: less than half is copied, and there is no held-out text to compare with, there are fewer than ten samples, or the
  corpus is not the one that the model's card names.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

Verdict = Literal["learned", "little", "leaning", "copied", "unknown"]
FEWEST = 10
MARGIN = 0.02
MOST_COPIED = 0.5
BY_HEART = 0.05


def verdict(shares: Sequence[float], floor: Sequence[float], by_heart: float = 0.0, seed: int = 0) -> Verdict:
    """The verdict on samples with these copied shares, one for each text, against those of held-out texts. `by_heart` is the
    share of training texts ended exactly minus that of held-out texts."""
    if (len(shares) and np.mean(shares) >= MOST_COPIED) or by_heart >= MOST_COPIED:
        return "copied"
    if len(shares) < FEWEST or not len(floor):
        return "unknown"
    low, _ = difference(shares, floor, seed)
    return "leaning" if low > MARGIN or by_heart >= BY_HEART else "learned"


def difference(shares: Sequence[float], floor: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """The 95 % bootstrap interval (2,000 draws) of the difference of the two means."""
    rng = np.random.default_rng(seed)
    ours, theirs = np.asarray(shares, float), np.asarray(floor, float)
    drawn = (ours[rng.integers(len(ours), size=(2000, len(ours)))].mean(1)
             - theirs[rng.integers(len(theirs), size=(2000, len(theirs)))].mean(1))  # fmt: skip
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)
