"""A small modern GAN: residual networks without normalisation, made for a processor.

Huang et al. 2024 (R3GAN, arXiv 2501.05441) show that with a well-behaved loss (`losses_gan`: relativistic, R1 and R2)
plain residual networks suffice. Kept from StyleGAN (Karras et al. 2019, arXiv 1812.04948) is the mapping network, whose
latents steer each level by themselves: truncation and style mixing live there. Pixels of the finest level are folded into
channels (Shi et al. 2016), since on a processor the finest level costs most and says least.
"""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.2
COARSEST = 4
"""Pixels a side of the coarsest level."""


@dataclass(frozen=True)
class GanShape:
    """`size` pixels a side (a power of two from 16) and `channels` of a picture; `width` channels at half the size, twice
    as many at each coarser level up to `widest`; `latent` numbers of z and w."""

    size: int = 64
    channels: int = 3
    width: int = 32
    widest: int = 256
    latent: int = 128

    def config(self) -> dict[str, Any]:
        """As a model's `config.json`."""
        return {"model_type": "mofang-gan", **asdict(self)}

    @property
    def widths(self) -> list[int]:
        """Channels of each level, the coarsest (4×4) first, the finest at half the picture's size last."""
        levels = (self.size // 2 // COARSEST).bit_length()
        return [min(self.width << (levels - 1 - level), self.widest) for level in range(levels)]


def _conv(inputs: int, outputs: int, kernel: int = 3, gain: float = 1.0) -> nn.Conv2d:
    """A convolution with He initialisation for the leaky rectifier before it (He et al. 2015), times `gain`."""
    conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
    nn.init.kaiming_normal_(conv.weight, SLOPE)
    with torch.no_grad():
        conv.weight.mul_(gain)
        conv.bias.zero_()  # type: ignore[union-attr]
    return conv


def _unfolding(inputs: int, outputs: int, gain: float) -> nn.Conv2d:
    """A convolution whose channels become four pixels each, begun alike for all four: as enlarging does, without a
    pattern (Aitken et al. 2017, arXiv 1707.02937)."""
    conv = _conv(inputs, 4 * outputs, 3, gain)
    with torch.no_grad():
        conv.weight.copy_(conv.weight[::4].repeat_interleave(4, 0))
    return conv


class Styled(nn.Module):
    """(x + conv(act(conv(act(x)) · (1 + s) + b))) / √2, where s and b are what a latent w says to these channels."""

    def __init__(self, width: int, latent: int) -> None:
        super().__init__()
        self.one, self.two = _conv(width, width), _conv(width, width)
        self.style = nn.Linear(latent, 2 * width)
        nn.init.normal_(self.style.weight, std=latent**-0.5)
        nn.init.zeros_(self.style.bias)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        scale, shift = self.style(w)[:, :, None, None].chunk(2, 1)
        hidden = self.one(F.leaky_relu(x, SLOPE)) * (1 + scale) + shift
        out: Tensor = (x + self.two(F.leaky_relu(hidden, SLOPE))) * 0.5**0.5
        return out


class Mapping(nn.Module):
    """z (B, latent) of the normal distribution → w (B, latent)."""

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(latent, latent), nn.Linear(latent, latent)

    def forward(self, z: Tensor) -> Tensor:
        z = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)
        w: Tensor = self.two(F.leaky_relu(self.one(z), SLOPE))
        return w * torch.rsqrt(w.square().mean(1, keepdim=True) + 1e-8)


class Generator(nn.Module):
    """Latents z (B, latent) → pictures (B, channels, size, size), about -1..1 (not bounded: show them clipped)."""

    def __init__(self, shape: GanShape) -> None:
        super().__init__()
        self.shape = shape
        widths = shape.widths
        self.levels = len(widths)
        self.mapping = Mapping(shape.latent)
        self.start = nn.Parameter(torch.randn(1, widths[0], COARSEST, COARSEST))
        self.first = nn.Linear(shape.latent, widths[0])
        self.blocks = nn.ModuleList(Styled(width, shape.latent) for width in widths)
        self.rise = nn.ModuleList(_conv(a, b, 1) for a, b in pairwise(widths))
        self.leave = _unfolding(widths[-1], shape.channels, gain=0.5)

    def forward(self, z: Tensor) -> Tensor:
        w = self.mapping(z)
        return self.synthesis(w[:, None].expand(-1, self.levels, -1))

    def synthesis(self, w: Tensor) -> Tensor:
        """Pictures of a latent for each level, (B, levels, latent): the coarsest first."""
        x = self.start + self.first(w[:, 0])[:, :, None, None]
        for level, block in enumerate(self.blocks):
            if level:
                x = F.interpolate(self.rise[level - 1](x), scale_factor=2.0, mode="bilinear")
            x = block(x, w[:, level])
        return F.pixel_shuffle(self.leave(F.leaky_relu(x, SLOPE)), 2)


class Residual(nn.Module):
    """(x + conv(act(conv(act(x))))) / √2."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one, self.two = _conv(width, width), _conv(width, width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = (x + self.two(F.leaky_relu(self.one(F.leaky_relu(x, SLOPE)), SLOPE))) * 0.5**0.5
        return out


class Discriminator(nn.Module):
    """Pictures (B, channels, size, size) → logits (B,): how real each seems.

    A last channel says how much the pictures of a batch differ (minibatch standard deviation, Karras et al. 2018,
    arXiv 1710.10196, section 3), so that a generator of one picture is found out.
    """

    def __init__(self, shape: GanShape) -> None:
        super().__init__()
        widths = shape.widths[::-1]
        self.enter = _conv(4 * shape.channels, widths[0])
        self.blocks = nn.ModuleList(Residual(width) for width in widths)
        self.widen = nn.ModuleList(_conv(a, b, 1) for a, b in pairwise(widths))
        self.gather = _conv(widths[-1] + 1, widths[-1])
        self.leave = nn.Linear(widths[-1] * COARSEST**2, 1)
        nn.init.normal_(self.leave.weight, std=(widths[-1] * COARSEST**2) ** -0.5)
        nn.init.zeros_(self.leave.bias)

    def forward(self, pictures: Tensor) -> Tensor:
        x = self.enter(F.pixel_unshuffle(pictures, 2))
        for level, block in enumerate(self.blocks):
            if level:
                x = F.avg_pool2d(self.widen[level - 1](x), 2)
            x = block(x)
        spread = x.float().var(0, correction=0).add(1e-8).sqrt().mean()
        x = torch.cat([x, spread.to(x.dtype).expand(x.size(0), 1, COARSEST, COARSEST)], 1)
        x = F.leaky_relu(self.gather(F.leaky_relu(x, SLOPE)), SLOPE)
        logits: Tensor = self.leave(x.flatten(1)).float().squeeze(1)
        return logits
