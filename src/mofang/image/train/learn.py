"""From a dataset to a model: a run in a folder, and at its end the generator that held-out pictures liked best."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from mofang.image.data import Pictures
from mofang.image.measure.run import measured
from mofang.image.train.kinds import ready
from mofang.image.train.ready import Options, Ready, weights_of
from mofang.models import own
from mofang.studio.atomic import atomic, write_atomic
from mofang.studio.errors import UserError
from mofang.studio.library import now
from mofang.studio.recipe import Json
from mofang.training import checkpoint
from mofang.training.loop import BEST, Listener, Plan
from mofang.training.run import open_run

MODEL = "model"
"""Where a run's folder holds the model it made."""
FEWEST = 8
"""Pictures under which nothing can be learned."""


def learn(data: Pictures, folder: Path, kind: str, plan: Plan, options: Options, listen: Listener = lambda record: None, *,
          fresh: bool = False, start: Path | None = None, command: Sequence[str] = ()) -> Path:  # fmt: skip
    """Train a model of a kind in `folder`, going on where an earlier call was stopped, and return the model's folder.

    A run that is stopped leaves the best model so far there too. `start`: a model whose weights a new run begins with.
    Raises `UserError` for too few pictures, for a folder with other settings, and for a loss that is not a number.
    """
    count = data.manifest["counts"]["train"]
    if count < FEWEST:
        raise UserError(f"{data.folder} has {count} pictures to train on, and nothing can be learned from fewer than {FEWEST}; "
                        "add pictures")  # fmt: skip
    torch.manual_seed(plan.seed)
    made = ready(kind, data, {"seed": plan.seed, **options})
    recipe: dict[str, Json] = {
        "kind": kind, "dial": options["dial"], **made.settings, **{f"plan_{key}": value for key, value in asdict(plan).items()},
        "data": str(data.folder.resolve()), "data_sha256": data.manifest["sha256"],
    }  # fmt: skip
    if start is not None:
        recipe["start_sha256"] = _begin_with(made, start)
    with open_run(folder, recipe, fresh) as run:
        run.train(made.experiment, plan, listen, lambda done: write_model(folder, kind, made, data, recipe, command, judge=done))
    return folder / MODEL


def _begin_with(made: Ready, start: Path) -> str:
    """Take the weights of the model in `start`; its hash."""
    weights = weights_of(start)
    module = made.experiment.modules["model"]
    # Counters are not kept with weights, and none of them matters.
    counters = {name: tensor for name, tensor in module.state_dict().items() if not tensor.is_floating_point()}
    try:
        module.load_state_dict(counters | weights)
    except RuntimeError as error:
        raise UserError(f"{start} is another network than the one to be trained; give a model of the same kind, size and data, "
                        "or leave --from out") from error  # fmt: skip
    return str(own.read_card(start).get("sha256", ""))


def write_model(folder: Path, kind: str, made: Ready, data: Pictures, recipe: Mapping[str, Json], command: Sequence[str],
                judge: bool = True) -> None:  # fmt: skip
    """Write `folder/model`: the averaged weights of the best validation, their ONNX graphs, configuration and card.
    `judge`: measure KID and copy rate too, which takes seconds."""
    weights, state = checkpoint.load(folder / BEST)
    target = folder / MODEL
    _save(target, weights)
    write_atomic(target / own.CONFIG, own.dumps(made.config))
    made.export(target, weights)
    facts: dict[str, Any] = {"validation_loss": state["best"]}
    if judge and made.measure:
        facts |= measured(target, data)
    own.write_card(target, {
        **own.read_card(target), "name": folder.name, "title": folder.name, "kind": "image", "architecture": kind,
        "licence": data.manifest["licence"], "trained_on": data.manifest["works"], "data": str(data.folder.resolve()),
        "data_sha256": data.manifest["sha256"], "pictures": data.manifest["counts"]["train"],
        "parameters": sum(tensor.numel() for tensor in weights.values()), "made": now(),
        "recipe": {"command": shlex.join(command), **recipe, "steps": state["step"], "pictures_seen": state["tokens"],
                   "seconds": round(state["seconds"], 1)},
        "measured": facts, **made.card,
    })  # fmt: skip


def _save(folder: Path, tensors: Mapping[str, Tensor]) -> None:
    plain = {name: tensor.contiguous() for name, tensor in tensors.items() if tensor.is_floating_point()}
    with atomic(folder / own.WEIGHTS) as temporary:
        save_file(plain, temporary, {"format": "pt"})
