"""From Keras: a `.keras` file of an architecture we have, as an own model. Keras itself is not needed, and no code in the
file is ever run: what is read is a description in JSON and plain arrays in HDF5, both bounded first.
"""

import json
import tempfile
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.models import own
from mofang.studio.errors import UserError
from mofang.text.export import keras_vocabulary
from mofang.text.export.hf import write_own
from mofang.text.export.keras import OURS, SNAKES, h5py_module, reorder
from mofang.text.export.keras_layers import Plan, plan
from mofang.text.export.place import new_folder
from mofang.text.export.source import GATES, Tensors, check_tensors, shapes

LARGEST_JSON = 64 << 20
EXPANSION, ALLOWANCE = 20, 16 << 20
"""A member may unpack to 20 times the file and 16 MB: weights hardly compress."""
_DEFLATE, _SHUFFLE = 1, 2
Numbers = NDArray[np.float32]


def read_keras(path: Path, target: Path, tokenizer: Path | None = None) -> None:
    """Make the own model `target` of the file at `path`: RNN, LSTM, GRU stacks and the Transformer as we export it.

    The tokenizer is the one our own export laid into the file, unless `tokenizer` names another: a folder, or a text file
    with one character a line in the order of ids. Raises `UserError` for another architecture, a hostile or broken file, no
    tokenizer, a taken or full place.
    """
    h5py = h5py_module()
    try:
        with zipfile.ZipFile(path) as archive:
            if len(archive.namelist()) > 10_000:
                raise UserError(f"{path.name} has too many members to be a Keras model")
            found = plan(_json(archive, "config.json"))
            with tempfile.TemporaryFile() as unpacked:
                _unpack(archive, "model.weights.h5", unpacked, EXPANSION * path.stat().st_size + ALLOWANCE)
                with h5py.File(unpacked, "r") as file:
                    tensors = _recurrent(file, found) if found.config["model_type"] in GATES else _transformer(file, found)
            inside = {name.removeprefix(OURS): _member(archive, name, LARGEST_JSON)
                      for name in archive.namelist() if name.startswith(OURS) and name.count("/") == 1}  # fmt: skip
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError,
            NotImplementedError, EOFError) as error:  # fmt: skip
        # h5py raises OSError, KeyError, RuntimeError or ValueError for bytes that are no HDF5.
        raise UserError(f"{path.name} is not a whole Keras model ({str(error)[:100]}); save it again with model.save") from error
    check_tensors(tensors, shapes(found.config), path.name)
    card = _card(inside, path, target)
    files, config, tensors = keras_vocabulary.attach(found.config, tensors, inside, tokenizer)
    with new_folder(target) as folder:
        write_own(folder, config, tensors)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        own.write_card(folder, card)


def _card(inside: dict[str, bytes], path: Path, target: Path) -> dict[str, Any]:
    blank = {"name": target.name, "kind": "text", "licence": "unknown", "imported_from": path.name}
    try:
        given = json.loads(inside.get("card.json", b"{}"))
    except (ValueError, RecursionError):
        given = {}
    return {**blank, **given} if isinstance(given, dict) else blank


def _recurrent(file: Any, found: Plan) -> Tensors:
    config = found.config
    kind, hidden, inputs = config["model_type"], config["hidden_size"], config["embedding_size"]
    vocabulary, gates = config["vocab_size"], GATES[config["model_type"]]
    tensors = {"embedding.weight": _array(file, "layers/embedding/vars/0", (vocabulary, inputs)),
               "head.weight": _array(file, "layers/dense/vars/0", (hidden, vocabulary)).T}  # fmt: skip
    tensors["head.bias"] = (_array(file, "layers/dense/vars/1", (vocabulary,)) if found.head_bias
                            else np.zeros(vocabulary, np.float32))  # fmt: skip
    # Back from Keras's order of gates: the way there is its own way back for all three cells.
    order = (1, 0, 2) if kind == "mofang-gru" else tuple(range(gates))
    for number in range(config["num_layers"]):
        snake = SNAKES[found.layer] + (f"_{number}" if number else "")
        at, before = f"layers/{snake}/cell/vars/", hidden if number else inputs
        kernel, recurrent = _array(file, at + "0", (before, gates * hidden)), _array(file, at + "1", (hidden, gates * hidden))
        shape = (2, gates * hidden) if kind == "mofang-gru" else (gates * hidden,)
        bias = _array(file, at + "2", shape) if found.biases[number] else np.zeros(shape, np.float32)
        first, second = bias if kind == "mofang-gru" else (bias, np.zeros_like(bias))
        named = {"weight_ih": kernel.T, "weight_hh": recurrent.T, "bias_ih": first, "bias_hh": second}
        tensors |= {f"rnn.{number}.{part}": reorder(weight, order) for part, weight in named.items()}
    return {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}


