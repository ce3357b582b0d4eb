"""To Keras: a `.keras` file (a zip of `config.json` and `model.weights.h5`) that Keras 3 loads without any code of ours.

Recurrent stacks are written by hand, so no Keras is needed here. A Transformer is a graph of some hundred operations whose
description is Keras's own business; there its own writer is used, and Keras must be installed.
"""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.studio.errors import UserError
from mofang.text.export.hf import KEPT
from mofang.text.export.place import MARK, marked, new_file
from mofang.text.export.source import Source

LAYERS = {"mofang-rnn": "SimpleRNN", "mofang-lstm": "LSTM", "mofang-gru": "GRU"}
SNAKES = {"SimpleRNN": "simple_rnn", "LSTM": "lstm", "GRU": "gru"}
"""A class → the name its weights have in the file."""
ORDER = {"mofang-rnn": (0,), "mofang-lstm": (0, 1, 2, 3), "mofang-gru": (1, 0, 2)}
"""Gates in Keras's order (LSTM i, f, c, o; GRU z, r, h) by their place in ours (i, f, g, o; r, z, n)."""

WRITTEN_FOR = "3.11.0"
OURS = "mofang/"
"""Folder in the zip for what Keras has no place for: tokenizer and card."""


def write_keras(source: Source, target: Path) -> None:
    """One file: token ids (B, T) → logits (B, T, V). Tokenizer and card lie in it too, under `mofang/`.

    Raises `UserError` if h5py (or, for a Transformer, Keras) is missing, the place is taken or the disk is full.
    """
    with new_file(target, marked) as path:
        if source.kind == "qwen3":
            from mofang.text.export.keras_transformer import save

            save(source, path)
        else:
            _save(source, path)
        with zipfile.ZipFile(path, "a") as archive:
            for name in (*KEPT, "card.json"):
                if (source.folder / name).is_file():
                    _put(archive, OURS + name, (source.folder / name).read_bytes())
            archive.comment = MARK


def h5py_module() -> Any:
    """h5py. Raises `UserError` if it is not installed."""
    try:
        import h5py
    except ImportError as error:
        raise UserError("Keras files need h5py; install it: pip install 'mofang[keras]'") from error
    return h5py


def _save(source: Source, path: Path) -> None:
    h5py = h5py_module()
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        for place, arrays in _weights(source).items():
            group = file.create_group(place)
            for number, array in enumerate(arrays):
                group.create_dataset(str(number), data=array)
    with zipfile.ZipFile(path, "w") as archive:
        _put(archive, "metadata.json", json.dumps({"keras_version": WRITTEN_FOR}).encode())
        _put(archive, "config.json", json.dumps(_config(source)).encode())
        _put(archive, "model.weights.h5", memory.getvalue())


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    # Without the hour of writing, the same model makes the same file.
    archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)


def _config(source: Source) -> dict[str, Any]:
    """The model's description: what is left out has Keras's default."""
    config = source.config
    vocabulary, inputs, hidden, kind = (config[key] for key in ("vocab_size", "embedding_size", "hidden_size", "model_type"))
    recurrent: dict[str, Any] = {"units": hidden, "return_sequences": True}
    if kind == "mofang-gru":
        recurrent["reset_after"] = True
    layers = [
        {"module": "keras.layers", "class_name": "InputLayer", "registered_name": None,
         "config": {"batch_shape": [None, None], "dtype": "int32", "name": "input_ids"}},
        _layer("Embedding", "embedding", [None, None], {"input_dim": vocabulary, "output_dim": inputs}),
        *(_layer(LAYERS[kind], f"layer_{number}", [None, None, hidden if number else inputs], recurrent)
          for number in range(config["num_layers"])),
        _layer("Dense", "head", [None, None, hidden], {"units": vocabulary}),
    ]  # fmt: skip
    inside = {"name": "mofang", "trainable": True, "layers": layers, "build_input_shape": [None, None]}
    return {"module": "keras", "class_name": "Sequential", "config": inside, "registered_name": None,
            "build_config": {"input_shape": [None, None]}}  # fmt: skip


def _layer(kind: str, name: str, shape: list[int | None], settings: dict[str, Any]) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": kind, "registered_name": None, "build_config": {"input_shape": shape},
            "config": {"name": name, "trainable": True, "dtype": "float32", **settings}}  # fmt: skip


def _weights(source: Source) -> dict[str, list[NDArray[np.float32]]]:
    """Place in the h5 file → its variables."""
    tensors, kind = source.tensors, source.kind
    head = tensors["embedding.weight" if source.tied else "head.weight"]
    found = {"layers/input_layer/vars": [], "layers/embedding/vars": [tensors["embedding.weight"]],
             "layers/dense/vars": [head.T, tensors["head.bias"]]}  # fmt: skip
    snake = SNAKES[LAYERS[kind]]
    for number in range(source.config["num_layers"]):
        weights = [tensors[f"rnn.{number}.{part}"] for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        kernel, recurrent, first, second = (reorder(weight, ORDER[kind]) for weight in weights)
        # Two biases that are only ever added are one in Keras, but for the GRU, whose reset gate comes between them.
        bias = np.stack([first, second]) if kind == "mofang-gru" else first + second
        at = f"layers/{snake}_{number}" if number else f"layers/{snake}"
        found |= {f"{at}/cell/vars": [kernel.T, recurrent.T, bias], f"{at}/vars": []}
    return found


def reorder(weight: NDArray[np.float32], order: tuple[int, ...]) -> NDArray[np.float32]:
    """The gates of a weight (G·H, …) in another order."""
    parts = np.split(weight, len(order))
    return np.concatenate([parts[gate] for gate in order])
