"""What a Keras model's description says, if it is one of our architectures."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from mofang.studio.errors import UserError
from mofang.text.export.source import LARGEST_SIDE, Config

RECURRENT = {"SimpleRNN": "mofang-rnn", "LSTM": "mofang-lstm", "GRU": "mofang-gru"}
IGNORED = ("InputLayer", "Dropout")
SNAKES = {"Embedding": "embedding", "RMSNormalization": "rms_normalization", "EinsumDense": "einsum_dense", "Dense": "dense"}

ONCE = Counter(InputLayer=1, OnesLike=1, Cumsum=1, Subtract=1, Cast=1, Multiply=1, Cos=1, Sin=1, ExpandDims=6, LessEqual=1,
               Embedding=1, RMSNormalization=1, Dense=1)  # fmt: skip
EACH = Counter(RMSNormalization=4, EinsumDense=4, Dense=3, Split=2, Negative=2, Concatenate=2, Multiply=5, Add=4,
               DotProductAttention=1)  # fmt: skip
"""How many of each layer and operation our Transformer's graph has: once, and for each of its layers."""


@dataclass
class Plan:
    """An own configuration, and where its weights lie: the recurrent layers' class, which layers have biases; for a
    Transformer every layer that has weights, as (name, class in the file's spelling), in the order of the graph."""

    config: Config
    layer: str = ""
    biases: tuple[bool, ...] = ()
    head_bias: bool = True
    names: tuple[tuple[str, str], ...] = ()


def plan(description: dict[str, Any]) -> Plan:
    """Read a `config.json`. Raises `UserError` for an architecture we do not have, KeyError and the like if it is broken."""
    kind = description.get("class_name")
    if kind not in ("Sequential", "Functional", "Model"):
        raise UserError(f"the Keras model is a {str(kind)[:40]}, whose code is not in the file; only Sequential and Functional "
                        "models are read")  # fmt: skip
    layers = description["config"]["layers"]
    if not isinstance(layers, list) or not 0 < len(layers) < 100_000:
        raise ValueError("it has no layers")
    for layer in layers:
        if layer["class_name"] in ("Lambda", "Bidirectional") or layer.get("registered_name") not in (None, layer["class_name"]):
            raise UserError(f"the Keras model has a {layer['class_name'][:40]} layer, which own models have not; it cannot be "
                            "brought in")  # fmt: skip
    if any(layer["class_name"] == "RMSNormalization" for layer in layers):
        return _transformer(description["config"], layers)
    if kind != "Sequential":
        _check_chain(layers)
    return _recurrent(layers)


def _check_chain(layers: Sequence[dict[str, Any]]) -> None:
    """Each layer must take what the one before it gives, and nothing else."""
    for before, layer in pairwise(layers):
        (node,) = layer["inbound_nodes"]
        (taken,) = node["args"]
        if taken["config"]["keras_history"][0] != before["config"]["name"]:
            raise UserError("the Keras model's layers are no chain; own recurrent models are Embedding → RNN, LSTM or GRU → Dense")


def _recurrent(layers: Sequence[dict[str, Any]]) -> Plan:
    kept = [layer for layer in layers if layer["class_name"] not in IGNORED]
    dropout = max((layer["config"]["rate"] for layer in layers if layer["class_name"] == "Dropout"), default=0.0)
    names = [layer["class_name"] for layer in kept]
    if len(kept) < 3 or names[0] != "Embedding" or names[-1] != "Dense" or not set(names[1:-1]) <= set(RECURRENT):
        raise UserError(f"the Keras model is {' → '.join(names)[:120]}; own recurrent models are Embedding → RNN, LSTM or GRU "
                        "→ Dense")  # fmt: skip
    embedding, *middle, head = (layer["config"] for layer in kept)
    if len(set(names[1:-1])) > 1 or len({cell["units"] for cell in middle}) > 1:
        raise UserError("the Keras model mixes recurrent layers of several kinds or widths; own models have one")
    for number, cell in enumerate(middle):
        _check_cell(names[1], cell, last=number == len(middle) - 1)
    if head.get("activation", "linear") not in ("linear", "softmax"):
        raise UserError(f"the Keras model's last layer has the activation {str(head['activation'])[:40]}; a language model's "
                        "has none or softmax")  # fmt: skip
    if head["units"] != embedding["input_dim"]:
        raise UserError("the Keras model reads and writes vocabularies of different sizes; it is no language model")
    config = {"model_type": RECURRENT[names[1]], "vocab_size": _side(head["units"]), "embedding_size": _side(embedding["output_dim"]),
              "hidden_size": _side(middle[0]["units"]), "num_layers": len(middle), "dropout": float(dropout),
              "tie_word_embeddings": False}  # fmt: skip
    return Plan(config, names[1], tuple(bool(cell.get("use_bias", True)) for cell in middle), bool(head.get("use_bias", True)))


