"""The variational autoencoder.

Kingma & Welling 2014, "Auto-Encoding Variational Bayes" (arXiv 1312.6114): maximise the evidence lower bound, equation 3,
ELBO = E_q(z|x)[log p(x|z)] − KL(q(z|x) ‖ p(z)), with q a diagonal normal distribution, sampled by reparametrisation
(equation 4), and the divergence in closed form (appendix B). p(x|z) is normal with one learned deviation for all pixels (Rybkin et
al. 2021, "Simple and Effective VAE Training with Calibrated Decoders", arXiv 2006.13202), so that neither term needs a weight.
"""

import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mofang.image.nets.latent import Residual

COARSEST = 4


@dataclass(frozen=True)
class VaeShape:
    """`size` pixels a side (a power of two from 16), `channels` of a picture, `width` channels at half the size, twice as
    many at each coarser level up to `widest`; `latent` numbers of z."""

    size: int = 64
    channels: int = 3
    width: int = 32
    widest: int = 256
    latent: int = 64

    def config(self) -> dict[str, Any]:
        """As a model's `config.json`."""
        return {"model_type": "mofang-vae", **asdict(self)}

    @property
    def widths(self) -> list[int]:
        """Channels of each level, at half the size first, at 4×4 last."""
        levels = (self.size // 2 // COARSEST).bit_length()
        return [min(self.width << level, self.widest) for level in range(levels)]


class Vae(nn.Module):
    """Pictures (B, channels, size, size) in -1..1 ↔ z (B, latent)."""

    def __init__(self, shape: VaeShape) -> None:
        super().__init__()
        self.shape = shape
        widths = shape.widths
        flat = widths[-1] * COARSEST**2
        down: list[nn.Module] = [nn.PixelUnshuffle(2), nn.Conv2d(4 * shape.channels, widths[0], 3, padding=1)]
        for narrow, wide in pairwise(widths):
            down += [Residual(narrow), nn.Conv2d(narrow, wide, 4, 2, 1)]
        self.encoder = nn.Sequential(*down, Residual(widths[-1]), nn.SiLU(), nn.Flatten(), nn.Linear(flat, 2 * shape.latent))
        up: list[nn.Module] = [nn.Linear(shape.latent, flat), nn.Unflatten(1, (widths[-1], COARSEST, COARSEST)), Residual(widths[-1])]
        for wide, narrow in pairwise(widths[::-1]):
            up += [nn.Conv2d(wide, 4 * narrow, 1), nn.PixelShuffle(2), Residual(narrow)]
        self.decoder = nn.Sequential(*up, nn.SiLU(), nn.Conv2d(widths[0], 4 * shape.channels, 3, padding=1), nn.PixelShuffle(2))
        self.log_deviation = nn.Parameter(torch.tensor(-1.0))

    def encode(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z|x), each (B, latent)."""
        mean, logvar = self.encoder(pictures).float().chunk(2, 1)
        return mean, logvar.clamp(-12, 8)

    def decode(self, z: Tensor) -> Tensor:
        """The mean of p(x|z), (B, channels, size, size)."""
        pictures: Tensor = self.decoder(z)
        return pictures

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruction from a sampled z, mean and log-variance."""
        mean, logvar = self.encode(pictures)
        z = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
        return self.decode(z).float(), mean, logvar


def divergence(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mean, exp logvar) ‖ N(0, 1)) of each picture, (B,), in nats: −½ Σ (1 + logvar − mean² − exp logvar)."""
    return -0.5 * (1 + logvar - mean.square() - logvar.exp()).sum(1)


def log_likelihood(pictures: Tensor, mean: Tensor, log_deviation: Tensor) -> Tensor:
    """log N(pictures; mean, exp(2 log_deviation)) of each picture, (B,), in nats, summed over its pixels."""
    error = F.mse_loss(mean, pictures, reduction="none").flatten(1)
    constant = log_deviation + 0.5 * math.log(2 * math.pi)
    return -(0.5 * error * torch.exp(-2 * log_deviation) + constant).sum(1)


def elbo(pictures: Tensor, again: Tensor, mean: Tensor, logvar: Tensor, log_deviation: Tensor, beta: float = 1.0) -> Tensor:
    """The bound of each picture, (B,), in nats; `beta` weighs the divergence (Higgins et al. 2017; 1: the bound itself)."""
    return log_likelihood(pictures, again, log_deviation) - beta * divergence(mean, logvar)