def _transformer(file: Any, found: Plan) -> Tensors:
    """Layers stand in the file under their class and a running number; `found.names` lists them as the graph does."""
    tensors: Tensors = {}
    seen: Counter[str] = Counter()
    groups = {}
    for name, snake in found.names:
        groups[name] = f"layers/{snake}" + (f"_{seen[snake]}" if seen[snake] else "")
        seen[snake] += 1
    wanted = shapes({**found.config, "tie_word_embeddings": False})
    size, width = found.config["head_dim"], found.config["hidden_size"]
    for key, shape in wanted.items():
        part = key.removesuffix(".weight").split(".")[-1]
        name = f"layers_{key.split('.')[2]}_{part}" if key.startswith("model.layers.") else part
        there: tuple[int, ...] = shape if part == "embed_tokens" else shape[::-1]
        if part in ("q_proj", "k_proj", "v_proj"):
            there = (width, shape[0] // size, size)
        elif part == "o_proj":
            there = (shape[1] // size, size, width)
        array = _array(file, groups[name] + "/vars/0", there)
        if part != "embed_tokens" and array.ndim > 1:
            array = array.reshape(shape[::-1]).T
        tensors[key] = np.ascontiguousarray(array)
    if found.config["tie_word_embeddings"] or np.array_equal(tensors["lm_head.weight"], tensors["model.embed_tokens.weight"]):
        found.config["tie_word_embeddings"] = True
        del tensors["lm_head.weight"]
    return tensors


def _array(file: Any, place: str, shape: tuple[int, ...]) -> Numbers:
    """One variable. Its shape, storage and filters are looked at before anything is allocated: a data set of HDF5 can
    claim terabytes of zeros, lie in other files, or ask for a plug-in library to be loaded."""
    dataset = _inside(file, place)
    if dataset is None or getattr(dataset, "shape", None) != shape:
        raise UserError(f"its weights have no {place} of shape {shape}; the description and the weights do not belong together")
    filters = dataset.id.get_create_plist()
    codes = {filters.get_filter(number)[0] for number in range(filters.get_nfilters())}
    if dataset.is_virtual or dataset.external or codes - {_DEFLATE, _SHUFFLE} or dataset.dtype.kind != "f":
        raise UserError(f"its weights at {place} are no plain numbers inside the file; do not trust it")
    if dataset.size * dataset.dtype.itemsize > EXPANSION * dataset.id.get_storage_size() + ALLOWANCE:
        raise UserError(f"its weights at {place} are not in the file; do not trust it")
    return np.asarray(dataset[()], np.float32)


def _inside(file: Any, place: str) -> Any:
    """What lies at a place of this file, or None. A link is not followed: it may lead to any file of this computer."""
    h5py = h5py_module()
    found = file
    for part in place.split("/"):
        if not isinstance(found, h5py.Group) or not isinstance(found.get(part, getlink=True), h5py.HardLink):
            return None
        found = found[part]
    return found


def _json(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    try:
        value = json.loads(_member(archive, name, LARGEST_JSON))
    except RecursionError as error:
        raise ValueError(f"{name} is nested too deep") from error
    if not isinstance(value, dict):
        raise ValueError(f"{name} is no JSON object")
    return value


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    with archive.open(name) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"{name} is far too large")
    return data


def _unpack(archive: zipfile.ZipFile, name: str, out: Any, most: int) -> None:
    with archive.open(name) as file:
        while chunk := file.read(1 << 20):
            if out.tell() + len(chunk) > most:
                raise ValueError(f"{name} unpacks to more than {most >> 20} MB")
            out.write(chunk)
    out.seek(0)
