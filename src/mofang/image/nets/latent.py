"""A picture as a small grid of numbers and back: the autoencoder under latent flow and diffusion models.

Rombach et al. 2022, "High-Resolution Image Synthesis with Latent Diffusion Models" (arXiv 2112.10752), section 3.1: a
convolutional encoder and decoder whose latents a slight Kullback–Leibler term keeps near the normal distribution.
Pixels are folded into channels before the first convolution (Shi et al. 2016), where most of the time would go.
There is no normalisation: branches that begin at zero need none (Zhang et al. 2019, Fixup), and on a processor it costs
as much as a convolution.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FOLD = 8
"""Pixels along a side of what one latent stands for."""


@dataclass(frozen=True)
class LatentShape:
    """`channels` of a picture (3, or 4 with premultiplied alpha), of a latent, and of the convolutions at an eighth of
    the picture's size; a fourth and a half have half and a quarter of those."""

    channels: int = 4
    latent: int = 6
    width: int = 192
    blocks: int = 2

    def config(self) -> dict[str, Any]:
        """As a model's `config.json`."""
        return {"model_type": "mofang-latent", **asdict(self)}


class Residual(nn.Module):
    """x + conv(silu(conv(silu(x)))), the last convolution beginning at zero. (B, C, H, W) → the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(width, width, 3, padding=1)
        self.two = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.two.weight)
        nn.init.zeros_(self.two.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.two(F.silu(self.one(F.silu(x))))
        return out


class LatentAutoencoder(nn.Module):
    """Pictures (B, channels, H, W) in -1..1 ↔ latents (B, latent, H/8, W/8)."""

    def __init__(self, shape: LatentShape) -> None:
        super().__init__()
        self.shape = shape
        wide, half, quarter = shape.width, shape.width // 2, shape.width // 4
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(4), nn.Conv2d(16 * shape.channels, half, 3, padding=1), Residual(half),
            nn.PixelUnshuffle(2), nn.Conv2d(4 * half, wide, 1), Residual(wide),
            nn.SiLU(), nn.Conv2d(wide, 2 * shape.latent, 3, padding=1),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Conv2d(shape.latent, wide, 3, padding=1), *[Residual(wide) for _ in range(shape.blocks)],
            nn.Conv2d(wide, 4 * half, 1), nn.PixelShuffle(2), *[Residual(half) for _ in range(shape.blocks)],
            nn.Conv2d(half, 4 * quarter, 1), nn.PixelShuffle(2), Residual(quarter),
            nn.SiLU(), nn.Conv2d(quarter, 4 * shape.channels, 3, padding=1), nn.PixelShuffle(2),
        )  # fmt: skip

    def encode(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of the latents, each (B, latent, H/8, W/8)."""
        mean, logvar = self.encoder(pictures).float().chunk(2, 1)
        return mean, logvar.clamp(-20, 10)

    def decode(self, latents: Tensor) -> Tensor:
        """Pictures (B, channels, H, W), about -1..1."""
        pictures: Tensor = self.decoder(latents)
        return pictures

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruction from a sampled latent, mean and log-variance."""
        mean, logvar = self.encode(pictures)
        latents = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
        return self.decode(latents), mean, logvar


def divergence(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mean, exp logvar) ‖ N(0, 1)), nats a latent number: Kingma & Welling 2014, appendix B."""
    return -0.5 * (1 + logvar - mean.square() - logvar.exp()).mean()


def premultiplied(pictures: Tensor) -> Tensor:
    """(B, H, W, C) bytes as (B, C, H, W) in -1..1, colours times alpha: what shows through has no colour to learn."""
    x = pictures.permute(0, 3, 1, 2).float() / 255
    if x.size(1) == 4:
        x = torch.cat([x[:, :3] * x[:, 3:], x[:, 3:]], 1)
    return x * 2 - 1
