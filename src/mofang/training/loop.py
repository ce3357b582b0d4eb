"""The one training loop.

A craft brings an `Experiment`: modules, optimizers and what one step does. The loop brings everything else: the
schedule to the end of the budget, averaged weights, validation, the best checkpoint, samples, exact resume, the log.

Randomness has no state here. Before every step the generators are seeded from (seed, step, rank), and an experiment
draws its batch from the step's number. A run resumed at step n is therefore the uninterrupted run, bit for bit.
"""

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn
from torch.optim import Optimizer

from mofang.studio.atomic import write_atomic
from mofang.studio.errors import UserError
from mofang.training import checkpoint, distributed
from mofang.training.budget import Budget
from mofang.training.ema import Ema
from mofang.training.history import read_record
from mofang.training.interrupt import Interrupt
from mofang.training.schedule import trapezoid
from mofang.training.state import State

LAST, BEST, LOG, SAMPLES = "last.safetensors", "best.safetensors", "log.jsonl", "samples"


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
    """How a run goes. Validations and samples are spread evenly over the budget; `record_every` is in steps,
    `checkpoint_seconds` in seconds of wall clock. `patience` stops a run after so many validations without a new best
    (0: never)."""

    budget: Budget
    seed: int = 0
    ema: float = 0.999
    warmup: float = 0.02
    decay: float = 0.5
    validations: int = 20
    samples: int = 5
    record_every: int = 10
    checkpoint_seconds: float = 180.0
    patience: int = 0


Listener = Callable[[dict[str, Any]], None]
"""Told of each log record: `{"kind": "train" | "validate" | "sample" | "done", "step", "tokens", "seconds", "progress", …}`."""


class Refused(UserError):
    """What stands in the folder is not this run's, or is damaged: nothing was trained, and nothing there is to be used."""


def seed_step(seed: int, step: int) -> None:
    """Seed torch for one step on this process."""
    torch.manual_seed(((seed * 1_000_003 + step) * 64 + distributed.rank()) % 2**63)


def train(experiment: Experiment, folder: Path, plan: Plan, listen: Listener = lambda record: None, mark: str = "") -> State:
    """Run to the end of the budget, or go on from `folder/last.safetensors` if it is there.

    `folder` receives `last.safetensors` (resume), `best.safetensors` (averaged weights, best validation loss),
    `log.jsonl` and `samples/`. Ctrl-C finishes the step, saves and raises KeyboardInterrupt; a second one stops at once,
    and the checkpoint before stays. A loss or weights that are not finite stop the run and raise `UserError`; the last
    good checkpoint stays. A checkpoint of a run with another `mark` (what it learns from and how) is refused.
    """
    distributed.wait()  # Process 0 may have been clearing the folder.
    with Interrupt() as interrupt:
        try:
            run = _Run(experiment, folder, plan, listen, mark)
            try:
                run.resume()
            except UserError as error:
                raise Refused(str(error)) from error
            return run.to_the_end(interrupt)
        except OSError as error:
            raise UserError(f"{error.filename or folder}: {error.strerror or error}; make room or mend its permissions, "
                            "then run the same command again to go on from the last checkpoint") from error  # fmt: skip


