"""From GGUF: a Qwen3-shaped model, as an own one."""

import json
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mofang.models import own
from mofang.models.formats.gguf import GGUFHeader, gguf_header
from mofang.studio.errors import UserError
from mofang.text.export.gguf import BLOCK, gguf_name
from mofang.text.export.hf import write_own
from mofang.text.export.place import new_folder
from mofang.text.export.source import Config, Tensors, check_tensors, shapes
from mofang.text.export.vocabulary import Vocabulary, tokenizer_json
from mofang.text.tokenizer import layout

T = TypeVar("T", str, int, float)

F32, F16, Q8_0, BF16 = 0, 1, 8, 30
_AT = "tokenizer.ggml."


def read_gguf(path: Path, target: Path) -> None:
    """Make the own model `target` of the file at `path`; quantised Q8_0 becomes float32 again.

    Raises `UserError` for another architecture, weights quantised below 8 bits, a vocabulary that cannot be cut exactly
    as llama.cpp does, a broken file, a taken or full place.
    """
    header = gguf_header(path, lists=True)
    if header.text("general.architecture") != "qwen3":
        raise UserError(f"{path.name} is a {header.text('general.architecture')[:40] or 'nameless'} model; own Transformers "
                        f"are Qwen3, others run as they are: --text-engine gguf:{path}")  # fmt: skip
    found = vocabulary_of(header)
    config = _config(header, found)
    wanted = shapes(config)
    content = tokenizer_json(found)
    tensors = _tensors(path, header, wanted)
    check_tensors(tensors, wanted, path.name)
    with new_folder(target) as folder:
        write_own(folder, config, tensors)
        (folder / "tokenizer.json").write_text(json.dumps(content, ensure_ascii=False), "utf-8")
        settings = layout.settings("char" if found.model == "llama" else "bpe")
        end = found.tokens[found.end]
        settings |= {"bos_token": end, "eos_token": end, "pad_token": end if found.pad is None else found.tokens[found.pad],
                     "unk_token": None if found.unknown is None else found.tokens[found.unknown]}  # fmt: skip
        if settings["sep_token"] not in found.tokens:
            del settings["sep_token"]
        (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1), "utf-8")
        own.write_card(folder, {"name": target.name, "title": header.text("general.name") or target.name, "kind": "text",
                                "licence": header.text("general.license") or "unknown", "imported_from": path.name})  # fmt: skip


def _config(header: GGUFHeader, found: Vocabulary) -> Config:
    def number(key: str, kind: type[T]) -> T:
        value = header.values.get(f"qwen3.{key}")
        if isinstance(value, bool) or not isinstance(value, kind):
            raise UserError(f"its header has no {key}, or one of the wrong type; fetch the model again")
        return value

    if any(key.startswith("qwen3.rope.scaling") and value not in ("none", 1.0) for key, value in header.values.items()):
        raise UserError("the model scales its rotary positions, which own models do not; run it as it is: --text-engine gguf:FILE")
    return {
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": len(found.tokens),
        "hidden_size": number("embedding_length", int), "intermediate_size": number("feed_forward_length", int),
        "num_hidden_layers": number("block_count", int), "num_attention_heads": number("attention.head_count", int),
        "num_key_value_heads": number("attention.head_count_kv", int), "head_dim": number("attention.key_length", int),
        # A float32 of 1e-6 is 9.99999997e-07 as a float64; say what was meant.
        "rms_norm_eps": float(f"{number('attention.layer_norm_rms_epsilon', float):.6g}"),
        "rope_theta": number("rope.freq_base", float), "max_position_embeddings": number("context_length", int),
        "tie_word_embeddings": "output.weight" not in header.tensors, "hidden_act": "silu", "attention_bias": False,
        "torch_dtype": "float32", "bos_token_id": found.end, "eos_token_id": found.end,
        "pad_token_id": found.end if found.pad is None else found.pad,
    }  # fmt: skip


def _tensors(path: Path, header: GGUFHeader, wanted: dict[str, tuple[int, ...]]) -> Tensors:
    """The wanted tensors. Each one's shape is checked before its bytes are read: the header was held against the file."""
    names = {gguf_name(name): name for name in wanted}
    for name in sorted(set(header.tensors) - set(names)):
        raise UserError(f"{path.name} has a tensor that a Qwen3 has not ({name[:60]}); it cannot be brought in exactly")
    found: Tensors = {}
    with path.open("rb") as file:
        for name, ours in names.items():
            if header.tensors.get(name) != wanted[ours][::-1]:
                raise UserError(f"{path.name}: its tensor {name} is missing or of another shape than its header says")
            kind, place = header.places[name]
            file.seek(place)
            found[ours] = _numbers(file.read(_size(kind, wanted[ours], name)), kind).reshape(wanted[ours])
    return found


def _size(kind: int, shape: tuple[int, ...], name: str) -> int:
    count = int(np.prod(shape))
    if kind == Q8_0 and shape[-1] % BLOCK == 0:
        return count // BLOCK * (BLOCK + 2)
    if kind not in (F32, F16, BF16):
        raise UserError(f"its tensor {name} is quantised below 8 bits, and what that lost does not come back; bring in a file of "
                        "type F16, BF16, F32 or Q8_0")  # fmt: skip
    return count * (4 if kind == F32 else 2)


def _numbers(raw: bytes, kind: int) -> NDArray[np.float32]:
    if kind == Q8_0:
        blocks = np.frombuffer(raw, np.dtype([("scale", "<f2"), ("codes", "i1", BLOCK)]))
        values: NDArray[np.float32] = blocks["scale"][:, None].astype(np.float32) * blocks["codes"]
        return values.ravel()
    if kind == BF16:
        return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(raw, "<f4" if kind == F32 else "<f2").astype(np.float32)


def vocabulary_of(header: GGUFHeader) -> Vocabulary:
    """The vocabulary in a header that was read with its lists. Raises `UserError` if it is missing or broken."""
    tokens, kinds = _list(header, "tokens", str), _list(header, "token_type", int)
    scores, merges = _list(header, "scores", float), _list(header, "merges", str)
    if not tokens or len(kinds) != len(tokens) or len(scores) not in (0, len(tokens)):
        raise UserError("its vocabulary is missing or incomplete; fetch the model again")
    if any(len(merge.split(" ")) != 2 for merge in merges):
        raise UserError("a merge of its vocabulary joins other than two tokens; fetch the model again")

    def special(key: str) -> int | None:
        value: Any = header.values.get(_AT + key)
        return value if type(value) is int and value < len(tokens) else None

    end = special("eos_token_id")
    if end is None:
        raise UserError("it names no end token; fetch the model again")
    return Vocabulary(header.text(_AT + "model"), header.text(_AT + "pre"), tokens, kinds, scores, merges, end,
                      special("padding_token_id"), special("unknown_token_id"))  # fmt: skip


def _list(header: GGUFHeader, key: str, kind: type[T]) -> tuple[T, ...]:
    found = tuple(value for value in header.lists.get(_AT + key, []) if isinstance(value, kind))
    if len(found) != len(header.lists.get(_AT + key, [])):
        raise UserError(f"its vocabulary's {key} are of the wrong type; fetch the model again")
    return found