def _check_cell(kind: str, cell: dict[str, Any], last: bool) -> None:
    wanted: dict[str, Any] = {"activation": "tanh", "go_backwards": False}
    if kind != "SimpleRNN":
        wanted["recurrent_activation"] = "sigmoid"
    if kind == "GRU":
        wanted["reset_after"] = True
    if not last:
        # The last may give only its final step: the weights are the same, and we read every step.
        wanted["return_sequences"] = True
    for key, value in wanted.items():
        if cell.get(key, False if key == "return_sequences" else value) != value:
            raise UserError(f"the Keras model's {kind} has {key} = {str(cell.get(key))[:40]}; own models have {value}")


def _transformer(config: dict[str, Any], layers: Sequence[dict[str, Any]]) -> Plan:
    """The graph `keras_transformer.build` makes, and no other: counted by its operations and found by its layers' names."""
    by_name = {layer["config"]["name"]: layer for layer in layers}
    depth = sum(name.startswith("layers_") and name.endswith("_q_proj") for name in by_name)
    wanted = Counter({name: ONCE[name] + depth * EACH[name] for name in {*ONCE, *EACH}})
    if not depth or Counter(layer["class_name"] for layer in layers) != wanted:
        raise UserError("the Keras model is a Transformer, but not one that Mofang exported; only those are brought in")
    first = {name: by_name[f"layers_0_{name}"]["config"] for name in ("q_proj", "k_proj", "gate_proj", "q_norm")}
    heads, size = first["q_proj"]["output_shape"][1:]
    rates = next(arg["config"]["value"] for layer in layers if layer["class_name"] == "Multiply"
                 for arg in layer["inbound_nodes"][0]["args"] if arg["class_name"] == "__numpy__")  # fmt: skip
    # The second of the rates is theta^(-2 / size).
    theta = float(f"{rates[1] ** (-size / 2):.6g}") if size > 2 else 10000.0
    context = str(config.get("name", "")).rpartition("_")[2]
    embedding = by_name["embed_tokens"]["config"]
    found = {
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": _side(embedding["input_dim"]),
        "hidden_size": _side(embedding["output_dim"]), "intermediate_size": _side(first["gate_proj"]["units"]),
        "num_hidden_layers": depth, "num_attention_heads": _side(heads),
        "num_key_value_heads": _side(first["k_proj"]["output_shape"][1]), "head_dim": _side(size),
        "rms_norm_eps": float(first["q_norm"]["epsilon"]), "rope_theta": theta, "tie_word_embeddings": False,
        "max_position_embeddings": int(context) if context.isdecimal() and 0 < int(context) < 1 << 24 else 1024,
        "hidden_act": "silu", "attention_bias": False, "torch_dtype": "float32", "bos_token_id": 0, "eos_token_id": 0,
        "pad_token_id": 1,
    }  # fmt: skip
    names = tuple((layer["config"]["name"], SNAKES[layer["class_name"]]) for layer in layers if layer["class_name"] in SNAKES)
    return Plan(found, names=names)


def _side(value: Any) -> int:
    if type(value) is not int or not 0 < value <= LARGEST_SIDE:
        raise ValueError(f"{str(value)[:40]} is no size")
    return value
