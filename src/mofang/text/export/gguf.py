"""To GGUF, for llama.cpp and everything built on it: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md"""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.studio.errors import UserError
from mofang.text.export.hf import packed
from mofang.text.export.place import marked, new_file
from mofang.text.export.source import Source
from mofang.text.export.vocabulary import vocabulary

KINDS: dict[str, tuple[int, int]] = {"f32": (0, 0), "f16": (1, 1), "q8_0": (8, 7), "bf16": (30, 32)}
"""ggml's number of the tensor type, and llama.cpp's of a file mostly of it."""

BLOCK = 32
"""Values that share a scale in Q8_0."""
ALIGNMENT = 32

LAYER = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}  # fmt: skip
"""Hugging Face's name of a tensor in a layer → llama.cpp's."""
WHOLE = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}

_UINT32, _FLOAT32, _BOOL, _STRING, _ARRAY, _INT32 = 4, 6, 7, 8, 9, 5
_FORMS = {_UINT32: "<I", _FLOAT32: "<f", _BOOL: "<?", _INT32: "<i"}


def write_gguf(source: Source, target: Path, *, kind: str = "f16") -> None:
    """One file, matrices in `kind` and vectors in float32. Rows that Q8_0's blocks of 32 do not fit stay float16.

    Raises `UserError` for a recurrent network, a vocabulary llama.cpp would cut differently, a taken or full place.
    """
    if source.kind != "qwen3":
        raise UserError("llama.cpp knows no recurrent language models of this kind; export with --to onnx or --to keras")
    pairs = _pairs(source, kind)
    names = {gguf_name(name): name for name in source.tensors}
    kinds = {name: _kind_of(source.tensors[own], kind) for name, own in names.items()}
    with new_file(target, _ours) as path, path.open("wb") as file:
        head = b"GGUF" + struct.pack("<IQQ", 3, len(names), len(pairs)) + b"".join(pairs)
        offset = 0
        for name, own in names.items():
            shape = source.tensors[own].shape
            head += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape[::-1], KINDS[kinds[name]][0], offset)
            offset += aligned(_bytes(shape, kinds[name]))
        file.write(head + b"\0" * (-len(head) % ALIGNMENT))
        for name, own in names.items():
            data = _data(source.tensors[own], kinds[name], own)
            file.write(data + b"\0" * (-len(data) % ALIGNMENT))


def gguf_name(name: str) -> str:
    """llama.cpp's name of a Qwen3 tensor."""
    stem = name.removesuffix(".weight")
    if stem in WHOLE:
        return WHOLE[stem] + ".weight"
    number, _, part = stem.removeprefix("model.layers.").partition(".")
    return f"blk.{number}.{LAYER[part]}.weight"


