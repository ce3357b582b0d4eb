"""A style or a subject put on a Stable Diffusion checkpoint: a run in a folder, and at its end a LoRA that any program reads."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mofang.image.data import Pictures, Split
from mofang.image.data.prepare import Preparing, prepare
from mofang.image.data.store import MANIFEST, SIZES
from mofang.image.engines.diffusers import find
from mofang.image.engines.diffusers.engine import native, opened
from mofang.image.safe import open_picture
from mofang.image.train.adapt import Adapting, AdaptSettings, Examples
from mofang.models import own
from mofang.studio.atomic import atomic, atomic_folder, write_atomic
from mofang.studio.errors import UserError
from mofang.studio.library import now
from mofang.training import checkpoint, distributed
from mofang.training.loop import BEST, Listener, Plan
from mofang.training.run import apart, open_run

MODEL, DATA, PRIOR = "model", "dataset", "prior"
ABLE = ("StableDiffusionPipeline", "StableDiffusionXLPipeline")

Kind = Literal["lora", "dreambooth"]


@dataclass(frozen=True)
class Tuning:
    """How an adapter is trained. `subject` are the words that will call what is learned: put before each caption of a
    `lora`, the whole caption of a `dreambooth` ("a photo of sks dog"). `group` names the subject's class ("a photo of a
    dog"), of which the base paints `prior` pictures to be kept true to. `size`: pixels a side (0: the checkpoint's)."""

    settings: AdaptSettings
    plan: Plan
    kind: Kind = "lora"
    subject: str = ""
    group: str = ""
    prior: int = 100
    size: int = 0
    licence: str = ""
    prompts: tuple[str, ...] = ()

    def check(self) -> None:
        """Raise `UserError` for settings that do not go together."""
        if self.kind == "dreambooth" and not (self.subject.strip() and self.group.strip()):
            raise UserError("DreamBooth needs --subject 'a photo of sks dog' and --group 'a photo of a dog'")
        if self.kind == "lora" and self.group:
            raise UserError("--group is DreamBooth's; leave it out, or take --kind dreambooth")


def finetune(base: find.Checkpoint, works: Path, folder: Path, tuning: Tuning, listen: Listener = lambda record: None, *,
             studio: Path | None = None, fresh: bool = False, command: Sequence[str] = ()) -> Path:  # fmt: skip
    """Train in `folder` on `works` (a prepared dataset, or pictures), going on where an earlier call was stopped.

    Returns `folder/model`, which holds the LoRA as diffusers reads it (`model.safetensors`), `config.json` and a card. A run
    that is stopped leaves the best so far there too. Raises `UserError`.
    """
    tuning.check()
    apart(folder, [works])
    if base.pipeline not in ABLE:
        raise UserError(f"{base.name} is a {base.pipeline}; Stable Diffusion 1.5, 2 and XL can be fine-tuned here")
    library = find.library()
    recipe = {"base": base.name, "base_key": base.key(), "works": str(works.resolve()), "kind": tuning.kind, "subject": tuning.subject,
              "group": tuning.group, "prior": tuning.prior, "size": tuning.size, "prompts": list(tuning.prompts),
              **asdict(tuning.settings), **{f"plan_{key}": value for key, value in asdict(tuning.plan).items()}}  # fmt: skip
    with open_run(folder, recipe, fresh, (DATA, PRIOR)) as run:
        pipe = opened(library, base, whole=True)
        pictures = _pictures(works, folder / DATA, tuning, native(pipe), studio)
        experiment = _experiment(pipe, pictures, folder, tuning)
        run.train(experiment, tuning.plan, listen,
                  lambda done: _write(experiment, base, pictures, folder, tuning, recipe, command))  # fmt: skip
    return folder / MODEL


def _experiment(pipe: Any, pictures: Pictures, folder: Path, tuning: Tuning) -> Adapting:
    parts = [pictures.split(name) for name in ("train", "val")]
    if not len(parts[0]):
        raise UserError("the dataset holds no pictures to train on; prepare it with more, or with --val 0")
    if not len(parts[1]):
        parts[1] = parts[0]  # Judged, for want of more, by what it was trained on.
    data, held_out = (Examples(pipe, _whole(part), _captions(part, tuning)) for part in parts)
    prior = None
    if tuning.kind == "dreambooth" and tuning.prior:
        painted = _prior(pipe, folder / PRIOR, tuning, pictures.size)
        prior = Examples(pipe, painted, [tuning.group] * len(painted))
    prompts = tuning.prompts or tuple(dict.fromkeys([tuning.subject or data.captions[0], data.captions[-1]]))
    return Adapting(pipe, data, held_out, prior, tuning.settings, prompts)


