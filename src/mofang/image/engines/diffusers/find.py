"""Diffusion checkpoints of others: found, looked through, and opened. Nothing of theirs is ever run."""

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mofang.models import own
from mofang.models.formats.safetensors import safetensors_header
from mofang.models.hub import REPOSITORY, fetch
from mofang.models.licences import licence_of
from mofang.models.safety import check_weights
from mofang.studio.errors import UserError
from mofang.studio.library import file_hash

INDEX = "model_index.json"
LORA = "pytorch_lora_weights.safetensors"
FETCHED = (INDEX, "*/*.json", "*/*.safetensors", "*/*.txt", "*/*.model", "README.md", "LICENSE*")
SETTINGS = (INDEX, "*/*.json", "*/*.txt", "*/*.model")
"""What of a repository describes a single file."""
LEFT = ("*.fp16.*", "*.bf16.*", "*non_ema*", "*/openvino*", "*/flax*")
"""What of a repository on the hub is fetched, and what of that is not: copies in other types."""
LIBRARIES = ("diffusers", "transformers", "stable_diffusion")
"""Where a component's class may come from; anything else is a program that the checkpoint brings."""
_BY_KEY = (
    ("conditioner.embedders.1.model.", "StableDiffusionXLPipeline", "stabilityai/stable-diffusion-xl-base-1.0"),
    ("joint_blocks.", "StableDiffusion3Pipeline", "stabilityai/stable-diffusion-3-medium-diffusers"),
    ("double_blocks.", "FluxPipeline", "black-forest-labs/FLUX.1-dev"),
    ("cond_stage_model.model.", "StableDiffusionPipeline", "stabilityai/stable-diffusion-2"),
    ("model.diffusion_model.input_blocks.", "StableDiffusionPipeline", "stable-diffusion-v1-5/stable-diffusion-v1-5"),
)
"""What a single file holds by the names of its weights: the pipeline, and whose configuration describes it."""
_FIRST = "model.diffusion_model.input_blocks.0.0.weight"
_INPAINTING = {"StableDiffusionPipeline": ("StableDiffusionInpaintPipeline", "stable-diffusion-v1-5/stable-diffusion-inpainting"),
               "StableDiffusionXLPipeline": ("StableDiffusionXLInpaintPipeline", "diffusers/stable-diffusion-xl-1.0-inpainting-0.1")}
"""The same for networks whose first layer takes nine channels: the latent, the mask and what is left of the picture."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint's files, checked: its folder, or a single file with the pipeline that reads it and the folder (or the
    hub's name) that describes it. `files` are its weights; `licence` what it says of itself."""

    name: str
    path: Path
    pipeline: str
    files: tuple[Path, ...]
    licence: str
    described_by: str = ""

    @property
    def size(self) -> int:
        """Bytes of weights."""
        return sum(file.stat().st_size for file in self.files)

    def key(self) -> str:
        """`name@sha256`, the hash being that of the file, or over those of all files."""
        hashes = [file_hash(file) for file in self.files]
        whole = hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()
        return f"{self.name}@{whole}"


def library() -> Any:
    """diffusers, quiet. Raises `UserError` naming what to install."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        import diffusers
        import torch  # noqa: F401
        import transformers
    except ImportError as error:
        raise UserError(f"this needs diffusers ({error.name} is missing): pip install 'mofang[diffusers]'") from error
    found: Any = diffusers
    language: Any = transformers
    for package in (found, language):
        package.utils.logging.set_verbosity_error()
        package.utils.logging.disable_progress_bar()
    return found


def find(name: str) -> Checkpoint:
    """A folder as diffusers writes it, a single safetensors file, or a repository on the hub (`owner/model`,
    `owner/model@revision`), fetched once into the hub's own cache unless fetching is off. Raises `UserError`."""
    if not name:
        raise UserError("name the checkpoint: diffusers:FOLDER, diffusers:FILE.safetensors or diffusers:owner/model")
    path = Path(name).expanduser()
    try:
        is_file, is_folder = path.is_file(), path.is_dir()
    except (OSError, ValueError):
        is_file = is_folder = False
    if is_file:
        return _single(path)
    return _folder(path, path.resolve().name) if is_folder else _folder(_fetch(name), name)


def find_lora(text: str, studio: Path | None = None) -> tuple[Path, float]:
    """`FILE`, `FOLDER` or the name of a LoRA of one's own, with `:weight` or without (1). Raises `UserError`."""
    name, colon, last = text.rpartition(":")
    weight = 1.0
    if colon and re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)", last):
        weight = float(last)
    else:
        name = text
    if not -4 <= weight <= 4:
        raise UserError(f"a LoRA's weight of {weight:g} makes noise; give -4 to 4, mostly 0.5 to 1")
    path = Path(name).expanduser()
    known = own.names(studio)
    places = [path, path / LORA, path / own.WEIGHTS, path / "model" / own.WEIGHTS]
    if name in known:
        places.append(known[name] / own.WEIGHTS)
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        raise UserError(f"there is no LoRA {name[:80]}; give its safetensors file, its folder, or the name of one of yours")
    if check_weights(file) != "safetensors":
        raise UserError(f"{file.name} is no LoRA in safetensors; convert it")
    if not any("lora" in key.lower() for key in safetensors_header(file)):
        raise UserError(f"{file.name} holds no LoRA; as a whole checkpoint it is given as diffusers:{file.name}")
    return file, weight


