"""The one training loop.

A craft brings an `Experiment`: modules, optimizers and what one step does. The loop brings everything else: the
schedule to the end of the budget, averaged weights, validation, the best checkpoint, samples, exact resume, the log.

Randomness has no state here. Before every step the generators are seeded from (seed, step, rank), and an experiment
draws its batch from the step's number. A run resumed at step n is therefore the uninterrupted run, bit for bit.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn
from torch.optim import Optimizer

from mofang.studio.errors import UserError
from mofang.training import checkpoint, distributed
from mofang.training.budget import Budget
from mofang.training.ema import Ema
from mofang.training.schedule import trapezoid


class Experiment(Protocol):
    """What a craft adds to the loop. `modules["model"]` is the one that is averaged, judged and shipped."""

    modules: dict[str, nn.Module]
    optimizers: dict[str, Optimizer]

    def step(self, step: int) -> dict[str, float]:
        """One optimisation step on batch number `step`: forward, backward, update. Returns its losses, `loss` first."""

    def validate(self) -> dict[str, float]:
        """Measures on held-out data, smaller is better; `loss` decides which checkpoint is best."""

    def samples(self, folder: Path, step: int) -> str:
        """Make samples (files into `folder` if they are not text) and return a line or two to show."""

    @property
    def tokens_per_step(self) -> int:
        """Tokens (or examples) one step sees over all processes."""


@dataclass(frozen=True)
class Plan:
    """How a run goes. Intervals are in steps; `checkpoint_seconds` in seconds of wall clock."""

    budget: Budget
    seed: int = 0
    ema: float = 0.999
    warmup: float = 0.02
    decay: float = 0.5
    validate_every: int = 250
    sample_every: int = 1000
    checkpoint_seconds: float = 180.0
    patience: int = 0


@dataclass
class State:
    """Where a run is. `seconds` counts training time only, over all sessions."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    best: float = math.inf
    best_step: int = 0
    stale: int = 0


Listener = Callable[[dict[str, Any]], None]
"""Told of each log record: `{"kind": "train" | "validate" | "sample" | "done", "step", "seconds", …}`."""


def seed_step(seed: int, step: int) -> None:
    """Seed torch for one step on this process."""
    torch.manual_seed((seed * 1_000_003 + step) * 64 + distributed.rank())


def train(experiment: Experiment, folder: Path, plan: Plan, listen: Listener = lambda record: None) -> State:
    """Run to the end of the budget, or go on from `folder/last.safetensors` if it is there.

    `folder` receives `last.safetensors` (resume), `best.safetensors` (averaged weights, best validation loss),
    `log.jsonl` and `samples/`. Ctrl-C saves and raises KeyboardInterrupt. A loss that is not finite stops the run and
    raises `UserError`; the last good checkpoint stays.
    """
    run = _Run(experiment, folder, plan, listen)
    run.resume()
    try:
        return run.to_the_end()
    except KeyboardInterrupt:
        run.save()
        raise


