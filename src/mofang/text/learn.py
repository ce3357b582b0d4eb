"""From a corpus to a model: a run in a folder, and at its end the model that wrote the best held-out text."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from mofang.models import own
from mofang.studio.atomic import atomic, write_atomic
from mofang.studio.errors import UserError
from mofang.studio.library import now
from mofang.studio.recipe import Json
from mofang.text.corpus import Corpus
from mofang.text.nets import build
from mofang.text.sizes import Network, Shape
from mofang.text.train import LanguageModel, Settings
from mofang.training import checkpoint
from mofang.training.loop import BEST, LAST, Listener, Plan
from mofang.training.run import open_run

MODEL = "model"
"""Where a run's folder holds the model it made."""

TYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Course:
    """All of a run: the network's kind and shape, how it learns, how long, and what is kept."""

    network: Network
    shape: Shape
    settings: Settings
    plan: Plan
    dropout: float = 0.0
    dtype: str = "float16"
    prompts: tuple[str, ...] = ()

    def recipe(self, corpus: Corpus) -> dict[str, Json]:
        """What makes the run again, as JSON; equal recipes go on in one folder."""
        return {
            "network": self.network, **asdict(self.shape), "dropout": self.dropout, **asdict(self.settings),
            **{f"plan_{key}": value for key, value in asdict(self.plan).items()}, "dtype": self.dtype,
            "prompts": list(self.prompts), "corpus": str(corpus.folder.resolve()), "data_sha256": corpus.manifest["data_sha256"],
        }  # fmt: skip


def learn(corpus: Corpus, folder: Path, course: Course, listen: Listener = lambda record: None, *, fresh: bool = False,
          command: Sequence[str] = ()) -> Path:  # fmt: skip
    """Train in `folder`, going on where an earlier call was stopped, and return the model's folder.

    A run that is stopped leaves the best model so far there too. Raises `UserError` for a corpus too small to learn from,
    for a folder with other settings, and for a loss that is not a number.
    """
    tokens, held_out = corpus.tokens("train"), corpus.tokens("val")
    if len(tokens) <= 2 * course.settings.context + 1:
        raise UserError(f"the corpus has {len(tokens):,} tokens to train on, fewer than two windows of "
                        f"{course.settings.context}; add works, or take a shorter --context")  # fmt: skip
    if len(held_out) <= course.settings.context:
        # A short text cannot spare a window to be judged by; it is judged, and says so, by what it was trained on.
        held_out = tokens
    course = replace(course, prompts=course.prompts or beginnings(corpus))
    config = course.shape.config(course.network, corpus.tokenizer.size, course.dropout)
    recipe = course.recipe(corpus)
    with open_run(folder, recipe, fresh) as run:
        torch.manual_seed(course.settings.seed)
        experiment = LanguageModel(build(config), tokens, held_out, corpus.tokenizer, course.settings, course.prompts)
        run.train(experiment, course.plan, listen, lambda done: write_model(folder, config, corpus, course, recipe, command))
    return folder / MODEL


def write_model(folder: Path, config: dict[str, Any], corpus: Corpus, course: Course, recipe: dict[str, Json],
                command: Sequence[str]) -> None:  # fmt: skip
    """Write `folder/model`: the averaged weights of the best validation, configuration, vocabulary and card."""
    weights, state = checkpoint.load(folder / BEST)
    target = folder / MODEL
    save_weights(target, weights, course.dtype)
    write_atomic(target / own.CONFIG, own.dumps({key: value for key, value in config.items() if key != "dropout"}))
    corpus.tokenizer.save(target)
    manifest = corpus.manifest
    per_byte = manifest["splits"]["val"]["bytes"] or 1
    own.write_card(target, {
        **own.read_card(target), "name": folder.name, "title": folder.name, "kind": "text",
        "languages": sorted(manifest.get("languages", {})), "licence": licence_of(manifest["works"]),
        "trained_on": manifest["works"], "corpus": str(corpus.folder.resolve()), "data_sha256": manifest["data_sha256"],
        "parameters": sum(tensor.numel() for tensor in weights.values()), "made": now(),
        "recipe": {"command": shlex.join(command), **recipe, "steps": state["step"], "tokens": state["tokens"],
                   "seconds": round(state["seconds"], 1)},
        "measured": {"validation_loss": state["best"],
                     "validation_bits_per_byte": state["best"] / 0.6931471805599453
                     * manifest["splits"]["val"]["tokens"] / per_byte},
    })  # fmt: skip


def save_weights(folder: Path, tensors: dict[str, Tensor], dtype: str) -> None:
    """Write `model.safetensors` with tensors as `dtype`, or as float32 where they are too large for it."""
    plain = checkpoint.narrowed(tensors, TYPES[dtype])
    with atomic(folder / own.WEIGHTS) as temporary:
        save_file(plain, temporary, {"format": "pt"})


def load_network(folder: Path) -> nn.Module:
    """The network in a model's folder with its weights, to train on or to compare with. Raises `UserError`."""
    net = build(own.read_config(folder))
    tensors = {name: torch.from_numpy(value) for name, value in own.read_tensors(folder).items()}
    try:
        net.load_state_dict(tensors)
    except RuntimeError as error:
        raise UserError(f"{folder} holds weights of another network than its {own.CONFIG} says; take it whole") from error
    return net


def beginnings(corpus: Corpus) -> tuple[str, ...]:
    """The beginnings of three held-out documents."""
    part = "val" if len(corpus.tokens("val")) else "train"
    starts = (text.strip().split("\n")[0][:16] for text in islice(corpus.documents(part), 3))
    return tuple(start for start in starts if start) or ("",)


def licence_of(works: Sequence[dict[str, Any]]) -> str:
    """The licence of the works if they share one; a model of several says all."""
    return " AND ".join(sorted({work.get("licence") or "unknown" for work in works})) or "unknown"


__all__ = ["LAST", "MODEL", "Course", "beginnings", "learn", "licence_of", "load_network", "save_weights", "write_model"]