def _whole(part: Split) -> NDArray[np.uint8]:
    """All pictures of a split; those clear in places lie on white, as everywhere they are shown."""
    from mofang.image.safe import on_white

    pictures = part.take(np.arange(len(part)))
    return pictures if part.channels == 3 else np.stack([on_white(each) for each in pictures])


def _captions(part: Split, tuning: Tuning) -> list[str]:
    """What is said of each picture, in English where there is English: CLIP reads little else."""
    if tuning.kind == "dreambooth":
        return [tuning.subject] * len(part)
    said = []
    for line in part.lines:
        words = line["caption"]
        caption = words.get("en") or words.get("") or next(iter(words.values()), "")
        said.append(", ".join(filter(None, (tuning.subject, str(caption)))))
    return said


def _prior(pipe: Any, folder: Path, tuning: Tuning, side: int) -> NDArray[np.uint8]:
    """What the base makes of the class before it learns, painted once a run."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    pipe.set_progress_bar_config(disable=True)
    for number in range(tuning.prior if distributed.rank() == 0 else 0):
        path = folder / f"{number:04}.png"
        if not path.is_file():
            with torch.inference_mode():
                made = pipe(tuning.group, width=side, height=side, num_inference_steps=25, output_type="np",
                            generator=torch.Generator("cpu").manual_seed(number)).images[0]  # fmt: skip
            with atomic(path) as temporary:
                Image.fromarray((np.clip(made, 0, 1) * 255).round().astype(np.uint8)).save(temporary, "PNG")
    distributed.wait()
    return np.stack([open_picture(folder / f"{number:04}.png") for number in range(tuning.prior)])


def _pictures(works: Path, place: Path, tuning: Tuning, side: int, studio: Path | None) -> Pictures:
    """The works prepared, once a run; a dataset that is prepared already is taken as it is."""
    if (works / MANIFEST).is_file():
        return Pictures.open(works)
    if distributed.rank() == 0 and not (place / MANIFEST).is_file():
        size = min(tuning.size or side, SIZES[1]) // 8 * 8
        prepare([works], place, Preparing(size=size, licence=tuning.licence), studio=studio)
    distributed.wait()
    return Pictures.open(place)


def _write(experiment: Adapting, base: find.Checkpoint, pictures: Pictures, folder: Path, tuning: Tuning, recipe: dict[str, Any],
           command: Sequence[str]) -> None:  # fmt: skip
    """The LoRA of the best validation, in diffusers' own spelling, and its card."""
    from peft.utils import get_peft_model_state_dict

    weights, state = checkpoint.load(folder / BEST)
    experiment.adapter.load_state_dict(weights)
    learned = {name: weight.detach().float().cpu().contiguous() for name, weight in get_peft_model_state_dict(experiment.unet).items()}
    card = {
        "name": folder.name, "title": folder.name, "kind": "image", "licence": str(pictures.manifest.get("licence", "unknown")),
        "base": {"name": base.name, "licence": base.licence, "key": recipe["base_key"]},
        "trained_on": pictures.manifest["works"], "data_sha256": pictures.manifest["sha256"], "made": now(),
        "parameters": sum(weight.numel() for weight in learned.values()),
        "recipe": {"command": shlex.join(command), **recipe, "steps": state["step"], "pictures": state["tokens"],
                   "seconds": round(state["seconds"], 1)},
        "measured": {"validation_loss": state["best"]},
    }  # fmt: skip
    with atomic_folder(folder / MODEL, own.CONFIG) as place:
        type(experiment.pipe).save_lora_weights(place, unet_lora_layers=learned, weight_name=own.WEIGHTS)
        config = {"model_type": "lora", "base": base.name, "pipeline": base.pipeline, "rank": tuning.settings.rank,
                  "called_by": tuning.subject}  # fmt: skip
        write_atomic(place / own.CONFIG, own.dumps(config))
        own.write_card(place, card)
