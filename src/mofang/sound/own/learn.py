"""From a corpus to a model: a run in a folder, and at its end the network that did best on what was held out."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from mofang.models import own
from mofang.sound.nets.acoustic import Acoustic
from mofang.sound.nets.acoustic import config as acoustic_config
from mofang.sound.nets.wavenet import WaveNet
from mofang.sound.own import consent
from mofang.sound.own.acoustic import AcousticModel, AcousticShape
from mofang.sound.own.corpus import Corpus
from mofang.sound.own.features import HOP, RATE, SIZE
from mofang.sound.own.join import part
from mofang.sound.own.train import AcousticTraining, Settings, Vocoder
from mofang.sound.wavenet.shape import Shape
from mofang.studio.atomic import atomic, write_atomic
from mofang.studio.errors import UserError
from mofang.studio.library import file_hash, now
from mofang.studio.recipe import Json
from mofang.training import checkpoint, distributed, memory
from mofang.training.loop import BEST, Listener, Plan
from mofang.training.run import open_run

MODEL = "model"
"""Where a run's folder holds the model it made."""


@dataclass(frozen=True)
class Course:
    """All of a run: the network's shape (which says its kind), how it learns, how long.

    `acoustic` is the folder of the acoustic model whose spectra a WaveNet learns from, if not from measured ones; `start` that
    of a model, or of a voice, whose weights it begins with.
    """

    shape: Shape | AcousticShape
    settings: Settings
    plan: Plan
    acoustic: Path | None = None
    start: Path | None = None

    @property
    def config(self) -> dict[str, Any]:
        """The model's configuration."""
        return self.shape.config() if isinstance(self.shape, Shape) else acoustic_config(self.shape)

    def recipe(self, corpus: Corpus) -> dict[str, Json]:
        """What makes the run again, as JSON; equal recipes go on in one folder."""
        return {**self.config, **asdict(self.settings), **{f"plan_{key}": value for key, value in asdict(self.plan).items()},
                "acoustic": file_hash(self.acoustic / own.WEIGHTS) if self.acoustic else "",
                **({"from_sha256": file_hash(self.start / own.WEIGHTS)} if self.start else {}),
                "corpus": str(corpus.folder.resolve()), "data_sha256": str(corpus.manifest["data_sha256"])}  # fmt: skip


def learn(corpus: Corpus, folder: Path, course: Course, studio: Path | None, listen: Listener = lambda record: None, *,
          fresh: bool = False, command: Sequence[str] = ()) -> Path:  # fmt: skip
    """Train in `folder`, going on where an earlier call was stopped, and return the model's folder.

    Raises `UserError` before anything is read if a recording's consent is missing, ended or taken back (`studio` keeps
    them) or that of a voice it begins with; for a run begun with other settings; for a loss that is not a number. A run that
    is stopped leaves the best model so far.
    """
    consent.still_granted(studio, corpus.manifest.get("works", ()))
    _fitting(corpus, course)
    begun, before = _begun(course, studio) if course.start else (None, [])
    acoustic = AcousticModel.open(course.acoustic) if course.acoustic else None
    recipe = course.recipe(corpus)
    with open_run(folder, recipe, fresh) as run:
        torch.manual_seed(course.settings.seed)
        experiment: Vocoder | AcousticTraining
        net = _network(course.shape)
        if isinstance(net, WaveNet):
            experiment = Vocoder(net, corpus, course.settings, acoustic)
        else:
            experiment = AcousticTraining(net, corpus, course.settings)
        if begun is not None:
            experiment.modules["model"].load_state_dict(begun)
        run.train(experiment, course.plan, listen, lambda done: write_model(folder, corpus, course, recipe, command, before))
    return folder / MODEL


def _fitting(corpus: Corpus, course: Course) -> None:
    shape = course.shape
    if course.settings.batch < (world := distributed.world()):
        raise UserError(f"{world} processes cannot share a batch of {course.settings.batch}; take --batch {world} or more")
    if isinstance(shape, Shape):
        if (shape.rate, shape.hop, shape.features) != (RATE, HOP, SIZE):
            raise UserError(f"a WaveNet for this corpus takes {SIZE} features every {HOP} samples at {RATE} Hz")
        if course.settings.window * HOP <= shape.receptive_field:
            raise UserError(f"a window of {course.settings.window} frames is no longer than the receptive field "
                            f"({shape.receptive_field} samples); take --window {shape.receptive_field // HOP + 17}")  # fmt: skip
    if len(corpus.speakers) > max(1, shape.speakers):
        raise UserError(f"the corpus has {len(corpus.speakers)} speakers and the network {shape.speakers}; give it as many")
    batch = course.settings.batch // world
    if isinstance(shape, Shape):
        # Of each layer both taps, filter, gate and their product.
        kept = batch * course.settings.window * HOP * shape.layers * 5 * shape.residual
        smaller = "--batch, --window, --residual or --layers"
    else:
        # Of each block its input, the wide one's twice, and the norm's.
        clips = [clip for clip in corpus.part(False) if clip.symbols]
        if not clips:
            raise UserError("nobody has said what is spoken in this corpus; lay NAME.txt beside each recording and prepare it again")
        kept = min(batch, len(clips)) * sum(clip.frames for clip in clips) // len(clips) * shape.decoder * 10 * shape.width
        smaller = "--batch or --width"
    memory.must_fit(lambda: _network(shape), kept, course.settings.precision, smaller)