class _Run:
    def __init__(self, experiment: Experiment, folder: Path, plan: Plan, listen: Listener) -> None:
        self.experiment, self.folder, self.plan, self.listen = experiment, folder, plan, listen
        self.state = State()
        self.ema = Ema(experiment.modules["model"], plan.ema)
        self.rates = {
            name: [group["lr"] for group in optimizer.param_groups] for name, optimizer in experiment.optimizers.items()
        }
        (folder / "samples").mkdir(parents=True, exist_ok=True)

    # -- the road ----------------------------------------------------------------------------------------------------

    def to_the_end(self) -> State:
        plan, state = self.plan, self.state
        saved = time.monotonic()
        while (progress := self.progress()) < 1.0 and not (plan.patience and state.stale >= plan.patience):
            start = time.monotonic()
            scale = trapezoid(progress, plan.warmup, plan.decay)
            for name, optimizer in self.experiment.optimizers.items():
                for group, rate in zip(optimizer.param_groups, self.rates[name], strict=True):
                    group["lr"] = rate * scale
            seed_step(plan.seed, state.step)
            losses = self.experiment.step(state.step)
            if not all(math.isfinite(loss) for loss in losses.values()):
                raise UserError(
                    f"the loss is not a number at step {state.step}; the last good checkpoint is in {self.folder}: "
                    "go on from it with half the learning rate (--lr)"
                )
            state.step += 1
            state.tokens += self.experiment.tokens_per_step
            self.ema.update(state.step)
            state.seconds += time.monotonic() - start
            self.record("train", **losses, scale=scale)
            if state.step % plan.validate_every == 0:
                self.validate()
            if state.step % plan.sample_every == 0:
                self.sample()
            if time.monotonic() - saved > plan.checkpoint_seconds:
                self.save()
                saved = time.monotonic()
        if state.step % plan.validate_every:
            self.validate()
        self.sample()
        self.save()
        self.record("done", best=state.best, best_step=state.best_step)
        return state

    def progress(self) -> float:
        """The share of the budget used. Processes agree on it, or one would stop while another waits for it."""
        return distributed.agree(self.plan.budget.progress(self.state.seconds, self.state.step, self.state.tokens))

    def validate(self) -> None:
        with self.ema.applied():
            seed_step(self.plan.seed, -1)
            measured = self.experiment.validate()
        self.record("validate", **measured)
        if measured["loss"] < self.state.best:
            self.state.best, self.state.best_step, self.state.stale = measured["loss"], self.state.step, 0
            if distributed.rank() == 0:
                checkpoint.save(self.folder / "best.safetensors", self.ema.tensors, asdict(self.state))
        else:
            self.state.stale += 1

    def sample(self) -> None:
        if distributed.rank() == 0:
            with self.ema.applied():
                seed_step(self.plan.seed, -2)
                self.record("sample", text=self.experiment.samples(self.folder / "samples", self.state.step))

    def record(self, kind: str, **values: Any) -> None:
        if distributed.rank() == 0:
            line = {
                "kind": kind, "step": self.state.step, "tokens": self.state.tokens,
                "seconds": round(self.state.seconds, 3), **values,
            }  # fmt: skip
            self.listen(line)
            with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(line, ensure_ascii=False) + "\n")

    # -- stop and go on ----------------------------------------------------------------------------------------------

    def save(self) -> None:
        if distributed.rank() != 0:
            return
        tensors = {f"module:{name}:{key}": tensor for name, module in self.experiment.modules.items()
                   for key, tensor in module.state_dict().items()}  # fmt: skip
        tensors |= {f"ema:{key}": tensor for key, tensor in self.ema.tensors.items()}
        tensors |= {f"optimizer:{key}": t for key, t in checkpoint.flatten(self.experiment.optimizers).items()}
        checkpoint.save(self.folder / "last.safetensors", tensors, asdict(self.state))

    def resume(self) -> None:
        path = self.folder / "last.safetensors"
        if not path.exists():
            return
        tensors, facts = checkpoint.load(path)
        groups: dict[str, dict[str, torch.Tensor]] = {"module": {}, "ema": {}, "optimizer": {}}
        for name, tensor in tensors.items():
            kind, _, key = name.partition(":")
            groups[kind][key] = tensor
        try:
            for name, module in self.experiment.modules.items():
                prefix = name + ":"
                module.load_state_dict({key.removeprefix(prefix): tensor for key, tensor in groups["module"].items()
                                        if key.startswith(prefix)})  # fmt: skip
            self.ema.load(groups["ema"])
        except (RuntimeError, KeyError) as error:
            raise UserError(
                f"{path} belongs to another network; use the settings it was made with, or another folder"
            ) from error
        checkpoint.restore(self.experiment.optimizers, groups["optimizer"])
        self.state = State(**facts)
        self._cut_log()

    def _cut_log(self) -> None:
        """Forget records of steps after the checkpoint: they are about to happen again."""
        log = self.folder / "log.jsonl"
        if log.exists() and distributed.rank() == 0:
            lines = [line for line in log.read_text("utf-8").splitlines(keepends=True) if self._before(line)]
            log.write_text("".join(lines), "utf-8")

    def _before(self, line: str) -> bool:
        try:
            record = json.loads(line)
        except json.JSONDecodeError:  # The line a kill cut short.
            return False
        return bool(record["step"] <= self.state.step and record["kind"] != "done")
