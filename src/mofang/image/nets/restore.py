"""A small network that enlarges: residual convolutions at the small size, pixels shuffled out at the end.

The body is EDSR's (Lim et al. 2017, arXiv 1707.02921), without normalisation and tiny; enlarging is sub-pixel convolution
(Shi et al. 2016, arXiv 1609.05158); what the network adds, it adds to the pixels repeated. One body serves every factor,
each with a last layer of its own (MDSR, in Lim et al.).
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class RestoreShape:
    """`width` channels, `blocks` residual blocks, and the `factors` it enlarges by."""

    width: int = 48
    blocks: int = 4
    factors: tuple[int, ...] = (2, 4)

    def config(self) -> dict[str, Any]:
        """As a model's `config.json`."""
        return {"model_type": "mofang-restore", **asdict(self), "factors": list(self.factors)}

    @classmethod
    def of(cls, config: dict[str, Any]) -> "RestoreShape":
        """The shape in a `config.json`."""
        return cls(config["width"], config["blocks"], tuple(config["factors"]))


class Block(nn.Module):
    """x + conv(relu(conv(x))), the last convolution beginning at zero. (B, C, H, W) → the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(width, width, 3, padding=1)
        self.two = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.two.weight)
        nn.init.zeros_(self.two.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.two(F.relu(self.one(x)))
        return out


class Restore(nn.Module):
    """Pictures (B, 3, H, W) in 0..1 and a factor r → (B, 3, r·H, r·W)."""

    def __init__(self, shape: RestoreShape) -> None:
        super().__init__()
        self.shape = shape
        self.enter = nn.Conv2d(3, shape.width, 3, padding=1)
        self.blocks = nn.ModuleList(Block(shape.width) for _ in range(shape.blocks))
        self.leave = nn.ModuleDict({str(factor): nn.Conv2d(shape.width, 3 * factor**2, 3, padding=1) for factor in shape.factors})
        for layer in self.leave.values():
            nn.init.zeros_(layer.weight)  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, pictures: Tensor, factor: int) -> Tensor:
        features = entered = self.enter(pictures - 0.5)
        for block in self.blocks:
            features = block(features)
        out: Tensor = F.pixel_shuffle(self.leave[str(factor)](features + entered), factor)
        return out + F.interpolate(pictures, scale_factor=factor, mode="nearest")
