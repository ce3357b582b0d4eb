"""A small network that repairs: holes, noise and JPEG's traces in one, told what is wrong and where.

A U-Net of residual convolutions without normalisation (DRUNet; Zhang et al. 2021, arXiv 2008.13751) at half the picture's
size, pixels shuffled in and out (FFDNet; Zhang, Zuo & Zhang 2018, arXiv 1710.04026), from which the maps beside the picture
are too: one set of weights serves every strength. What the network finds, it adds to the picture it was given.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mofang.image.nets.restore import Block

MAPS = 3
"""Beside the picture: where it has holes (0 or 1), the noise's deviation, and the coarseness of JPEG's steps, all of 1."""
MULTIPLE = 8
"""The network's sides are multiples of this."""


@dataclass(frozen=True)
class RepairShape:
    """`width` channels at half the picture's size, half as many again at a quarter, twice as many at an eighth; `blocks`
    residual blocks at each, down and up."""

    width: int = 48
    blocks: int = 2

    def config(self) -> dict[str, Any]:
        """As a model's `config.json`."""
        return {"model_type": "mofang-repair", **asdict(self)}


class Repair(nn.Module):
    """Pictures (B, 3, H, W) in 0..1 whose holes hold a first guess, and maps (B, 3, H, W) → pictures (B, 3, H, W).

    H and W are multiples of eight.
    """

    def __init__(self, shape: RepairShape) -> None:
        super().__init__()
        self.shape = shape
        one, two, three = shape.width, shape.width * 3 // 2, shape.width * 2

        def body(width: int) -> nn.Sequential:
            return nn.Sequential(*(Block(width) for _ in range(shape.blocks)))

        self.enter = nn.Conv2d(4 * (3 + MAPS), one, 3, padding=1)
        self.down = nn.ModuleList([body(one), body(two), body(three)])
        self.shrink = nn.ModuleList([nn.Conv2d(one, two, 2, stride=2), nn.Conv2d(two, three, 2, stride=2)])
        self.up = nn.ModuleList([body(two), body(one)])
        self.grow = nn.ModuleList([nn.ConvTranspose2d(three, two, 2, stride=2), nn.ConvTranspose2d(two, one, 2, stride=2)])
        self.leave = nn.Conv2d(one, 12, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, pictures: Tensor, maps: Tensor) -> Tensor:
        x = self.enter(F.pixel_unshuffle(torch.cat([pictures - 0.5, maps], 1), 2))
        beside = []
        for body, shrink in zip(self.down[:2], self.shrink, strict=True):
            x = body(x)
            beside.append(x)
            x = shrink(x)
        x = self.down[2](x)
        for grow, body in zip(self.grow, self.up, strict=True):
            x = body(grow(x) + beside.pop())
        out: Tensor = pictures + F.pixel_shuffle(self.leave(x), 2)
        return out
