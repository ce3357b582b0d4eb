"""Training the network that repairs: clean pictures damaged, and held against what they were."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from mofang.image.data import Split
from mofang.image.nets.repair import MULTIPLE, Repair
from mofang.image.train import damage
from mofang.image.train.crops import crops
from mofang.image.train.grid import save_grid
from mofang.training import distributed
from mofang.training.precision import Precision, autocast, device
from mofang.training.update import update

JUDGED = 24
"""Held-out pictures that are judged."""


@dataclass(frozen=True)
class RepairSettings:
    """A step sees `batch` parts of `side`×`side` pixels."""

    batch: int = 16
    side: int = 96
    lr: float = 1e-3
    clip: float = 0.5
    precision: Precision = "auto"
    seed: int = 0


class RepairTraining:
    """An `Experiment`: mean absolute error, of each picture where it was damaged."""

    def __init__(self, model: Repair, pictures: Split, held_out: Split, settings: RepairSettings) -> None:
        self.device, self.settings = device(), settings
        self.model = model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.pictures, self.held_out = pictures, held_out
        self.side = min(settings.side, pictures.size) // MULTIPLE * MULTIPLE
        self.modules: dict[str, nn.Module] = {"model": self.model}
        self.optimizers: dict[str, Optimizer] = {
            "adamw": torch.optim.AdamW(model.parameters(), settings.lr, (0.9, 0.99), weight_decay=1e-3, fused=True)
        }

    @property
    def tokens_per_step(self) -> int:
        """Parts of pictures of one step over all processes."""
        return self.settings.batch

    def step(self, step: int) -> dict[str, float]:
        """One update on batch number `step`."""
        self.model.train()
        rng = np.random.default_rng((self.settings.seed, step))
        clean = crops(self.pictures, self.settings.batch, self.side, rng)
        # A stream each, so that a process can damage its own share alone.
        streams = rng.integers(2**63, size=len(clean))
        mine = slice(distributed.rank(), None, distributed.world())
        pairs = [damage.damaged(part, np.random.default_rng(stream)) for part, stream in zip(clean[mine], streams[mine], strict=True)]
        loss, norm = update(self._loss(pairs, clean[mine]), 1, self.optimizers.values(), self.settings.clip)
        return {"loss": loss, "norm": norm}

    def _loss(self, pairs: list[tuple[NDArray[np.float32], NDArray[np.float32]]], clean: NDArray[np.uint8]) -> Iterator[Tensor]:
        wanted = self._tensor((clean / np.float32(255)).astype(np.float32))
        maps = self._tensor(np.stack([each[1] for each in pairs]))
        with autocast(self.device, self.settings.precision):
            again = self.model(self._tensor(np.stack([each[0] for each in pairs])), maps)
        error = (again.float() - wanted).abs().mean(1)
        # Where only a hole is wrong the rest is kept as it is, so that nothing is to be learned there.
        wrong = ((maps[:, 0] > 0) | (maps[:, 1] > 0) | (maps[:, 2] > 0)).float()
        yield ((error * wrong).sum((1, 2)) / wrong.sum((1, 2)).clamp_min(1)).mean()

    def _tensor(self, pictures: NDArray[np.float32]) -> Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(pictures)).to(self.device).permute(0, 3, 1, 2)
        return tensor.contiguous(memory_format=torch.channels_last)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Of held-out pictures: mean absolute error where they were damaged, and the signal-to-noise ratio there (dB) for
        each kind of damage."""
        self.model.eval()
        losses, found = [], {}
        for name, pairs in self._judged():
            errors = [self._error(*each) for each in pairs]
            losses.append(float(np.mean([np.abs(each).mean() for each in errors])))
            found[f"psnr_{name}"] = float(np.mean([-10 * np.log10(max((each**2).mean(), 1e-10)) for each in errors]))
        return {"loss": float(np.mean(losses)), **found}

    def _judged(self) -> Iterator[tuple[str, list[tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]]]]:
        """Kind of damage → (clean, damaged, maps) of the held-out pictures, the same every time."""
        side = self.held_out.size // MULTIPLE * MULTIPLE
        chosen = np.arange(0, len(self.held_out), max(len(self.held_out) // JUDGED, 1))[:JUDGED]
        whole = self.held_out.take(chosen)[:, :side, :side, :3]
        for number, kind in enumerate(damage.HOLES):
            rng = np.random.default_rng((7, number))
            yield kind.__name__[1:], [(each, *damage.holed(each, kind((side, side), rng))) for each in whole]
        rng = np.random.default_rng(8)
        for sigma in (15, 50):
            yield f"noise{sigma}", [(each, *damage.noised(each, sigma / 255, rng)) for each in whole]
        yield "jpeg10", [(each, *damage.squeezed(each, 10)) for each in whole]

    def _error(self, clean: NDArray[np.uint8], picture: NDArray[np.float32], maps: NDArray[np.float32]) -> NDArray[np.float32]:
        again = self._repaired(picture[None], maps[None])[0].permute(1, 2, 0).cpu().numpy()
        where = (maps > 0).any(2)
        wrong: NDArray[np.float32] = (again - clean / np.float32(255)).astype(np.float32)[where]
        return wrong

    def _repaired(self, pictures: NDArray[np.float32], maps: NDArray[np.float32]) -> Tensor:
        with autocast(self.device, self.settings.precision):
            return self.model(self._tensor(pictures), self._tensor(maps)).float().clamp(0, 1)  # type: ignore[no-any-return]

    @torch.no_grad()
    def samples(self, folder: Path, step: int) -> str:
        """A held-out picture for each kind of damage: as it was given, above what became of it, above what it was."""
        self.model.eval()
        chosen = [pairs[number % len(pairs)] for number, (_, pairs) in enumerate(self._judged())]
        clean, pictures, maps = (np.stack(each) for each in zip(*chosen, strict=True))
        was = self._tensor((clean / np.float32(255)).astype(np.float32))
        rows = torch.cat([self._tensor(pictures), self._repaired(pictures, maps), was])
        return save_grid((rows * 2 - 1).cpu().numpy(), folder / f"{step:07}.png", columns=len(chosen)).name
