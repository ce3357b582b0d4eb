"""Training what encodes pictures and gives them back: the VAE and the VQ-VAE."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from mofang.image.data import Split
from mofang.image.nets.latent import premultiplied
from mofang.image.nets.vae import Vae, divergence, elbo
from mofang.image.nets.vqvae import VqVae
from mofang.image.train.grid import save_grid
from mofang.training import distributed
from mofang.training.codebook import perplexity
from mofang.training.precision import Precision, autocast, device
from mofang.training.update import update

Sampled = Callable[[int], Tensor]


@dataclass(frozen=True)
class CoderSettings:
    """`kl` weighs the VAE's divergence (1: the bound as it is), `commitment` is β of the VQ-VAE's equation 3."""

    batch: int = 64
    lr: float = 1e-3
    kl: float = 1.0
    commitment: float = 0.25
    clip: float = 1.0
    mirror: bool = False
    precision: Precision = "auto"
    seed: int = 0


class Coder:
    """What both experiments share: batches by step, held-out loss, a sheet of pictures, what came back, and new ones."""

    def __init__(self, model: nn.Module, pictures: Split, held_out: Split, settings: CoderSettings) -> None:
        self.device, self.settings = device(), settings
        self.model = model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        # With nothing held out the training pictures are what there is to be judged by.
        self.pictures, self.held_out = pictures, held_out if len(held_out) else pictures
        self.modules: dict[str, nn.Module] = {"model": self.model}
        self.optimizers: dict[str, Optimizer] = {
            "adamw": torch.optim.AdamW(model.parameters(), settings.lr, (0.9, 0.95), weight_decay=0.01, fused=True)
        }

    @property
    def tokens_per_step(self) -> int:
        """Pictures of one step over all processes."""
        return self.settings.batch

    def step(self, step: int) -> dict[str, float]:
        """One update on batch number `step`."""
        settings = self.settings
        self.model.train()
        rng = np.random.default_rng((settings.seed, step))
        mine = slice(distributed.rank(), None, distributed.world())
        chosen = rng.integers(len(self.pictures), size=settings.batch)
        flips = rng.random(settings.batch) < 0.5 * settings.mirror
        batch = self.pictures.take(chosen[mine])
        batch = np.where(flips[mine][:, None, None, None], batch[:, :, ::-1], batch)
        said: dict[str, float] = {}
        loss, norm = update(self._losses(self._ready(batch), said), 1, self.optimizers.values(), settings.clip)
        return {"loss": loss, "norm": norm, **said}

    def _ready(self, batch: NDArray[np.uint8]) -> Tensor:
        return premultiplied(torch.from_numpy(batch).to(self.device)).contiguous(memory_format=torch.channels_last)

    def _losses(self, pictures: Tensor, said: dict[str, float]) -> Iterator[Tensor]:
        raise NotImplementedError

    def _sheet(self, folder: Path, step: int, again: Callable[[Tensor], Tensor], sampled: Sampled) -> str:
        pictures = self._ready(self.held_out.take(np.arange(min(12, len(self.held_out)))))
        rows = [pictures, again(pictures), sampled(24)]
        # Short rows are filled with white paper, so that the columns stay columns.
        filled = [torch.cat([row, row.new_ones(-row.size(0) % 12, *row.shape[1:])]) for row in rows]
        return save_grid(torch.cat(filled).float().cpu().numpy(), folder / f"{step:07}.png", columns=12).name


class VaeTraining(Coder):
    """An `Experiment`: descend the negative ELBO, in nats a number (pixel and channel)."""

    model: Vae

    def _losses(self, pictures: Tensor, said: dict[str, float]) -> Iterator[Tensor]:
        yield -self._bound(pictures, said, self.settings.kl).mean() / pictures[0].numel()

    def _bound(self, pictures: Tensor, said: dict[str, float], beta: float) -> Tensor:
        with autocast(self.device, self.settings.precision):
            again, mean, logvar = self.model(pictures)
        said["divergence"] = distributed.average(float(divergence(mean, logvar).mean().detach()))
        return elbo(pictures, again, mean, logvar, self.model.log_deviation, beta)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """The negative ELBO of held-out pictures, nats a number; the divergence, nats a picture."""
        self.model.eval()
        total, spread, seen = 0.0, 0.0, 0
        for batch in self.held_out.batches(self.settings.batch, 512):
            pictures, said = self._ready(batch), dict[str, float]()
            total -= float(self._bound(pictures, said, 1.0).sum()) / pictures[0].numel()
            spread += said["divergence"] * len(batch)
            seen += len(batch)
        return {"loss": total / seen, "divergence": spread / seen}

    @torch.no_grad()
    def samples(self, folder: Path, step: int) -> str:
        """Held-out pictures, what came back of them, and new ones."""
        self.model.eval()
        z = np.random.default_rng(self.settings.seed).standard_normal((24, self.model.shape.latent), np.float32)
        with autocast(self.device, self.settings.precision):
            return self._sheet(folder, step, lambda pictures: self.model.decode(self.model.encode(pictures)[0]),
                               lambda count: self.model.decode(torch.from_numpy(z[:count]).to(self.device)))  # fmt: skip


class VqTraining(Coder):
    """An `Experiment`: reconstruct through the codebook, and learn the prior of the codes beside it."""

    model: VqVae

    def _losses(self, pictures: Tensor, said: dict[str, float]) -> Iterator[Tensor]:
        with autocast(self.device, self.settings.precision):
            again, codes, vectors, commitment = self.model(pictures)
            logits = self.model.prior(codes)
        prior = F.cross_entropy(logits.float().flatten(0, 1), codes.flatten())
        pixels = F.mse_loss(again, pictures)
        # No gradient of the prior's loss reaches the codes: they are numbers of entries.
        yield pixels + self.settings.commitment * commitment + 0.1 * prior
        self.model.codebook.follow(distributed.gather(vectors.detach()), distributed.gather(codes.flatten()))
        said |= {"pixels": distributed.average(float(pixels.detach())), "prior": distributed.average(float(prior.detach()))}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Mean squared error of held-out pictures in -1..1 plus a thousandth of the prior's loss (nats a code), and the
        codebook's perplexity: how many of its entries are in use."""
        self.model.eval()
        squares, nats, seen = 0.0, 0.0, 0
        uses = torch.zeros(self.model.shape.codes, device=self.device)
        for batch in self.held_out.batches(self.settings.batch, 512):
            pictures = self._ready(batch)
            with autocast(self.device, self.settings.precision):
                again, codes, _, _ = self.model(pictures)
                logits = self.model.prior(codes)
            squares += float(F.mse_loss(again, pictures)) * len(batch)
            nats += float(F.cross_entropy(logits.float().flatten(0, 1), codes.flatten())) * len(batch)
            uses += F.one_hot(codes.flatten(), len(uses)).sum(0)
            seen += len(batch)
        return {"loss": squares / seen + 0.001 * nats / seen, "pixels": squares / seen, "prior": nats / seen,
                "perplexity": perplexity(uses)}  # fmt: skip

    @torch.no_grad()
    def samples(self, folder: Path, step: int) -> str:
        """Held-out pictures, what came back of them, and new ones drawn from the prior."""
        self.model.eval()
        with autocast(self.device, self.settings.precision):
            return self._sheet(folder, step, lambda pictures: self.model.decode(self.model.encode(pictures)),
                               lambda count: self.model.decode(self.drawn(count)))  # fmt: skip

    def drawn(self, count: int) -> Tensor:
        """Codes (count, places) from the prior, one after another."""
        codes = torch.zeros(count, self.model.shape.places, dtype=torch.long, device=self.device)
        for place in range(codes.size(1)):
            logits = self.model.prior(codes)[:, place].float()
            codes[:, place] = torch.multinomial(logits.softmax(-1), 1)[:, 0]
        return codes
