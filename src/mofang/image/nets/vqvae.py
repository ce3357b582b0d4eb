"""The VQ-VAE, and the prior that its codes are drawn from.

van den Oord et al. 2017, "Neural Discrete Representation Learning" (arXiv 1711.00937): an encoder's vectors are replaced by
the nearest of a codebook (equation 1; `training.codebook`). Codes of new pictures come from an autoregressive prior over
them (section 3.3), here a small causal transformer.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mofang.image.nets.latent import Residual
from mofang.training.codebook import Codebook

FOLD = 8
"""Pixels a side of what one code stands for."""


@dataclass(frozen=True)
class VqShape:
    """`size` pixels a side (a multiple of 8), `channels` of a picture, `width` channels at an eighth of the size, `codes`
    entries of `latent` numbers; `layers`, `heads` and `prior` (width) of the prior."""

    size: int = 64
    channels: int = 3
    width: int = 128
    latent: int = 32
    codes: int = 256
    layers: int = 3
    heads: int = 4
    prior: int = 128

    @property
    def places(self) -> int:
        """Codes of a picture."""
        return (self.size // FOLD) ** 2

    def config(self) -> dict[str, Any]:
        """As a model's `config.json`."""
        return {"model_type": "mofang-vqvae", **asdict(self), "places": self.places}


class VqVae(nn.Module):
    """Pictures (B, channels, size, size) in -1..1 ↔ codes (B, places), with the prior over them."""

    def __init__(self, shape: VqShape) -> None:
        super().__init__()
        self.shape = shape
        wide, half, quarter = shape.width, shape.width // 2, shape.width // 4
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(4), nn.Conv2d(16 * shape.channels, half, 3, padding=1), Residual(half),
            nn.Conv2d(half, wide, 4, 2, 1), Residual(wide), nn.SiLU(), nn.Conv2d(wide, shape.latent, 1),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Conv2d(shape.latent, wide, 3, padding=1), Residual(wide), nn.Conv2d(wide, 4 * half, 1), nn.PixelShuffle(2),
            Residual(half), nn.Conv2d(half, 4 * quarter, 1), nn.PixelShuffle(2), Residual(quarter), nn.SiLU(),
            nn.Conv2d(quarter, 4 * shape.channels, 3, padding=1), nn.PixelShuffle(2),
        )  # fmt: skip
        self.codebook = Codebook(shape.codes, shape.latent)
        self.prior = Prior(shape)

    def vectors(self, pictures: Tensor) -> Tensor:
        """(B × places, latent) before the codebook."""
        out: Tensor = self.encoder(pictures).float().permute(0, 2, 3, 1).reshape(-1, self.shape.latent)
        return out

    def encode(self, pictures: Tensor) -> Tensor:
        """Codes (B, places), row by row."""
        return self.codebook.nearest(self.vectors(pictures)).view(pictures.size(0), -1)

    def decode(self, codes: Tensor) -> Tensor:
        """Pictures of codes (B, places)."""
        return self._decode(self.codebook.entries[codes.flatten()])

    def _decode(self, vectors: Tensor) -> Tensor:
        side = self.shape.size // FOLD
        pictures: Tensor = self.decoder(vectors.view(-1, side, side, self.shape.latent).permute(0, 3, 1, 2))
        return pictures

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Reconstruction, codes (B, places), the vectors that chose them, and the commitment loss."""
        vectors = self.vectors(pictures)
        chosen, codes, commitment = self.codebook(vectors)
        return self._decode(chosen).float(), codes.view(pictures.size(0), -1), vectors, commitment


class Prior(nn.Module):
    """A causal transformer over a picture's codes, row by row."""

    def __init__(self, shape: VqShape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.words = nn.Embedding(shape.codes + 1, shape.prior)  # The last is what stands before the first code.
        self.place = nn.Parameter(torch.randn(shape.places, shape.prior) * 0.02)
        self.norms = nn.ModuleList(nn.LayerNorm(shape.prior) for _ in range(2 * shape.layers + 1))
        self.qkv = nn.ModuleList(nn.Linear(shape.prior, 3 * shape.prior) for _ in range(shape.layers))
        self.out = nn.ModuleList(nn.Linear(shape.prior, shape.prior) for _ in range(shape.layers))
        self.up = nn.ModuleList(nn.Linear(shape.prior, 4 * shape.prior) for _ in range(shape.layers))
        self.down = nn.ModuleList(nn.Linear(4 * shape.prior, shape.prior) for _ in range(shape.layers))
        self.head = nn.Linear(shape.prior, shape.codes)

    def forward(self, codes: Tensor) -> Tensor:
        """Logits (B, places, codes) of each code given those before it; `codes` are (B, places)."""
        start = torch.full_like(codes[:, :1], self.words.num_embeddings - 1)
        x = self.words(torch.cat([start, codes[:, :-1]], 1)) + self.place
        batch, places, width = x.shape
        later = torch.ones(places, places, dtype=torch.bool, device=x.device).triu(1)
        for layer, (qkv, out, up, down) in enumerate(zip(self.qkv, self.out, self.up, self.down, strict=True)):
            parts = qkv(self.norms[2 * layer](x)).view(batch, places, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            scores = parts[0] @ parts[1].transpose(-1, -2) * (width // self.heads) ** -0.5
            mixed = scores.masked_fill(later, -1e4).softmax(-1).to(parts.dtype) @ parts[2]
            x = x + out(mixed.transpose(1, 2).reshape(batch, places, width))
            x = x + down(F.gelu(up(self.norms[2 * layer + 1](x))))
        logits: Tensor = self.head(self.norms[-1](x))
        return logits