def _network(shape: Shape | AcousticShape) -> WaveNet | Acoustic:
    return WaveNet(shape) if isinstance(shape, Shape) else Acoustic(shape)


def _begun(course: Course, studio: Path | None) -> tuple[dict[str, torch.Tensor], list[dict[str, Any]]]:
    """The weights that a run begins with, and what these learned from. Raises `UserError` for another network, and for a voice
    that may not be used."""
    assert course.start is not None
    kind, card = str(course.config["model_type"]), own.read_card(course.start)
    if "trained_on" not in card:
        raise UserError(f"{course.start} has no {own.CARD} that says whose voice it learned; take its folder whole")
    consent.may_speak(card, studio)
    config, tensors = part(course.start, kind)
    wanted = json.loads(own.dumps(course.config))  # As it is written: a tuple is a list.
    if other := [key for key, value in wanted.items() if config.get(key) != value]:
        raise UserError(f"{course.start} is another network ({', '.join(f'{key} {config.get(key)!r:.40}' for key in other)}); "
                        "train one of its shape, or leave --from out")  # fmt: skip
    weights = {name: torch.from_numpy(value).float() for name, value in tensors.items()}
    with torch.device("meta"):  # The network without its memory.
        net = _network(course.shape).state_dict()
    if {name: value.shape for name, value in weights.items()} != {name: value.shape for name, value in net.items()}:
        raise UserError(f"{course.start} holds weights of another network than its {own.CONFIG} says; take its folder whole")
    if checkpoint.not_numbers(weights):
        raise UserError(f"{course.start} holds weights that are no numbers; give another model")
    return weights, card["trained_on"]


def write_model(folder: Path, corpus: Corpus, course: Course, recipe: dict[str, Json], command: Sequence[str],
                before: Sequence[dict[str, Any]] = ()) -> None:  # fmt: skip
    """Write `folder/model`: the averaged weights of the best validation, configuration and card, which tells too what the
    weights it began with had learned from `before`."""
    weights, state = checkpoint.load(folder / BEST)
    target, manifest = folder / MODEL, corpus.manifest
    works = [*manifest["works"], *(work for work in before if work not in manifest["works"])]
    with atomic(target / own.WEIGHTS) as temporary:
        save_file({name: tensor.float().contiguous() for name, tensor in weights.items()}, temporary, {"format": "pt"})
    write_atomic(target / own.CONFIG, own.dumps(course.config))
    own.write_card(target, {
        "name": folder.name, "title": folder.name, "kind": course.config["model_type"],
        "licence": " AND ".join(sorted({str(work.get("licence") or "unknown") for work in works})),
        "trained_on": works, "speakers": corpus.speakers, "languages": corpus.languages,
        "corpus": str(corpus.folder.resolve()),
        "seconds": manifest["seconds"], "data_sha256": manifest["data_sha256"],
        "parameters": sum(tensor.numel() for tensor in weights.values()), "made": now(),
        "recipe": {"command": shlex.join(command), **recipe, "steps": state["step"], "tokens": state["tokens"],
                   "seconds": round(state["seconds"], 1)},
        "measured": {"validation_loss": state["best"],
                     "unit": "nats a sample" if isinstance(course.shape, Shape) else "weighted error"},
    })  # fmt: skip


def load_network(folder: Path) -> nn.Module:
    """The network in a model's folder with its weights, to train on or to compare with. Raises `UserError`."""
    config = own.read_config(folder)
    net = WaveNet(Shape.read(config)) if config["model_type"] == "wavenet" else Acoustic(AcousticShape.read(config), 0.0)
    tensors = {name: torch.from_numpy(value) for name, value in own.read_tensors(folder).items()}
    try:
        net.load_state_dict(tensors)
    except RuntimeError as error:
        raise UserError(f"{folder} holds weights of another network than its {own.CONFIG} says; take it whole") from error
    return net.eval()
