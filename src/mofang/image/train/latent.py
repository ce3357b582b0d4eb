"""Training the autoencoder of latents: reconstruct, in colour and in edges, with latents near the normal distribution."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from mofang.image.data import Split
from mofang.image.nets.latent import FOLD, LatentAutoencoder, divergence, premultiplied
from mofang.image.train.grid import save_grid
from mofang.training import distributed
from mofang.training.precision import Precision, autocast, device
from mofang.training.update import update


@dataclass(frozen=True)
class CoderSettings:
    """A step sees `crop`×`crop` pixels of each picture: convolutions learn as much from four parts of four pictures as from
    one whole."""

    batch: int = 64
    crop: int = 64
    lr: float = 1e-3
    clip: float = 1.0
    precision: Precision = "auto"
    seed: int = 0


@dataclass(frozen=True)
class LatentSettings(CoderSettings):
    """`kl` weighs the divergence (nats a latent number) against the mean absolute error of a pixel in -1..1."""

    kl: float = 1e-4


class CoderTraining:
    """An `Experiment` on an autoencoder, but for its loss."""

    def __init__(self, model: LatentAutoencoder, pictures: Split, held_out: Split, settings: CoderSettings) -> None:
        self.device, self.settings = device(), settings
        self.model = model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.pictures, self.held_out = pictures, held_out
        self.modules: dict[str, nn.Module] = {"model": self.model}
        self.optimizers: dict[str, Optimizer] = {
            "adamw": torch.optim.AdamW([each for each in model.parameters() if each.requires_grad], settings.lr, (0.9, 0.95),
                                       weight_decay=0.01, fused=True)
        }  # fmt: skip

    @property
    def tokens_per_step(self) -> int:
        """Pictures of one step over all processes."""
        return self.settings.batch

    def step(self, step: int) -> dict[str, float]:
        """One update on batch number `step`."""
        self.model.train()
        rng = np.random.default_rng((self.settings.seed, step))
        chosen = rng.integers(len(self.pictures), size=self.settings.batch)
        side = min(self.settings.crop, self.pictures.size)
        places = rng.integers(0, self.pictures.size - side + 1, (self.settings.batch, 2)) // FOLD * FOLD
        flips = rng.random(self.settings.batch) < 0.5
        mine = slice(distributed.rank(), None, distributed.world())
        whole = self.pictures.take(chosen[mine])
        batch = np.stack([picture[y : y + side, x : x + side][:, :: -1 if flip else 1]
                          for picture, (y, x), flip in zip(whole, places[mine], flips[mine], strict=True)])  # fmt: skip
        loss, norm = update(self._loss(batch), 1, self.optimizers.values(), self.settings.clip)
        return {"loss": loss, "norm": norm}

    def _ready(self, batch: NDArray[np.uint8]) -> Tensor:
        return premultiplied(torch.from_numpy(batch).to(self.device)).contiguous(memory_format=torch.channels_last)

    def _loss(self, batch: NDArray[np.uint8]) -> Iterator[Tensor]:
        raise NotImplementedError

    def _again(self, pictures: Tensor) -> Tensor:
        """(B, C, H, W) through the bottleneck and back."""
        with autocast(self.device, self.settings.precision):
            again: Tensor = self.model.decode(self.model.encode(pictures)[0]).float()
        return again

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Reconstruction loss and peak signal-to-noise ratio (dB) of up to 256 held-out pictures."""
        self.model.eval()
        losses, squares, seen = 0.0, 0.0, 0
        for batch in parts(self.held_out, 256, self.settings.batch):
            pictures = self._ready(batch)
            again = self._again(pictures)
            losses += float(difference(again, pictures)) * len(batch)
            squares += float((again.clamp(-1, 1) - pictures).square().mean() / 4) * len(batch)
            seen += len(batch)
        return {"loss": losses / seen, "psnr": -10 * float(np.log10(squares / seen))}

    @torch.no_grad()
    def samples(self, folder: Path, step: int) -> str:
        """Held-out pictures above what came back of them."""
        self.model.eval()
        batch = self.held_out.take(np.arange(min(8, len(self.held_out))))
        pictures = self._ready(batch)
        path = save_grid(torch.cat([pictures, self._again(pictures)]).cpu().numpy(), folder / f"{step:07}.png", columns=8)
        return path.name


class LatentTraining(CoderTraining):
    """An `Experiment`: pictures through the bottleneck and back."""

    settings: LatentSettings

    def _loss(self, batch: NDArray[np.uint8]) -> Iterator[Tensor]:
        pictures = self._ready(batch)
        with autocast(self.device, self.settings.precision):
            again, mean, logvar = self.model(pictures)
        yield difference(again.float(), pictures) + self.settings.kl * divergence(mean, logvar)


def difference(again: Tensor, pictures: Tensor) -> Tensor:
    """Mean absolute error of pixels and of their differences to the right and below: the eye sees edges."""
    error = again - pictures
    across = error[..., 1:] - error[..., :-1]
    down = error[..., 1:, :] - error[..., :-1, :]
    return F.l1_loss(again, pictures) + across.abs().mean() + down.abs().mean()


def parts(split: Split, most: int, size: int) -> Iterator[NDArray[np.uint8]]:
    """Up to `most` pictures of a split, evenly spread, `size` at a time."""
    chosen = np.unique(np.linspace(0, len(split) - 1, min(most, len(split))).astype(int))
    for start in range(0, len(chosen), size):
        yield split.take(chosen[start : start + size])
