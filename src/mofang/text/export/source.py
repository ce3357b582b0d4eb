"""A model of one's own as every export needs it: its configuration, its weights, both checked against each other."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.models import own
from mofang.studio.errors import UserError

Config = dict[str, Any]
Tensors = dict[str, NDArray[np.float32]]

GATES = {"mofang-rnn": 1, "mofang-gru": 3, "mofang-lstm": 4}
"""Gates of each recurrent cell, stacked in its weights: LSTM i, f, g, o and GRU r, z, n, as torch orders them."""

MOST_LAYERS, LARGEST_SIDE = 1024, 1 << 24


@dataclass(frozen=True)
class Source:
    """One model. `tensors` are float32 and exactly those its configuration asks for."""

    folder: Path
    config: Config
    tensors: Tensors
    card: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """qwen3, mofang-rnn, mofang-gru or mofang-lstm."""
        return str(self.config["model_type"])

    @property
    def name(self) -> str:
        """What its card calls it, else its folder."""
        return str(self.card.get("name") or self.folder.resolve().name)

    @property
    def tied(self) -> bool:
        """Whether one matrix reads and writes tokens."""
        return bool(self.config.get("tie_word_embeddings"))

    @property
    def rope_theta(self) -> float:
        """The base of the rotary angles."""
        return rope_theta(self.config)

    def tokenizer(self) -> dict[str, Any]:
        """The content of `tokenizer.json`. Raises `UserError` if it is missing or broken."""
        return read_tokenizer(self.folder)


def open_source(folder: Path) -> Source:
    """The model in `folder`. Raises `UserError` if its weights are not those of its configuration, or no numbers."""
    config = own.read_config(folder)
    wanted = shapes(config)
    tensors = own.read_tensors(folder)
    check_tensors(tensors, wanted, folder.name)
    return Source(folder, config, tensors, own.read_card(folder))


def check_tensors(tensors: Mapping[str, NDArray[Any]], wanted: Mapping[str, tuple[int, ...]], name: str) -> None:
    """Raise `UserError` unless the tensors are the wanted ones, of the wanted shapes, and all finite."""
    for key, shape in wanted.items():
        if key not in tensors:
            raise UserError(f"{name} has no tensor {key}; it is another architecture than its configuration says")
        if tensors[key].shape != shape:
            raise UserError(f"{name}: {key} is {_by(tensors[key].shape)} and should be {_by(shape)}; its configuration "
                            "belongs to other weights")  # fmt: skip
        if not np.isfinite(tensors[key]).all():
            raise UserError(f"{name}: {key} holds values that are no numbers; take an earlier checkpoint")
    if extra := sorted(set(tensors) - set(wanted)):
        raise UserError(f"{name} has a tensor its architecture does not know ({extra[0][:60]}); it cannot be exported exactly")


def shapes(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Name → shape of every weight the configuration asks for. Raises `UserError` for another architecture."""
    kind = config.get("model_type")
    if kind == "qwen3":
        return _transformer(config)
    if kind in GATES:
        return _recurrent(config)
    raise UserError(f"a model of kind '{str(kind)[:40]}' cannot be taken elsewhere or brought in; a decoder-only "
                    "Transformer (qwen3) and RNN, LSTM or GRU stacks can")  # fmt: skip


def rope_theta(config: Mapping[str, Any]) -> float:
    """`rope_theta`, from where Transformers 4 or 5 writes it. Raises `UserError` for positions scaled some other way."""
    new = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if not isinstance(new, Mapping) or new.get("rope_type", new.get("type", "default")) != "default":
        raise UserError("the model scales its rotary positions (rope_scaling), which own models do not; it cannot be converted")
    theta = new.get("rope_theta", config.get("rope_theta", 10000.0))
    if not isinstance(theta, int | float) or not 1.0 < theta < 1e12:
        raise UserError(f"the configuration's rope_theta is {str(theta)[:40]}, which is no base of rotary angles; mend it")
    return float(theta)


def read_tokenizer(folder: Path) -> dict[str, Any]:
    """The content of `folder/tokenizer.json`. Raises `UserError` if it is missing or broken."""
    path = folder / "tokenizer.json"
    try:
        if path.stat().st_size > 64 << 20:
            raise UserError(f"{path} is far too large to be a tokenizer; fetch or train the model again")
        value = json.loads(path.read_text("utf-8"))
        if not isinstance(value["model"], dict) or not isinstance(value["model"].get("vocab"), dict | list):
            raise ValueError("it has no vocabulary")
    except FileNotFoundError as error:
        raise UserError(f"{folder} has no tokenizer.json; put the tokenizer it was trained with into it") from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{path} cannot be read as a tokenizer ({str(error)[:100]}); fetch or train the model again") from error
    assert isinstance(value, dict)
    return value


def _transformer(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    vocabulary, width, inner, layers = (_side(config, key) for key in (
        "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers"))  # fmt: skip
    heads, kv_heads = _side(config, "num_attention_heads"), _side(config, "num_key_value_heads")
    size = _side(config, "head_dim")
    _side(config, "max_position_embeddings")
    if heads % kv_heads or size % 2:
        raise UserError("the configuration's heads do not fit together; it was damaged or written by hand")
    if config.get("attention_bias") or config.get("hidden_act", "silu") != "silu" or config.get("use_sliding_window"):
        raise UserError("the model is a Qwen3 with biases, a sliding window or another activation; own models have none")
    rope_theta(config)
    found = {"model.embed_tokens.weight": (vocabulary, width), "model.norm.weight": (width,)}
    if not config.get("tie_word_embeddings"):
        found["lm_head.weight"] = (vocabulary, width)
    for number in range(layers):
        at = f"model.layers.{number}."
        found |= {
            at + "input_layernorm.weight": (width,), at + "post_attention_layernorm.weight": (width,),
            at + "self_attn.q_proj.weight": (heads * size, width), at + "self_attn.k_proj.weight": (kv_heads * size, width),
            at + "self_attn.v_proj.weight": (kv_heads * size, width), at + "self_attn.o_proj.weight": (width, heads * size),
            at + "self_attn.q_norm.weight": (size,), at + "self_attn.k_norm.weight": (size,),
            at + "mlp.gate_proj.weight": (inner, width), at + "mlp.up_proj.weight": (inner, width),
            at + "mlp.down_proj.weight": (width, inner),
        }  # fmt: skip
    return found


def _recurrent(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    vocabulary, inputs, hidden, layers = (_side(config, key) for key in (
        "vocab_size", "embedding_size", "hidden_size", "num_layers"))  # fmt: skip
    gates = GATES[config["model_type"]]
    found: dict[str, tuple[int, ...]] = {"embedding.weight": (vocabulary, inputs), "head.bias": (vocabulary,)}
    if not config.get("tie_word_embeddings"):
        found["head.weight"] = (vocabulary, hidden)
    elif inputs != hidden:
        raise UserError("the configuration ties an embedding and a head of different widths; it was damaged")
    for number in range(layers):
        at = f"rnn.{number}."
        found |= {
            at + "weight_ih": (gates * hidden, inputs if number == 0 else hidden),
            at + "weight_hh": (gates * hidden, hidden),
            at + "bias_ih": (gates * hidden,), at + "bias_hh": (gates * hidden,),
        }  # fmt: skip
    return found


def _side(config: Mapping[str, Any], key: str) -> int:
    value = config.get(key)
    most = MOST_LAYERS if "layers" in key else LARGEST_SIDE
    if type(value) is not int or not 0 < value <= most:
        raise UserError(f"the configuration's {key} is {str(value)[:40]!a}, which is no size; it was damaged or written by hand")
    return value


def _by(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a number"
