"""From recordings to a model: a run in a folder, and at its end the network that did best on what was held out."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from mofang.models import own
from mofang.sound.jukebox.codec import Codec
from mofang.sound.jukebox.data import Corpus, still_covered
from mofang.sound.jukebox.shape import CodecShape, PriorShape
from mofang.sound.jukebox.train import CodecTraining, PriorTraining, Settings
from mofang.sound.nets.jukebox_codec import CodecNet
from mofang.sound.nets.jukebox_prior import PriorNet
from mofang.studio.atomic import atomic, write_atomic
from mofang.studio.errors import UserError
from mofang.studio.library import file_hash, now
from mofang.training import checkpoint, distributed, memory
from mofang.training.loop import BEST, Experiment, Listener, Plan
from mofang.training.run import open_run

MODEL = "model"
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Course:
    """All of a run: the network's shape (which says its kind), how it learns, how long; for a prior, the codec's folder."""

    shape: CodecShape | PriorShape
    settings: Settings
    plan: Plan
    codec: Path | None = None

    def recipe(self, corpus: Corpus) -> dict[str, Any]:
        """What makes the run again, as JSON; equal recipes go on in one folder."""
        return {**self.shape.config(), **asdict(self.settings), **{f"plan_{key}": value for key, value in asdict(self.plan).items()},
                "codec_sha256": file_hash(self.codec / own.WEIGHTS) if self.codec else "",
                "data": str(corpus.folder.resolve()), "data_sha256": str(corpus.manifest["data_sha256"])}  # fmt: skip


def prior_shape(corpus: Corpus, codec: CodecShape, level: int, *, context: int, layers: int, width: int, heads: int,
                lyrics: int = 0) -> PriorShape:  # fmt: skip
    """The shape of a prior for a level of a codec. Raises `UserError` for what does not fit."""
    top = len(codec.strides) - 1
    if not 0 <= level <= top:
        raise UserError(f"this codec has levels 0 (fine) to {top} (coarse), no level {level}")
    ratio = codec.hops[level + 1] // codec.hops[level] if level < top else 0
    try:
        return PriorShape(level, codec.codes, codec.rate / codec.hops[level], corpus.styles, context, layers, width, heads,
                          lyrics if level == top else 0, context // ratio if ratio else 0)  # fmt: skip
    except ValueError as error:
        raise UserError(str(error)) from error


def learn(corpus: Corpus, folder: Path, course: Course, studio: Path | None = None, listen: Listener = lambda record: None, *,
          fresh: bool = False, command: Sequence[str] = ()) -> Path:  # fmt: skip
    """Train in `folder`, going on where an earlier call was stopped, and return the model's folder.

    Raises `UserError` for a recording whose consent has ended or was taken back, for a run begun with other settings, for a
    loss that is not a number. A run that is stopped leaves the best model so far.
    """
    still_covered(corpus, studio)
    if course.settings.batch % (world := distributed.world()):
        raise UserError(f"{world} processes cannot share a batch of {course.settings.batch} evenly; take a multiple: --batch {world}")
    codec = Codec.open(course.codec) if course.codec else None
    rate = course.shape.rate if isinstance(course.shape, CodecShape) else codec.shape.rate if codec else 0
    if rate != corpus.rate:
        raise UserError(f"the recordings have {corpus.rate} samples a second and the codec {rate}; prepare them with --rate {rate}")
    if isinstance(course.shape, CodecShape) and course.settings.window % (hop := course.shape.hops[-1]):
        raise UserError(f"{course.settings.window} samples are no whole number of codes; take a multiple of {hop}")
    memory.must_fit(lambda: _network(course), _kept(course) / world, course.settings.precision, "--batch, --window or --channels"
                    if isinstance(course.shape, CodecShape) else "--batch, --context, --width or --layers")  # fmt: skip
    recipe = course.recipe(corpus)
    with open_run(folder, recipe, fresh) as run:
        torch.manual_seed(course.settings.seed)
        experiment: Experiment
        net = _network(course)
        if isinstance(net, CodecNet):
            experiment = CodecTraining(net, corpus, course.settings)
        else:
            assert codec is not None and isinstance(course.shape, PriorShape)
            kept = folder / f"codes-{recipe['codec_sha256'][:12]}-{recipe['data_sha256'][:12]}.npz"
            codes = encoded(corpus, codec, course.shape, kept)
            experiment = PriorTraining(net, corpus, codes, codec, course.settings)
        run.train(experiment, course.plan, listen, lambda done: _write_model(folder, corpus, course, recipe, command))
    return folder / MODEL


def _network(course: Course) -> CodecNet | PriorNet:
    return CodecNet(course.shape) if isinstance(course.shape, CodecShape) else PriorNet(course.shape, course.settings.dropout)


def _kept(course: Course) -> float:
    """Numbers that a step keeps for its backward pass, at the least."""
    shape, settings = course.shape, course.settings
    if isinstance(shape, PriorShape):
        blocks = shape.layers * memory.kept_by_block(shape.width, shape.inner)
        return settings.batch * ((shape.context + shape.lyrics) * blocks + shape.context * shape.codes)  # And the logits.
    # Of each residual convolution, down and up, its input and both of what is rectified.
    places = sum(settings.window / prod(each[: number + 1]) for each in shape.strides for number in range(len(each)))
    return settings.batch * places * shape.depth * 2 * 3 * shape.width


def encoded(corpus: Corpus, codec: Codec, shape: PriorShape, kept: Path) -> list[list[Ints]]:
    """The codes of every recording at a prior's level and at the one above it, kept in a file: the same ones when it goes on."""
    levels = [shape.level, shape.level + 1] if shape.upper else [shape.level]
    if distributed.rank() == 0 and not kept.is_file():
        found = {}
        for number, entry in enumerate(corpus.entries):
            sound = corpus.samples(entry)
            # A whole number of the coarsest codes: levels end together.
            sound = np.pad(sound, (0, -len(sound) % codec.shape.hops[-1]))
            for level in levels:
                found[f"{number}-{level}"] = codec.encode(sound, level).astype(np.uint16)
        with atomic(kept) as temporary, temporary.open("wb") as file:
            np.savez(file, **found)  # type: ignore[arg-type]
    distributed.wait()
    try:
        with np.load(kept, allow_pickle=False) as file:
            codes = [[file[f"{number}-{level}"].astype(np.int64) for level in levels] for number in range(len(corpus.entries))]
        if any(part.ndim != 1 or not part.size or not 0 <= part.min() <= part.max() < shape.codes for each in codes for part in each):
            raise ValueError("codes that are none")
        return codes
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise UserError(f"{kept} is damaged; delete it and run the same command again") from error