def component(folder: Path) -> list[Path]:
    """The weights of a folder with one network (a ControlNet) in diffusers' layout. Raises `UserError`."""
    if not (folder / "config.json").is_file():
        raise UserError(f"{folder} is no ControlNet: it has no config.json; give the folder diffusers wrote")
    return _weights(folder, folder.name)


def settings(checkpoint: Checkpoint) -> Path:
    """The folder that describes a single file, fetched if it is a name on the hub. Raises `UserError`."""
    folder = Path(checkpoint.described_by)
    if folder.is_dir():
        return folder
    try:
        # Not left to diffusers, which goes to the network for it even when it is told not to.
        folder = fetch(checkpoint.described_by, SETTINGS, extra="diffusers")
    except UserError as error:
        raise UserError(f"how {checkpoint.name} is built must be known ({error}), or its folder of settings be put beside it as "
                        f"{checkpoint.path.with_suffix('').name}/") from error  # fmt: skip
    _parts(_index(folder, checkpoint.described_by), checkpoint.described_by)
    return folder


def _single(path: Path) -> Checkpoint:
    kind = check_weights(path)
    if kind != "safetensors":
        raise UserError(f"{path.name} is {kind}, which diffusers does not open; give safetensors or a folder")
    header = safetensors_header(path)
    found = next(((cls, repo) for part, cls, repo in _BY_KEY if any(part in key for key in header)), None)
    if found is None:
        what = "a LoRA; give it with --lora" if any("lora" in key.lower() for key in header) else "no checkpoint that is known here"
        raise UserError(f"{path.name} is {what}")
    if _FIRST in header and header[_FIRST]["shape"][1:2] == [9]:
        found = _INPAINTING.get(found[0], found)
    beside = path.with_suffix("")
    if (beside / INDEX).is_file():
        index = _index(beside, path.stem)
        _parts(index, path.stem)
        return Checkpoint(path.stem, path, str(index["_class_name"]), (path,), licence_of(beside), str(beside))
    return Checkpoint(path.stem, path, found[0], (path,), "unknown", found[1])


def _parts(index: dict[str, Any], name: str) -> list[str]:
    """The components that an index names, whose classes come from libraries that are known. Raises `UserError`."""
    found = []
    for part, entry in index.items():
        if not isinstance(entry, list) or len(entry) != 2 or entry[0] is None or part.startswith("_"):
            continue
        if entry[0] not in LIBRARIES:
            raise UserError(f"{name} brings programs of its own ({str(entry[0])[:40]}), which are not run; choose another checkpoint")
        found.append(part)
    return found


def _folder(folder: Path, name: str) -> Checkpoint:
    index = _index(folder, name)
    files: list[Path] = []
    for part in _parts(index, name):
        place = folder / part
        if not place.is_dir():
            raise UserError(f"{name} has no folder {part}, which its {INDEX} names; fetch it whole")
        if (place / "config.json").is_file():
            files += _weights(place, f"{name}/{part}")
    if not files:
        raise UserError(f"{name} holds no weights; fetch it whole")
    return Checkpoint(name, folder, str(index["_class_name"]), tuple(files), licence_of(folder))


def _index(folder: Path, name: str) -> dict[str, Any]:
    path = folder / INDEX
    if not path.is_file():
        raise UserError(f"{name} is no diffusion checkpoint: it has no {INDEX}; give the folder that has one")
    try:
        if path.stat().st_size > 1 << 20:
            raise ValueError("far too long")
        index = json.loads(path.read_text("utf-8"))
        if not isinstance(index, dict) or not isinstance(index.get("_class_name"), str):
            raise ValueError("it names no pipeline of diffusers")
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read ({str(error)[:60]}); fetch the checkpoint again") from error
    return index


def _weights(folder: Path, name: str) -> list[Path]:
    """The safetensors of one component, as diffusers and Transformers would choose them. Raises `UserError`."""
    found = sorted(path for path in folder.glob("*.safetensors"))
    whole = [path for path in found if path.name.count(".") == 1] or found  # Not the copies in other types: model.fp16.safetensors.
    if not whole:
        raise UserError(f"{name} has no weights in safetensors; other formats can run any program when they are loaded: "
                        "convert it, or choose another checkpoint")  # fmt: skip
    for path in whole:
        safetensors_header(path)
    return whole


def _fetch(name: str) -> Path:
    if not REPOSITORY.fullmatch(name):
        raise UserError(f"{name[:80]} is neither there nor a name on the hub; give a folder, a safetensors file or owner/model")
    return fetch(name, FETCHED, LEFT, extra="diffusers")
