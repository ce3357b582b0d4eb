"""The Transformer as a Keras model: built-in layers and operations only, so that it loads without code of ours."""

import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from mofang.studio.errors import UserError
from mofang.text.export.source import Source


def keras_module() -> Any:
    """Keras 3, with the backend that is chosen (`KERAS_BACKEND`), else the first that is installed: any will do, since
    nothing is computed. Raises `UserError` if Keras or every backend is missing.
    """
    chosen = os.environ.get("KERAS_BACKEND")
    if "keras" not in sys.modules and chosen is None:
        have = [name for name in ("tensorflow", "jax", "torch") if find_spec(name)]
        if not have:
            raise UserError("Keras writes a Transformer only with a backend; install one: pip install 'mofang[train]' keras")
        os.environ["KERAS_BACKEND"] = have[0]
    try:
        import keras
    except ImportError as error:
        raise UserError(f"a Transformer for Keras needs Keras 3.9 or later ({error.name} is missing): pip install keras") from error
    finally:
        if chosen is None:
            os.environ.pop("KERAS_BACKEND", None)
    if not hasattr(keras.layers, "RMSNormalization"):
        raise UserError(f"Keras {keras.__version__} has no RMSNormalization; upgrade it: pip install -U keras")
    return keras


def save(source: Source, path: Path) -> None:
    """Write the model to `path`, which ends in `.keras`."""
    keras = keras_module()
    model = build(keras, source)
    for name, values in _weights(source).items():
        model.get_layer(name).set_weights(values)
    model.save(path)


def build(keras: Any, source: Source) -> Any:
    """The graph: `input_ids` (B, T) → logits (B, T, V). Layers have the names `read_keras` looks for."""
    config = source.config
    heads, kv_heads, size = config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]
    width, layers, ops = config["hidden_size"], keras.layers, keras.ops

    def norm(name: str) -> Any:
        return layers.RMSNormalization(epsilon=config.get("rms_norm_eps", 1e-6), name=name)

    def split(name: str, count: int) -> Any:
        return layers.EinsumDense("btd,dnh->btnh", (None, count, size), name=name)

    def dense(name: str, units: int, activation: str | None = None) -> Any:
        return layers.Dense(units, activation=activation, use_bias=False, name=name)

    ids = keras.Input((None,), dtype="int32", name="input_ids")
    rotate, mask = _positions(keras, ids, size, source.rope_theta)
    x = layers.Embedding(config["vocab_size"], width, name="embed_tokens")(ids)
    for number in range(config["num_hidden_layers"]):
        at = f"layers_{number}_"
        y = norm(at + "input_layernorm")(x)
        q = rotate(norm(at + "q_norm")(split(at + "q_proj", heads)(y)))
        k = rotate(norm(at + "k_norm")(split(at + "k_proj", kv_heads)(y)))
        mixed = ops.dot_product_attention(q, k, split(at + "v_proj", kv_heads)(y), mask=mask)
        x = ops.add(x, layers.EinsumDense("btnh,nhd->btd", (None, width), name=at + "o_proj")(mixed))
        y = norm(at + "post_attention_layernorm")(x)
        inner = ops.multiply(dense(at + "gate_proj", config["intermediate_size"], "silu")(y),
                             dense(at + "up_proj", config["intermediate_size"])(y))  # fmt: skip
        x = ops.add(x, dense(at + "down_proj", width)(inner))
    logits = dense("lm_head", config["vocab_size"])(norm("norm")(x))
    return keras.Model(ids, logits, name=f"mofang_context_{config['max_position_embeddings']}")


def _positions(keras: Any, ids: Any, size: int, theta: float) -> tuple[Callable[[Any], Any], Any]:
    """The rotation of queries and keys (B, T, heads, size), and the causal mask (B, 1, T, T)."""
    ops = keras.ops
    positions = ops.subtract(ops.cumsum(ops.ones_like(ids), axis=-1), 1)
    rates = (1.0 / theta ** (np.arange(0, size, 2) / size)).astype(np.float32)
    angles = ops.multiply(ops.expand_dims(ops.cast(positions, "float32"), -1), np.concatenate([rates, rates]))
    cosine, sine = ops.expand_dims(ops.cos(angles), 2), ops.expand_dims(ops.sin(angles), 2)
    seen = ops.less_equal(ops.expand_dims(positions, 1), ops.expand_dims(positions, 2))

    def rotate(x: Any) -> Any:
        first, second = ops.split(x, 2, axis=-1)
        turned = ops.concatenate([ops.negative(second), first], -1)
        return ops.add(ops.multiply(x, cosine), ops.multiply(turned, sine))

    return rotate, ops.expand_dims(seen, 1)


def _weights(source: Source) -> dict[str, list[Any]]:
    """Layer → its variables."""
    config, tensors = source.config, source.tensors
    width, size = config["hidden_size"], config["head_dim"]
    embedding = tensors["model.embed_tokens.weight"]
    found = {"embed_tokens": [embedding], "norm": [tensors["model.norm.weight"]],
             "lm_head": [(embedding if source.tied else tensors["lm_head.weight"]).T]}  # fmt: skip
    for key, tensor in tensors.items():
        if key.startswith("model.layers."):
            _, _, number, *_, part, _ = key.split(".")
            if part in ("q_proj", "k_proj", "v_proj"):
                tensor = tensor.T.reshape(width, -1, size)
            elif part == "o_proj":
                tensor = tensor.T.reshape(-1, size, width)
            elif tensor.ndim == 2:
                tensor = tensor.T
            found[f"layers_{number}_{part}"] = [tensor]
    return found
