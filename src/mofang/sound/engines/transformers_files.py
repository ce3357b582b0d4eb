"""Checkpoints of others that Transformers runs: looked through before they are opened. Nothing of theirs is ever run."""

import hashlib
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mofang.models import own
from mofang.models.hub import REPOSITORY, fetch, first_line, transformers
from mofang.models.licences import licence_of
from mofang.models.safety import check_weights
from mofang.studio.errors import UserError
from mofang.studio.library import file_hash

FETCHED = ("*.json", "model*.safetensors", "*.model", "vocab*", "merges.txt", "README.md", "LICENSE*")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint's files, checked: its name, folder, configuration and weights."""

    name: str
    folder: Path
    config: dict[str, Any]
    files: tuple[Path, ...]

    def key(self) -> str:
        """`name@sha256`, the hash being that over the hashes of all weights."""
        whole = hashlib.sha256("".join(file_hash(file) for file in self.files).encode()).hexdigest()
        return f"{self.name}@{whole}"

    @property
    def licence(self) -> str:
        """What its README says of its terms."""
        return licence_of(self.folder)


def find(name: str) -> Checkpoint:
    """A folder in the Hugging Face layout, or `owner/model` of the hub, fetched once unless fetching is off. Raises `UserError`
    for one that brings programs or pickles, or is broken."""
    try:
        folder = Path(name).expanduser()
        is_folder = bool(name) and folder.is_dir()
    except (OSError, RuntimeError, ValueError):
        is_folder = False
    if not is_folder:
        folder = _fetch(name)
    if not (folder / own.CONFIG).is_file():
        raise UserError(f"{name} is no model in the Hugging Face layout: it has no {own.CONFIG}; give the folder that has one")
    for part in folder.glob("*.json"):
        if part.name.endswith("config.json") and part.stat().st_size < own.LARGEST_JSON and b'"auto_map"' in part.read_bytes():
            raise UserError(f"{name} brings programs of its own, which are not run; choose a model that Transformers knows")
    files = tuple(sorted(folder.glob("model*.safetensors")))
    if not files:
        raise UserError(f"{name} has no weights in safetensors; other formats can run any program when they are loaded: convert it")
    for file in files:
        check_weights(file)
    return Checkpoint(folder.resolve().name if is_folder else name, folder, own.read_config(folder), files)


def _fetch(name: str) -> Path:
    if not REPOSITORY.fullmatch(name):
        raise UserError(f"{name[:80]} is neither there nor a name on the hub; give a folder or owner/model")
    return fetch(name, FETCHED)


def opened(checkpoint: Checkpoint, class_name: str) -> Any:
    """The network as the class of Transformers of that name, in float32, ready to run. Raises `UserError`."""
    try:
        kind = getattr(transformers(), class_name)
        with warnings.catch_warnings():
            # Older networks are built with layers that torch means to drop.
            warnings.simplefilter("ignore", FutureWarning)
            network, found = kind.from_pretrained(checkpoint.folder, use_safetensors=True, local_files_only=True,
                                                  trust_remote_code=False, output_loading_info=True)  # fmt: skip
    except UserError:
        raise
    except Exception as error:  # Broken files raise whatever they lead to, from three packages.
        raise UserError(f"Transformers cannot open {checkpoint.name} ({first_line(error)}); fetch it again") from error
    lacking = Counter(key.partition(".")[0] for key in found["missing_keys"])
    for part, count in Counter(key.partition(".")[0] for key in network.state_dict()).items():
        # A table that the class can compute may be left out; a network that is left out would be noise.
        if lacking[part] > count // 2:
            raise UserError(f"{checkpoint.name} lacks the weights of its {part}; fetch it again, whole")
    return network.eval()


def on_device(network: Any) -> Any:
    """The network on the graphics card, if there is one."""
    import torch

    return network.to("cuda") if torch.cuda.is_available() else network


def tokenizer(checkpoint: Checkpoint) -> Any:
    """Its tokenizer. Raises `UserError`."""
    if not any(any(checkpoint.folder.glob(name)) for name in ("tokenizer.json", "*.model", "vocab*")):
        # Transformers would make one that knows no word at all.
        raise UserError(f"{checkpoint.name} has no vocabulary (tokenizer.json, vocab.json or a .model file); fetch it whole")
    try:
        return transformers().AutoTokenizer.from_pretrained(checkpoint.folder, local_files_only=True, trust_remote_code=False)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{checkpoint.name} has no tokenizer that can be opened ({first_line(error)}); fetch it whole") from error
