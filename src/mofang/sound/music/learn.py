"""From tokenised pieces to a model: a run in a folder, and at its end the network that did best on what was held out."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from mofang.models import own
from mofang.sound.music.copying import index
from mofang.sound.music.data import Data, still_covered
from mofang.sound.music.train import Composer, Settings
from mofang.sound.nets.score import ScoreNet, config_for
from mofang.studio.atomic import atomic, write_atomic
from mofang.studio.errors import UserError
from mofang.studio.library import now
from mofang.training import checkpoint, distributed, memory
from mofang.training.loop import BEST, Listener, Plan
from mofang.training.run import open_run

MODEL = "model"
SIZES = {"nano": (2, 64, 4), "micro": (4, 128, 4), "mini": (6, 192, 3), "small": (6, 256, 4), "base": (8, 384, 6)}
"""Layers, width and heads; heads of 64 are what attention is fastest with."""


@dataclass(frozen=True)
class Course:
    """All of a run: the network's size, how it learns, how long."""

    size: str
    settings: Settings
    plan: Plan
    dropout: float = 0.1

    def recipe(self, data: Data) -> dict[str, Any]:
        """What makes the run again, as JSON; equal recipes go on in one folder."""
        return {"size": self.size, "dropout": self.dropout, **asdict(self.settings),
                **{f"plan_{key}": value for key, value in asdict(self.plan).items()},
                "data": str(data.folder.resolve()), "data_sha256": str(data.manifest["sha256"])}  # fmt: skip


def learn(data: Data, folder: Path, course: Course, listen: Listener = lambda record: None, *, fresh: bool = False,
          command: Sequence[str] = (), studio: Path | None = None) -> Path:  # fmt: skip
    """Train in `folder`, going on where an earlier call was stopped, and return the model's folder.

    Raises `UserError` for a score whose consent has ended or was taken back (`studio` keeps them), for a run begun with other
    settings and for a loss that is not a number. A run that is stopped leaves the best model so far.
    """
    still_covered(data, studio)
    if course.settings.batch < (world := distributed.world()):
        raise UserError(f"{world} processes cannot share a batch of {course.settings.batch}; take --batch {world} or more")
    settings, config = course.settings, config_for(*SIZES[course.size], context=4096)
    blocks = config["num_hidden_layers"] * memory.kept_by_block(config["hidden_size"], config["intermediate_size"])
    longest = min(settings.context, max(entry.length for entry in data.entries))
    kept = settings.batch // world * longest * (blocks + config["vocab_size"])  # And the logits.
    memory.must_fit(lambda: ScoreNet(config), kept, settings.precision, "--batch, --context or --size")
    recipe = course.recipe(data)
    with open_run(folder, recipe, fresh) as run:
        torch.manual_seed(course.settings.seed)
        experiment = Composer(ScoreNet(config, course.dropout), data, course.settings)
        run.train(experiment, course.plan, listen, lambda done: _write_model(folder, data, config, recipe, command))
    return folder / MODEL


def _write_model(folder: Path, data: Data, config: dict[str, Any], recipe: dict[str, Any], command: Sequence[str]) -> None:
    weights, state = checkpoint.load(folder / BEST)
    target = folder / MODEL
    with atomic(target / own.WEIGHTS) as temporary:
        save_file(checkpoint.narrowed(weights, torch.float16), temporary, {"format": "pt"})
    styles = sorted({entry.style for entry in data.entries})
    write_atomic(target / own.CONFIG, own.dumps({**config, "styles": styles}))
    index(data.pieces("train")).write(target)
    counted = {(entry.style, entry.licence) for entry in data.entries}
    own.write_card(target, {
        "name": folder.name, "title": folder.name, "kind": config["model_type"],
        "licence": " AND ".join(sorted({licence for _, licence in counted})),
        "trained_on": [{"title": style, "licence": licence, "pieces": sum(entry.style == style and entry.licence == licence
                        for entry in data.entries)} for style, licence in sorted(counted)],
        "data_sha256": data.manifest["sha256"], "parameters": sum(tensor.numel() for tensor in weights.values()), "made": now(),
        "recipe": {"command": shlex.join(command), **recipe, "steps": state["step"], "tokens": state["tokens"],
                   "seconds": round(state["seconds"], 1)},
        "measured": {"validation_loss": state["best"], "unit": "nats an event"},
    })  # fmt: skip
