"""Training a generator against a discriminator."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from mofang.image.data import Split
from mofang.image.nets.augment import Strength, augment
from mofang.image.nets.latent import premultiplied
from mofang.image.nets.losses_gan import GAMES, gradient_penalty
from mofang.image.train.grid import save_grid
from mofang.image.train.judge import Judge, as_bytes, warning
from mofang.training import distributed
from mofang.training.precision import Precision, autocast, device
from mofang.training.update import update

Augmenting = Literal["adaptive", "fixed", "none"]


@dataclass(frozen=True)
class GanSettings:
    """How the game is played. `gamma` weighs R1 and R2 (0: neither), which are computed every `lazy` steps and count so many
    times then (Karras et al. 2020, arXiv 1912.04958, section 3.1). `augment`: DiffAugment with ADA's strength, beginning
    at `p`; `mirror` shows half of the pictures mirrored."""

    batch: int = 32
    lr: float = 1e-3
    loss: str = "relativistic"
    gamma: float = 1.0
    lazy: int = 4
    betas: tuple[float, float] = (0.0, 0.99)
    augment: Augmenting = "adaptive"
    p: float = 0.6
    mirror: bool = True
    precision: Precision = "auto"
    seed: int = 0


class Adversarial:
    """An `Experiment`: D takes a step, then G. The `loss` is D's; `validate` gives KID against held-out pictures."""

    def __init__(self, generator: nn.Module, discriminator: nn.Module, latent: int, pictures: Split, held_out: Split,
                 settings: GanSettings) -> None:  # fmt: skip
        self.device, self.settings, self.latent = device(), settings, latent
        self.generator = generator.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.discriminator = discriminator.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.strength = Strength(settings.p if settings.augment != "none" else 0.0, settings.augment == "adaptive")
        self.pictures, self.held_out = pictures, held_out
        self.judge = Judge(pictures, held_out)
        self.game = GAMES[settings.loss]
        self.modules: dict[str, nn.Module] = {
            "model": self.generator, "discriminator": self.discriminator, "strength": self.strength,
        }  # fmt: skip
        self.optimizers: dict[str, Optimizer] = {
            name: torch.optim.Adam(network.parameters(), settings.lr, settings.betas, fused=True)
            for name, network in (("generator", self.generator), ("discriminator", self.discriminator))
        }

    @property
    def tokens_per_step(self) -> int:
        """Pictures of one step over all processes."""
        return self.settings.batch

    def step(self, step: int) -> dict[str, float]:
        """One update of each network on batch number `step`."""
        settings = self.settings
        self.generator.train()
        self.discriminator.train()
        rng = np.random.default_rng((settings.seed, step))
        real = self._real(self.pictures, rng)
        z, again = (self._latents(rng) for _ in range(2))
        said: dict[str, float] = {}
        with torch.no_grad(), autocast(self.device, settings.precision):
            fake = self.generator(z).float()
        said["loss"], _ = update(self._discriminator(real, fake, step, said), 1, [self.optimizers["discriminator"]], 0)
        self._frozen(True)
        said["generator"], _ = update(self._generator(real, again), 1, [self.optimizers["generator"]], 0)
        self._frozen(False)
        if settings.augment == "adaptive" and step % 16 == 0 and self.judge.honest:
            self._follow(real, fake, rng)
        return said | {"p": float(self.strength.p)}

    def _frozen(self, yes: bool) -> None:
        # G's step needs gradients through D, not of it.
        self.discriminator.requires_grad_(not yes)

    def _discriminator(self, real: Tensor, fake: Tensor, step: int, said: dict[str, float]) -> Iterator[Tensor]:
        settings, p = self.settings, float(self.strength.p)
        due = settings.gamma > 0 and step % settings.lazy == 0
        seen = [augment(pictures, p).requires_grad_(due) for pictures in (real, fake)]
        with autocast(self.device, settings.precision):
            logits = [self.discriminator(pictures) for pictures in seen]
        loss = self.game.discriminator(*logits)
        if due:
            r1, r2 = (gradient_penalty(answer, pictures) for answer, pictures in zip(logits, seen, strict=True))
            said["r1"], said["r2"] = (distributed.average(float(each.detach())) for each in (r1, r2))
            loss = loss + settings.gamma / 2 * settings.lazy * (r1 + r2)
        yield loss

    def _generator(self, real: Tensor, z: Tensor) -> Iterator[Tensor]:
        p = float(self.strength.p)
        with autocast(self.device, self.settings.precision):
            fake = self.discriminator(augment(self.generator(z).float(), p))
            answer = torch.zeros_like(fake)
            if self.game.paired:
                with torch.no_grad():
                    answer = self.discriminator(augment(real, p))
        yield self.game.generator(answer, fake)

    @torch.no_grad()
    def _follow(self, real: Tensor, fake: Tensor, rng: np.random.Generator) -> None:
        p = float(self.strength.p)
        kinds = (real, self._real(self.held_out, rng), fake)
        with autocast(self.device, self.settings.precision):
            answers = [float(self.discriminator(augment(pictures, p)).mean()) for pictures in kinds]
        self.strength.follow(*map(distributed.average, answers))

    def _real(self, pictures: Split, rng: np.random.Generator) -> Tensor:
        """This process's share of a batch, in -1..1."""
        mine = slice(distributed.rank(), None, distributed.world())
        chosen = rng.integers(len(pictures), size=self.settings.batch)
        flips = rng.random(self.settings.batch) < 0.5 * self.settings.mirror
        batch = pictures.take(chosen[mine])
        batch = np.where(flips[mine][:, None, None, None], batch[:, :, ::-1], batch)
        return premultiplied(torch.from_numpy(batch).to(self.device)).contiguous(memory_format=torch.channels_last)

    def _latents(self, rng: np.random.Generator) -> Tensor:
        z = rng.standard_normal((self.settings.batch, self.latent), np.float32)
        return torch.from_numpy(z[distributed.rank() :: distributed.world()]).to(self.device)

    @torch.no_grad()
    def make(self, count: int) -> NDArray[np.uint8]:
        """So many pictures (count, size, size, channels) of fixed latents, with the weights there are now."""
        self.generator.eval()
        z = np.random.default_rng(self.settings.seed).standard_normal((count, self.latent), np.float32)
        made = []
        for part in torch.split(torch.from_numpy(z).to(self.device), 64):
            with autocast(self.device, self.settings.precision):
                made.append(as_bytes(self.generator(part)))
        return np.concatenate(made)

    def validate(self) -> dict[str, float]:
        """KID × 1000 against held-out pictures, and diversity."""
        return self.judge.measure(self.make)

    def samples(self, folder: Path, step: int) -> str:
        """A sheet of the same 48 latents each time; a second line if the generator has collapsed."""
        made = self.make(48)
        shown = premultiplied(torch.from_numpy(made)).numpy()
        path = save_grid(shown, folder / f"{step:07}.png", columns=12)
        return "\n".join(filter(None, (path.name, warning(self.judge.spread(made)))))