class _Run:
    def __init__(self, experiment: Experiment, folder: Path, plan: Plan, listen: Listener, mark: str) -> None:
        self.experiment, self.folder, self.plan, self.listen, self.mark = experiment, folder, plan, listen, mark
        self.state = State()
        self.ema = Ema(experiment.modules["model"], plan.ema)
        self.rates = {
            name: [group["lr"] for group in optimizer.param_groups] for name, optimizer in experiment.optimizers.items()
        }
        (folder / SAMPLES).mkdir(parents=True, exist_ok=True)

    # -- the road ----------------------------------------------------------------------------------------------------

    def to_the_end(self, interrupt: Interrupt) -> State:
        plan, state = self.plan, self.state
        saved = time.monotonic()
        progress = self.progress()
        while progress < 1.0 and not (plan.patience and state.stale >= plan.patience):
            losses = self.step(progress)
            before, progress = progress, self.progress()
            due = progress < 1.0 and _crosses(before, progress, plan.validations)
            if state.step % plan.record_every == 0 or due or progress >= 1.0:
                self.record("train", progress, **losses)
            if due:
                self.validate(progress)
            if progress < 1.0 and _crosses(before, progress, plan.samples):
                self.sample(progress)
            # One answer for all processes: one that stopped alone would leave the others waiting for it.
            stop = distributed.agree(float(interrupt.asked)) > 0
            if stop or distributed.agree(time.monotonic() - saved) > plan.checkpoint_seconds:
                self.save()
                saved = time.monotonic()
            if stop:
                raise KeyboardInterrupt
        self.validate(progress)
        self.sample(progress)
        self.save()
        self.record("done", progress, best=state.best, best_step=state.best_step)
        return state

    def step(self, progress: float) -> dict[str, float]:
        """One step of the experiment at the rate its place in the budget calls for."""
        plan, state, start = self.plan, self.state, time.monotonic()
        scale = trapezoid(progress, plan.warmup, plan.decay)
        for name, optimizer in self.experiment.optimizers.items():
            for group, rate in zip(optimizer.param_groups, self.rates[name], strict=True):
                group["lr"] = rate * scale
        seed_step(plan.seed, state.step)
        losses = self.experiment.step(state.step)
        if not all(map(math.isfinite, losses.values())):
            raise self.diverged("the loss is not a number")
        state.step += 1
        state.tokens += self.experiment.tokens_per_step
        self.ema.update(state.step)
        state.seconds += time.monotonic() - start
        return {**losses, "scale": scale}

    def progress(self) -> float:
        """The share of the budget used. Processes agree on it, or one would stop while another waits for it."""
        return distributed.agree(self.plan.budget.progress(*self._spent()))

    def validate(self, progress: float) -> None:
        with self.ema.applied():
            seed_step(self.plan.seed, -1)
            measured = self.experiment.validate()
        measured["loss"] = distributed.agree(measured["loss"])
        if not math.isfinite(measured["loss"]):
            raise self.diverged("the validation loss is not a number")
        if measured["loss"] < self.state.best:
            self.state.best, self.state.best_step, self.state.stale = measured["loss"], self.state.step, 0
            if distributed.rank() == 0:
                checkpoint.save(self.folder / BEST, self.ema.tensors, self.facts())
        else:
            self.state.stale += 1
        self.record("validate", progress, **measured, best=self.state.best)

    def sample(self, progress: float) -> None:
        if distributed.rank() == 0:
            with self.ema.applied():
                seed_step(self.plan.seed, -2)
                self.record("sample", progress, text=self.experiment.samples(self.folder / SAMPLES, self.state.step))

    def record(self, kind: str, progress: float, **values: Any) -> None:
        if distributed.rank() == 0:
            line = {
                "kind": kind, "step": self.state.step, "tokens": self.state.tokens,
                "seconds": round(self.state.seconds, 3), "progress": round(progress, 6), **values,
            }  # fmt: skip
            with (self.folder / LOG).open("a", encoding="utf-8") as log:
                log.write(json.dumps(line, ensure_ascii=False) + "\n")
            self.listen(line)

    def diverged(self, what: str) -> UserError:
        kept = f"what was best before is kept in {self.folder}" if self.state.best < math.inf else "nothing had been learned yet"
        return UserError(f"{what} at step {self.state.step}; {kept}: train under another name, or with --fresh, and half the "
                         "learning rate (--lr)")  # fmt: skip

    # -- stop and go on ----------------------------------------------------------------------------------------------

    def facts(self) -> dict[str, Any]:
        return asdict(self.state) | {"mark": self.mark}

    def save(self) -> None:
        if distributed.rank() != 0:
            return
        tensors = {f"module:{name}:{key}": tensor for name, module in self.experiment.modules.items()
                   for key, tensor in module.state_dict().items()}  # fmt: skip
        tensors |= {f"ema:{key}": tensor for key, tensor in self.ema.tensors.items()}
        tensors |= {f"optimizer:{key}": t for key, t in checkpoint.flatten(self.experiment.optimizers).items()}
        # The loss is that of the weights before the step: these may be beyond all numbers while it was not.
        if checkpoint.not_numbers(self.learned(tensors)):
            raise self.diverged("the weights are no numbers")
        checkpoint.save(self.folder / LAST, tensors, self.facts())

    def learned(self, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Those of a checkpoint's tensors that learning makes; buffers may hold an infinity for good."""
        buffers = {f"module:{name}:{key}" for name, module in self.experiment.modules.items() for key, _ in module.named_buffers()}
        buffers |= {f"ema:{key}" for key, _ in self.experiment.modules["model"].named_buffers()}
        return {name: tensor for name, tensor in tensors.items() if name not in buffers}

    def resume(self) -> None:
        path = self.folder / LAST
        if path.exists():
            self._go_on(path)
        self._cut_log()

    def _go_on(self, path: Path) -> None:
        tensors, facts = checkpoint.load(path)
        if facts.pop("mark", "") not in ("", self.mark):
            raise UserError(f"{path} is another run's; put this run's own back, or take another folder")
        if name := checkpoint.not_numbers(self.learned(tensors)):
            raise UserError(f"{path} holds what is no number ({name[:60]}); delete it to start the run again")
        groups: dict[str, dict[str, torch.Tensor]] = {"module": {}, "ema": {}, "optimizer": {}}
        try:
            for name, tensor in tensors.items():
                kind, _, key = name.partition(":")
                groups[kind][key] = tensor
            for name, module in self.experiment.modules.items():
                prefix = name + ":"
                module.load_state_dict({key.removeprefix(prefix): tensor for key, tensor in groups["module"].items()
                                        if key.startswith(prefix)})  # fmt: skip
            self.ema.load(groups["ema"])
            checkpoint.restore(self.experiment.optimizers, groups["optimizer"])
            self.state = State.read(facts)
        except (RuntimeError, KeyError, TypeError, ValueError, IndexError) as error:
            raise UserError(
                f"{path} belongs to another network; use the settings it was made with, or another folder"
            ) from error
        self._check_best()

    def _check_best(self) -> None:
        """See that the best weights are still there, for the model is made of them; if not, the best from here on is kept."""
        path, state = self.folder / BEST, self.state
        if not path.exists():
            state.best, state.best_step, state.stale = math.inf, 0, 0
            return
        wrong = UserError(f"{path} is no best checkpoint of this run; delete it, and the best from here on is kept")
        try:
            tensors, facts = checkpoint.load(path)
            mark, then = facts.pop("mark", ""), State.read(facts)
        except (UserError, ValueError) as error:
            raise wrong from error
        mine = {name: (tensor.shape, tensor.dtype) for name, tensor in self.ema.tensors.items()}
        if mark not in ("", self.mark) or mine != {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()} or \
                checkpoint.not_numbers(self.learned({f"ema:{name}": tensor for name, tensor in tensors.items()})):  # fmt: skip
            raise wrong
        # One no earlier than the checkpoint was written before a kill; its validation is about to come again.
        if then.step < state.step and then.step != state.best_step:
            raise wrong

    def _cut_log(self) -> None:
        """Forget records of steps after the checkpoint, and of the end: they are about to happen again."""
        log = self.folder / LOG
        if log.exists() and distributed.rank() == 0:
            with log.open("rb") as lines:
                kept = [line.rstrip() + b"\n" for line in lines if (record := read_record(line)) and self._stays(record)]
            write_atomic(log, b"".join(kept))

    def _stays(self, record: Mapping[str, Any]) -> bool:
        at_end = record["kind"] != "train" and self.plan.budget.progress(*self._spent()) >= 1.0
        return bool(record["step"] < self.state.step + (not at_end) and record["kind"] != "done")

    def _spent(self) -> tuple[float, int, int]:
        return self.state.seconds, self.state.step, self.state.tokens


def _crosses(before: float, after: float, times: int) -> bool:
    """Whether one of the `times` even marks of a run lies between two shares of it."""
    return math.floor(after * times) > math.floor(before * times)
