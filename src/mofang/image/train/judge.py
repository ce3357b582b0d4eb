"""What held-out pictures say of a generator while it trains: KID, diversity, and a word when it makes one picture only."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mofang.image.data import Split
from mofang.image.measure.features import Features, features, filters
from mofang.image.measure.kid import diversity, kid
from mofang.studio.words import say

COLLAPSED = 0.2
"""Diversity under which a generator counts as collapsed: a fifth of what real pictures differ."""
FEWEST = 16
"""Held-out pictures under which KID is measured against training pictures instead."""
MOST = 512


class Judge:
    """Compares generated pictures with held-out ones; features are made once. `honest`: against held-out pictures."""

    def __init__(self, pictures: Split, held_out: Split) -> None:
        known = np.concatenate(list(pictures.batches(256, MOST)))
        self._net = filters(known)
        self.honest = len(held_out) >= FEWEST
        chosen = np.concatenate(list(held_out.batches(256, 4 * MOST))) if self.honest else known
        self._reference: Features = features(self._net, chosen)
        self.count = max(64, min(MOST, 4 * len(chosen)))

    def measure(self, make: Callable[[int], NDArray[np.uint8]]) -> dict[str, float]:
        """`loss`: KID × 1000 of `make(count)` against the reference; `diversity` as a share of the reference's."""
        made = features(self._net, make(self.count))
        if not np.isfinite(made).all():
            return {"loss": float("nan"), "diversity": 0.0}
        return {"loss": 1000 * kid(made, self._reference), "diversity": diversity(made, self._reference)}

    def spread(self, pictures: NDArray[np.uint8]) -> float:
        """The diversity of these pictures."""
        return diversity(features(self._net, pictures), self._reference)


def warning(spread: float) -> str:
    """What to tell the creator of a generator whose diversity is `spread`; empty if nothing."""
    if spread >= COLLAPSED:
        return ""
    return say(
        f"mode collapse: the pictures differ only {spread:.0%} as much as real ones; try --gamma higher, --lr lower, "
        "--loss relativistic or a larger --batch; the model is made of the best checkpoint",
        f"模式坍塌：生成图之间的差异只有真实图的 {spread:.0%}；可调高 --gamma、调低 --lr、用 --loss relativistic、加大 --batch；"
        "模型取自最佳检查点",
    )  # fmt: skip


def as_bytes(pictures: Tensor) -> NDArray[np.uint8]:
    """(B, 3 or 4, H, W) in -1..1, premultiplied, as (B, H, W, C) bytes with straight alpha, as a dataset has them."""
    x = (pictures.detach().float().cpu() / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1)
    if x.size(-1) == 4:
        x = torch.cat([(x[..., :3] / x[..., 3:].clamp(min=1e-3)).clamp(0, 1), x[..., 3:]], -1)
    out: NDArray[np.uint8] = x.mul(255).round().to(torch.uint8).numpy()
    return out