def _write_model(folder: Path, corpus: Corpus, course: Course, recipe: dict[str, Any], command: Sequence[str]) -> None:
    weights, state = checkpoint.load(folder / BEST)
    target, prior = folder / MODEL, isinstance(course.shape, PriorShape)
    with atomic(target / own.WEIGHTS) as temporary:
        # A codec stays exact: its codes are what the priors have learned.
        save_file(checkpoint.narrowed(weights, torch.float16 if prior else torch.float32), temporary, {"format": "pt"})
    config = course.shape.config() | ({"codec_sha256": recipe["codec_sha256"]} if prior else {})
    write_atomic(target / own.CONFIG, own.dumps(config))
    counted = sorted({(entry.style, entry.licence) for entry in corpus.entries})
    own.write_card(target, {
        "name": folder.name, "title": folder.name, "kind": config["model_type"],
        "licence": " AND ".join(sorted({licence for _, licence in counted})),
        "trained_on": [{"title": style, "licence": licence, "pieces": sum((entry.style, entry.licence) == (style, licence)
                        for entry in corpus.entries)} for style, licence in counted],
        "seconds": corpus.manifest["seconds"], "data_sha256": corpus.manifest["data_sha256"],
        "parameters": sum(tensor.numel() for tensor in weights.values()), "made": now(),
        "recipe": {"command": shlex.join(command), **recipe, "steps": state["step"], "tokens": state["tokens"],
                   "seconds": round(state["seconds"], 1)},
        "measured": {"validation_loss": state["best"], "unit": "nats a code" if prior else "share of power and distance of spectra"},
    })  # fmt: skip
