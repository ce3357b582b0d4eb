"""Training a decoder further, from latents that are not quite right: a flow's never are.

A decoder that has only seen what its encoder writes draws every small error of the latents as a blotch. Shown latents with
noise and asked for the clean picture, it learns which pictures there are, and flat fills stay flat (noise-augmented
decoding: Zheng et al. 2025, arXiv 2510.11690). The encoder stays as it is, so that flows learned over its latents fit both
decoders.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mofang.image.data import Split
from mofang.image.nets.latent import LatentAutoencoder
from mofang.image.train.latent import CoderSettings, CoderTraining, difference, parts
from mofang.training.precision import autocast


@dataclass(frozen=True)
class DecoderSettings(CoderSettings):
    """`noise`: the most that is added to a latent, in standard deviations of its channel. Crops are larger than an
    autoencoder's: what noise has hidden must be told from what is around."""

    batch: int = 32
    crop: int = 96
    lr: float = 7e-4
    noise: float = 0.4


class DecoderTraining(CoderTraining):
    """An `Experiment`: pictures back from latents with noise, the encoder left alone."""

    settings: DecoderSettings

    def __init__(self, model: LatentAutoencoder, pictures: Split, held_out: Split, settings: DecoderSettings) -> None:
        model.encoder.requires_grad_(False)
        super().__init__(model, pictures, held_out, settings)
        with torch.no_grad():
            latents = torch.cat([self.model.encode(self._ready(batch))[0] for batch in parts(pictures, 256, 64)])
        self.deviation = latents.std((0, 2, 3), keepdim=True)

    def _loss(self, batch: NDArray[np.uint8]) -> Iterator[Tensor]:
        pictures = self._ready(batch)
        noise = self.settings.noise * torch.rand(len(pictures), 1, 1, 1, device=self.device)
        with autocast(self.device, self.settings.precision):
            with torch.no_grad():
                latents, _ = self.model.encode(pictures)
            again = self.model.decode(latents + noise * self.deviation * torch.randn_like(latents))
        yield difference(again.float(), pictures)

    def _again(self, pictures: Tensor) -> Tensor:
        """With half of the most noise, the same each time."""
        generator = torch.Generator().manual_seed(0)
        with autocast(self.device, self.settings.precision):
            latents, _ = self.model.encode(pictures)
            noise = torch.randn(latents.shape, generator=generator).to(latents)
            again: Tensor = self.model.decode(latents + 0.5 * self.settings.noise * self.deviation * noise).float()
        return again
