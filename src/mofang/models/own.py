"""Models that Mofang trained: a folder with weights, a configuration, a tokenizer and a card.

`config.json` says which network, `model.safetensors` holds its weights, `card.json` says what it learned from, how, and
how well. A Transformer's folder is in the Hugging Face layout and opens in Transformers as it is.
"""

import hashlib
import json
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.models.formats.safetensors import safetensors_header
from mofang.models.source import folder_from
from mofang.studio.atomic import write_atomic
from mofang.studio.errors import UserError
from mofang.studio.library import file_hash

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "card.json"
PLACES = ("corpus", "command", "data")
"""What a card and its recipe say of the computer that trained the model, which others need not know."""
LARGEST_JSON = 16 << 20
"""Bytes of a configuration or a card; more is neither."""

Config = dict[str, Any]


def shelves(studio: Path | None = None) -> list[Path]:
    """Where models lie, the creator's own first: `$MOFANG_WEIGHTS`, the studio's, those that ship with the program."""
    places = [
        folder_from("MOFANG_WEIGHTS"),
        studio / "models" if studio else None,
        studio / "runs" if studio else None,
        Path(__file__).parents[3] / "weights",  # a checkout
        Path(sys.prefix) / "share" / "mofang" / "weights",  # an installed wheel
    ]
    return [place for place in places if place and place.is_dir()]


def names(studio: Path | None = None) -> dict[str, Path]:
    """Every model on the shelves by name; the first shelf that has a name wins."""
    found: dict[str, Path] = {}
    for shelf in shelves(studio):
        for path in sorted(shelf.iterdir()):
            if not path.name.startswith(".") and (place := _inside(path)):
                found.setdefault(path.name, place)
    return found


def _inside(path: Path) -> Path | None:
    """Where in a folder a model lies: in it, or for a run in its `model/`."""
    return next((place for place in (path, path / "model") if (place / CONFIG).is_file()), None)


def find(name: str | Path, studio: Path | None = None) -> Path:
    """The folder of a model, given as a path or by name. Raises `UserError` naming the nearest."""
    known = names(studio)
    try:
        path = Path(name).expanduser()
        if str(name) and (place := _inside(path)):
            return place
        is_folder = bool(str(name)) and path.is_dir()
    except (OSError, ValueError, RuntimeError):  # Too long for a name, with a zero byte, or in nobody's home: no path.
        is_folder = False
    if str(name) in known:
        return known[str(name)]
    if is_folder:
        raise UserError(f"{path} is no model: it has no {CONFIG}; give the folder that training wrote")
    near = get_close_matches(str(name), list(known), n=1, cutoff=0.4)
    have = f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(known) or 'none yet'}"
    raise UserError(f"there is no model {str(name)[:60]!r}{have}")


def key(folder: Path) -> str:
    """`name@hash`, as recipes name the model in `folder`: the weights are part of what made a thing, and another model under the
    same name makes another."""
    return f"{folder.parent.name if folder.name == 'model' else folder.name}@{_hash(folder)[:16]}"


def find_again(key: str, studio: Path | None = None) -> Path:
    """The folder of the model that a recipe names by its `key`, under that name or another. Raises `UserError` if it is not here."""
    name, _, mark = key.partition("@")
    known = names(studio)
    try:
        found = [find(name, studio)]
    except UserError:
        found = []
    for folder in (*found, *(place for other, place in known.items() if mark and other != name and _says(place, mark))):
        if is_of(folder, key):
            return folder
    if found:
        raise UserError(f"the model {name} is another than the one that made this (SHA-256 {mark}…); put that one back")
    there = f"; put its folder into {studio / 'models'}" if studio else "; put it back"
    raise UserError(f"the model that made this is not here: {name[:60]} (SHA-256 {mark}…){there}")


def is_of(folder: Path, key: str) -> bool:
    """Whether the model in `folder` is the one that a recipe names by its `key`, whatever it is called here."""
    mark = key.partition("@")[2]
    return _hash(folder)[: len(mark)] == mark


def _says(folder: Path, mark: str) -> bool:
    """Whether its card claims weights whose hash begins so: it is read first, for hashing takes a while."""
    try:
        return str(read_card(folder).get("sha256", "")).startswith(mark)
    except UserError:
        return False


def read_config(folder: Path) -> Config:
    """The configuration of the model in `folder`. Raises `UserError`."""
    config = _read_json(folder / CONFIG)
    if not isinstance(config.get("model_type"), str):
        raise UserError(f"{folder / CONFIG} names no kind of network (model_type); train or fetch the model again")
    return config


def read_tensors(folder: Path, name: str = WEIGHTS) -> dict[str, NDArray[np.float32]]:
    """Every weight of a file as float32, by name; F32, F16 and BF16 are understood. Raises `UserError` for anything else."""
    path = folder / name
    header = safetensors_header(path)
    tensors: dict[str, NDArray[np.float32]] = {}
    with path.open("rb") as file:
        start = 8 + int.from_bytes(file.read(8), "little")
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            if entry["dtype"] not in _READERS:
                raise UserError(f"{path} holds {entry['dtype']} weights; own models have F32, F16 or BF16")
            begin, end = entry["data_offsets"]
            file.seek(start + begin)
            tensors[name] = _READERS[entry["dtype"]](file.read(end - begin)).reshape(entry["shape"])
    return tensors


def _bf16(raw: bytes) -> NDArray[np.float32]:
    # bfloat16 is the upper half of a float32.
    return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)


_READERS = {
    "F32": lambda raw: np.frombuffer(raw, "<f4").astype(np.float32),
    "F16": lambda raw: np.frombuffer(raw, "<f2").astype(np.float32),
    "BF16": _bf16,
}


def halved(value: NDArray[np.float32]) -> NDArray[Any]:
    """A weight as float16, or as it is if it is too large for that."""
    with np.errstate(over="ignore"):
        half = value.astype(np.float16)
    return half if np.isfinite(half).all() else value


def read_card(folder: Path) -> dict[str, Any]:
    """The card of the model, empty if it has none."""
    return _read_json(folder / CARD) if (folder / CARD).is_file() else {}


def title(folder: Path) -> str:
    """What the model's card calls it, else its folder's name."""
    return str(read_card(folder).get("title") or folder.name)


def write_card(folder: Path, card: dict[str, Any]) -> None:
    """Write the card, with the hash of the weights it speaks of."""
    write_atomic(folder / CARD, dumps({**card, "sha256": _hash(folder)}))


def _hash(folder: Path) -> str:
    """SHA-256 of a model's weights; of its graphs' hashes where it is kept as graphs alone."""
    weights, graphs = folder / WEIGHTS, sorted(folder.glob("*.onnx"))
    if weights.exists() or not graphs:
        return file_hash(weights)
    return hashlib.sha256("".join(map(file_hash, graphs)).encode()).hexdigest()


def dumps(value: dict[str, Any]) -> str:
    """JSON as the files of a model have it: readable, and ending in a line break."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _read_json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise UserError(f"{path} is far too large to be what it says; fetch or train the model again")
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read ({error}); fetch or train the model again") from error
    if not isinstance(value, dict):
        raise UserError(f"{path} is no JSON object; fetch or train the model again")
    return value