def _pairs(source: Source, kind: str) -> list[bytes]:
    """What the file says of the model, key by key."""
    config = source.config
    found = vocabulary(source.tokenizer(), config)
    arch: dict[str, tuple[int, Any]] = {
        "vocab_size": (_UINT32, config["vocab_size"]), "context_length": (_UINT32, config["max_position_embeddings"]),
        "embedding_length": (_UINT32, config["hidden_size"]), "block_count": (_UINT32, config["num_hidden_layers"]),
        "feed_forward_length": (_UINT32, config["intermediate_size"]),
        "attention.head_count": (_UINT32, config["num_attention_heads"]),
        "attention.head_count_kv": (_UINT32, config["num_key_value_heads"]),
        "attention.key_length": (_UINT32, config["head_dim"]), "attention.value_length": (_UINT32, config["head_dim"]),
        "attention.layer_norm_rms_epsilon": (_FLOAT32, config.get("rms_norm_eps", 1e-6)),
        "rope.freq_base": (_FLOAT32, source.rope_theta),
    }  # fmt: skip
    pairs = [
        _pair("general.architecture", _STRING, "qwen3"), _pair("general.type", _STRING, "model"),
        _pair("general.name", _STRING, source.name), _pair("general.quantized_by", _STRING, "mofang"),
        _pair("general.file_type", _UINT32, KINDS[kind][1]), _pair("general.quantization_version", _UINT32, 2),
    ]  # fmt: skip
    if licence := source.card.get("licence"):
        pairs.append(_pair("general.license", _STRING, str(licence)))
    if languages := source.card.get("languages"):
        pairs.append(_list("general.languages", _STRING, [str(language) for language in languages]))
    pairs += [_pair(f"qwen3.{key}", form, value) for key, (form, value) in arch.items()]
    at = "tokenizer.ggml."
    pairs += [
        _pair(at + "model", _STRING, found.model), _pair(at + "pre", _STRING, found.pre),
        _list(at + "tokens", _STRING, found.tokens), _list(at + "token_type", _INT32, found.kinds),
        _pair(at + "bos_token_id", _UINT32, found.end), _pair(at + "eos_token_id", _UINT32, found.end),
        _pair(at + "add_bos_token", _BOOL, False), _pair(at + "add_eos_token", _BOOL, False),
        _pair(at + "add_space_prefix", _BOOL, False),
    ]  # fmt: skip
    if found.scores:
        pairs.append(_list(at + "scores", _FLOAT32, found.scores))
    if found.merges or found.model == "gpt2":
        pairs.append(_list(at + "merges", _STRING, found.merges))
    if found.pad is not None:
        pairs.append(_pair(at + "padding_token_id", _UINT32, found.pad))
    if found.unknown is not None:
        pairs.append(_pair(at + "unknown_token_id", _UINT32, found.unknown))
    return pairs


def _pair(key: str, kind: int, value: Any) -> bytes:
    return text(key) + struct.pack("<I", kind) + (text(value) if kind == _STRING else struct.pack(_FORMS[kind], value))


def _list(key: str, kind: int, values: Sequence[Any]) -> bytes:
    items = map(text, values) if kind == _STRING else (struct.pack(_FORMS[kind], value) for value in values)
    return text(key) + struct.pack("<IIQ", _ARRAY, kind, len(values)) + b"".join(items)


def text(string: str) -> bytes:
    """A string as GGUF has it: its length, its bytes."""
    data = string.encode()
    return struct.pack("<Q", len(data)) + data


def _kind_of(tensor: NDArray[np.float32], kind: str) -> str:
    if tensor.ndim == 1:
        return "f32"
    return "f16" if kind == "q8_0" and tensor.shape[-1] % BLOCK else kind


def _bytes(shape: tuple[int, ...], kind: str) -> int:
    count = int(np.prod(shape))
    return count // BLOCK * (BLOCK + 2) if kind == "q8_0" else count * (4 if kind == "f32" else 2)


def _data(tensor: NDArray[np.float32], kind: str, name: str) -> bytes:
    if kind == "q8_0":
        return q8_0(tensor)
    return packed(tensor, {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}[kind], name)


def q8_0(tensor: NDArray[np.float32]) -> bytes:
    """Blocks of 32 values in a row: a float16 scale d = max|x| / 127, then round(x / d) as int8 (half away from zero)."""
    blocks = tensor.reshape(-1, BLOCK)
    scale = np.abs(blocks).max(1, keepdims=True) / np.float32(127)
    with np.errstate(divide="ignore"):
        inverse = np.where(scale > 0, np.float32(1) / scale, np.float32(0))
    scaled = blocks * inverse
    codes = np.trunc(scaled + np.copysign(np.float32(0.5), scaled)).astype(np.int8)
    out = np.empty(len(blocks), np.dtype([("scale", "<f2"), ("codes", "i1", BLOCK)]))
    out["scale"], out["codes"] = scale[:, 0], codes
    return out.tobytes()


def aligned(size: int, alignment: int = ALIGNMENT) -> int:
    """The size up to where the next tensor may begin."""
    return -(-size // alignment) * alignment


def _ours(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"GGUF" and marked(path)
