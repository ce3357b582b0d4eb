"""What a kind of model brings to `learn`, and how it takes its settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from mofang.image.data import Pictures, Split
from mofang.models import own
from mofang.studio.errors import UserError
from mofang.training.checkpoint import not_numbers
from mofang.training.loop import Experiment

Options = Mapping[str, Any]
"""What the creator set, by name; what is not in it is for the kind to choose. `dial` is always there: nano … base."""

S = TypeVar("S")


@dataclass
class Ready:
    """A model about to be trained: the experiment, its `config.json`, every setting (for the recipe), and `export`, which
    writes what `engine`s run (`model.onnx`) beside `model.safetensors` from the averaged weights. `measure`: whether it
    makes pictures from nothing, so that KID and copy rate can be measured when it is done. `card`: what else its card says."""

    experiment: Experiment
    config: dict[str, Any]
    settings: dict[str, Any]
    export: Callable[[Path, Mapping[str, Tensor]], None]
    measure: bool = True
    card: Mapping[str, Any] = field(default_factory=dict)


def settled(kind: type[S], options: Options, **chosen: Any) -> S:
    """The settings dataclass `kind` from the creator's options, else `chosen`, else its defaults."""
    names = {each.name for each in fields(kind)}  # type: ignore[arg-type]
    return kind(**(chosen | {key: value for key, value in options.items() if key in names}))


def check(kind: str, options: Options, *known: type) -> None:
    """Raise `UserError` for an option that a kind does not have: better than passing over it."""
    names = {"dial", "seed"} | {each.name for one in known for each in fields(one)}
    for key in options:
        if key not in names:
            raise UserError(f"a {kind} has no --{key.replace('_', '-')}; leave it out")


def based(kind: str, options: Options, missing: str, *known: type) -> tuple[Options, Path]:
    """The options without `base`, checked, and the folder of the model it names. Raises `UserError`, saying what is `missing` if
    it names none."""
    given = {key: value for key, value in options.items() if key != "base"}
    check(kind, given, *known)
    if not options.get("base"):
        raise UserError(missing)
    return given, own.find(options["base"])


def weights_of(folder: Path) -> dict[str, Tensor]:
    """The weights of the model in `folder`, to learn on from. Raises `UserError` for what is damaged or no number."""
    weights = {name: torch.from_numpy(value) for name, value in own.read_tensors(folder).items()}
    if not_numbers(weights):
        raise UserError(f"{folder} holds weights that are no numbers, as training leaves them that went astray; give another model")
    return weights


def parts(data: Pictures) -> tuple[Split, Split]:
    """Training and held-out pictures; too few to spare any are judged by themselves."""
    train, val = data.split("train"), data.split("val")
    return train, val if len(val) else train
