"""A small regression to train: the experiment the tests of the loop run, here and in processes of their own."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mofang.training import distributed
from mofang.training.budget import Budget
from mofang.training.loop import Plan, train
from mofang.training.muon import Muon
from mofang.training.update import update


class Toy:
    """y = tanh of a fixed mixture of x, learned by two layers with dropout between; Muon and AdamW."""

    def __init__(self, *, width: int = 16, dropout: float = 0.2, batch: int = 8, parts: int = 1, lr: float = 1e-2) -> None:
        torch.manual_seed(5)
        self.batch, self.parts, self.seen = batch, parts, list[int]()
        self.model = nn.Sequential(nn.Linear(6, width), nn.Tanh(), nn.Dropout(dropout), nn.Linear(width, 3))
        matrices = [weight for weight in self.model.parameters() if weight.ndim == 2]
        vectors = [weight for weight in self.model.parameters() if weight.ndim == 1]
        self.modules = {"model": self.model}
        self.optimizers = {"muon": Muon(matrices, lr, weight_decay=0.1), "adamw": torch.optim.AdamW(vectors, lr, fused=True)}
        self.mixture = torch.randn(6, 3, generator=torch.Generator().manual_seed(9))
        self.before_step = dict[int, list[int]]()
        self.nan_at = -1
        self.pause = 0.0

    tokens_per_step = 8

    def data(self, seed: int) -> tuple[Tensor, Tensor]:
        x = torch.from_numpy(np.random.default_rng(seed).normal(size=(self.batch, 6)).astype(np.float32))
        return x, torch.tanh(x @ self.mixture)

    def step(self, step: int) -> dict[str, float]:
        self.seen.append(step)
        for number in self.before_step.get(step, []):
            os.kill(os.getpid(), number)
        time.sleep(self.pause)
        self.model.train()
        loss, norm = update(self.losses(step), self.parts, self.optimizers.values())
        return {"loss": float("nan") if step == self.nan_at else loss, "norm": norm}

    def losses(self, step: int) -> Iterator[Tensor]:
        x, y = (side[distributed.rank() :: distributed.world()] for side in self.data(step))
        for part, aim in zip(x.chunk(self.parts), y.chunk(self.parts), strict=True):
            yield ((self.model(part) - aim) ** 2).mean()

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        self.model.eval()
        x, y = self.data(10**6)
        return {"loss": float(((self.model(x) - y) ** 2).mean())}

    def samples(self, folder: Path, step: int) -> str:
        return f"after {step}"


def plan(steps: int, **other: object) -> Plan:
    return Plan(Budget(steps, "steps"), seed=3, validations=4, samples=2, record_every=1, **other)  # type: ignore[arg-type]


if __name__ == "__main__":
    folder, steps, pause, dropout = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    if len(sys.argv) > 5:
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[5]),) * 2)
    torch.set_num_threads(1)
    distributed.start()
    toy = Toy(dropout=dropout)
    toy.pause = pause
    try:
        train(toy, folder, plan(steps, checkpoint_seconds=0.0))
    finally:
        distributed.stop()
