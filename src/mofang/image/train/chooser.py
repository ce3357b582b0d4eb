"""Training what chooses among painted pictures: each real picture must find its caption among those of other subjects."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from mofang.image.captions import phrased
from mofang.image.data import Split
from mofang.image.data.store import Line
from mofang.image.engines.own import SIDE, small_on_white
from mofang.image.nets.chooser import Chooser
from mofang.image.train.flow import label
from mofang.image.train.grid import save_grid
from mofang.training import distributed
from mofang.training.precision import Precision, autocast, device
from mofang.training.update import update

WAYS = 8
"""Ways of asking for each subject that are read once, before training."""


@dataclass(frozen=True)
class ChooserSettings:
    """`others`: among how many subjects, at most, a picture must find its own; `smoothing` of the labels."""

    batch: int = 128
    others: int = 2048
    lr: float = 2e-3
    weight_decay: float = 0.05
    smoothing: float = 0.1
    clip: float = 5.0
    precision: Precision = "auto"
    seed: int = 0


class Asked:
    """Every subject of some pictures, as a text-to-image model reads captions that ask for it: `whole` (ways, subjects, D).

    A picture that names no subject has its caption's first words for one."""

    def __init__(self, lines: Sequence[Line], read: Callable[[Sequence[str]], NDArray[np.float32]], ways: int = WAYS) -> None:
        first: dict[str, Line] = {}
        for line in lines:
            first.setdefault(subject(line), line)
        self.numbers = {name: number for number, name in enumerate(first)}
        rng = np.random.default_rng(0)
        captions = []
        for way in range(ways):
            for line in first.values():
                known: dict[str, str] = line["caption"]
                language = sorted(known)[way % len(known)] if known else ""
                captions.append(phrased(known.get(language, ""), language, rng))
        made = np.concatenate([read(captions[start : start + 256]) for start in range(0, len(captions), 256)])
        self.whole = torch.from_numpy(made.reshape(ways, len(first), -1))

    def of(self, lines: Sequence[Line]) -> NDArray[np.int64]:
        """The number of each picture's subject."""
        return np.array([self.numbers[subject(line)] for line in lines])


def subject(line: Line) -> str:
    """What a picture shows."""
    return str(line.get("subject") or (label(line["caption"], "en") if line["caption"] else ""))


class ChooserTraining:
    """An `Experiment`: pictures, moved about, among the captions of many subjects."""

    def __init__(self, model: Chooser, asked: Asked, pictures: Split, held_out: Split, settings: ChooserSettings) -> None:
        self.device, self.settings, self.asked = device(), settings, asked
        self.model = model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.pictures, self.held_out = pictures, held_out
        self.subjects = asked.of(pictures.lines)
        self.modules: dict[str, nn.Module] = {"model": self.model}
        self.optimizers: dict[str, Optimizer] = {
            "adamw": torch.optim.AdamW(model.parameters(), settings.lr, (0.9, 0.95), weight_decay=settings.weight_decay, fused=True)
        }

    @property
    def tokens_per_step(self) -> int:
        """Pictures of one step over all processes."""
        return self.settings.batch

    def step(self, step: int) -> dict[str, float]:
        """One update on batch number `step`."""
        self.model.train()
        rng = np.random.default_rng((self.settings.seed, step))
        ways, subjects = self.asked.whole.shape[:2]
        chosen = rng.integers(len(self.subjects), size=self.settings.batch)
        wanted = np.unique(self.subjects[chosen])
        more = rng.permutation(subjects)
        among = np.concatenate([wanted, more[~np.isin(more, wanted)]])[: max(self.settings.others, len(wanted))]
        mine = slice(distributed.rank(), None, distributed.world())
        targets = torch.from_numpy(np.searchsorted(wanted, self.subjects[chosen[mine]]))
        whole = self.asked.whole[torch.from_numpy(rng.integers(ways, size=len(among))), torch.from_numpy(among)]
        batch = moved(seen(self.pictures.take(chosen[mine])), rng)
        loss, norm = update(self._loss(batch, whole, targets), 1, self.optimizers.values(), self.settings.clip)
        return {"loss": loss, "norm": norm}

    def _loss(self, batch: Tensor, whole: Tensor, targets: Tensor) -> Iterator[Tensor]:
        with autocast(self.device, self.settings.precision):
            logits = self.model(batch.to(self.device), whole.to(self.device))
        yield F.cross_entropy(logits.float(), targets.to(self.device), label_smoothing=self.settings.smoothing)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Cross-entropy of held-out pictures among all subjects, and the share that found their own."""
        self.model.eval()
        chosen = np.arange(min(1024, len(self.held_out)))
        targets = torch.from_numpy(self.asked.of([self.held_out.lines[at] for at in chosen])).to(self.device)
        logits = torch.cat([self._fit(self.held_out, some) for some in np.array_split(chosen, -(-len(chosen) // 128))])
        right = float((logits.argmax(1) == targets).float().mean())
        return {"loss": float(F.cross_entropy(logits, targets)), "accuracy": right}

    def _fit(self, split: Split, chosen: NDArray[np.int64]) -> Tensor:
        with autocast(self.device, self.settings.precision):
            logits: Tensor = self.model(seen(split.take(chosen)).to(self.device), self.asked.whole[0].to(self.device)).float()
        return logits

    @torch.no_grad()
    def samples(self, folder: Path, step: int) -> str:
        """Held-out pictures above training pictures of the subjects they were taken for."""
        self.model.eval()
        some = np.unique(np.linspace(0, len(self.held_out) - 1, 12).astype(int))
        taken = self._fit(self.held_out, some)[:, np.unique(self.subjects)].argmax(1).cpu().numpy()
        alike = np.unique(self.subjects, return_index=True)[1][taken]
        both = torch.cat([seen(self.held_out.take(some)), *(seen(self.pictures.take(np.array([at]))) for at in alike)])
        return save_grid(both.numpy(), folder / f"{step:07}.png", columns=len(some)).name


def seen(pictures: NDArray[np.uint8]) -> Tensor:
    """(B, S, S, C) as the network sees them."""
    return torch.from_numpy(small_on_white(pictures, SIDE)).contiguous(memory_format=torch.channels_last)


def moved(pictures: Tensor, rng: np.random.Generator) -> Tensor:
    """Mirrored, turned up to 12°, made a fifth larger or smaller, shifted up to 8 %, lighter; white comes in from outside."""
    count = len(pictures)
    angle, scale = rng.uniform(-0.21, 0.21, count), rng.uniform(0.83, 1.25, count)
    flip = np.where(rng.random(count) < 0.5, -1.0, 1.0)
    across, down = rng.uniform(-0.16, 0.16, (2, count))
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    maps = np.stack([np.stack([cos * flip, -sin, across], 1), np.stack([sin * flip, cos, down], 1)], 1)
    grid = F.affine_grid(torch.from_numpy(maps.astype(np.float32)), list(pictures.shape), align_corners=False)
    light = torch.from_numpy(rng.uniform(0.85, 1.0, (count, 1, 1, 1)).astype(np.float32))
    ink = F.grid_sample(1 - pictures, grid, align_corners=False)
    return (1 - ink * light).contiguous(memory_format=torch.channels_last)
