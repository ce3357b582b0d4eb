"""To the Hugging Face layout and from it: the folder that `transformers` opens by `AutoModelForCausalLM`.

An own Transformer is a Qwen3 to the letter, so nothing is renamed; what is added is what the other program looks for.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.models import own
from mofang.studio.errors import UserError
from mofang.text.export.place import new_folder
from mofang.text.export.source import Config, Source, Tensors, check_tensors, read_tokenizer, rope_theta, shapes
from mofang.text.pretrained import licence as licence_of

CODES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}

_USE = """## Use

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained(".")
tokenizer = AutoTokenizer.from_pretrained(".")
```
"""

KEPT = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja")
"""Files of a tokenizer that go along as they are."""


def write_hf(source: Source, target: Path, *, dtype: str = "float32") -> None:
    """A folder for Transformers: weights in `dtype`, configuration, tokenizer, generation settings, a model card.

    Raises `UserError` for a recurrent network (Transformers has none), a missing tokenizer, a taken or full place.
    """
    if source.kind != "qwen3":
        raise UserError("Transformers knows no recurrent language models; export this one with --to onnx or --to keras")
    source.tokenizer()
    with new_folder(target) as folder:
        config = {**source.config, "dtype": dtype, "torch_dtype": dtype}
        _dump(folder / own.CONFIG, config)
        write_safetensors(folder / own.WEIGHTS, source.tensors, dtype)
        for name in KEPT:
            if (source.folder / name).is_file():
                shutil.copyfile(source.folder / name, folder / name)
        generation = {"do_sample": True, "temperature": 0.9, "eos_token_id": config.get("eos_token_id"),
                      "pad_token_id": config.get("pad_token_id"), "bos_token_id": config.get("bos_token_id")}  # fmt: skip
        _dump(folder / "generation_config.json", {key: value for key, value in generation.items() if value is not None})
        if source.card:
            own.write_card(folder, dict(source.card))
        (folder / "README.md").write_text(model_card(source), "utf-8")


def read_hf(folder: Path, target: Path) -> None:
    """An own model from a local Hugging Face folder of a Qwen3, whole or in shards. Raises `UserError` for any other."""
    config = own.read_config(folder)
    if config["model_type"] != "qwen3":
        raise UserError(f"{folder} is a {config['model_type'][:40]}; own Transformers are Qwen3, others run as they are: "
                        f"--text-engine transformers:{folder}")  # fmt: skip
    read_tokenizer(folder)
    config = own_config(config)
    wanted = shapes(config)
    tensors = _read_shards(folder)
    if config["tie_word_embeddings"]:
        tensors.pop("lm_head.weight", None)
    check_tensors(tensors, wanted, folder.name)
    with new_folder(target) as out:
        write_own(out, config, tensors)
        for name in KEPT:
            if (folder / name).is_file():
                shutil.copyfile(folder / name, out / name)
        licence = folder / "LICENSE"
        card = {"name": target.name, "kind": "text", "licence": licence_of(folder), "imported_from": folder.name}
        if licence.is_file():
            shutil.copyfile(licence, out / "LICENSE")
        own.write_card(out, {**card, **own.read_card(folder)})


def own_config(config: Config) -> Config:
    """The keys of a Qwen3 configuration that own models carry, with `rope_theta` where Transformers 4 and 5 both look."""
    kept = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
            "head_dim", "rms_norm_eps", "max_position_embeddings", "bos_token_id", "eos_token_id", "pad_token_id",
            "hidden_act", "attention_bias", "use_sliding_window", "rope_scaling")  # fmt: skip
    found = {key: config[key] for key in kept if config.get(key) is not None}
    theta = rope_theta(config)
    return {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", **found, "rope_theta": theta,
            "tie_word_embeddings": bool(config.get("tie_word_embeddings", False)), "hidden_act": found.get("hidden_act", "silu"),
            "attention_bias": bool(found.get("attention_bias", False)), "torch_dtype": "float32"}  # fmt: skip


def write_own(folder: Path, config: Config, tensors: Tensors, dtype: str = "float32") -> None:
    """The configuration and weights of an own model."""
    _dump(folder / own.CONFIG, config)
    write_safetensors(folder / own.WEIGHTS, tensors, dtype)


def write_safetensors(path: Path, tensors: Tensors, dtype: str) -> None:
    """Weights in the safetensors format (https://github.com/huggingface/safetensors#format), one tensor at a time.

    Written here because the package's numpy writer knows no bfloat16, and holds all of them at once.
    """
    width = 4 if dtype == "float32" else 2
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    position = 0
    for name, tensor in tensors.items():
        end = position + tensor.size * width
        header[name] = {"dtype": CODES[dtype], "shape": list(tensor.shape), "data_offsets": [position, end]}
        position = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name, tensor in tensors.items():
            file.write(packed(tensor, dtype, name))


def packed(tensor: NDArray[np.float32], dtype: str, name: str) -> bytes:
    """The bytes of a tensor in `dtype`, rounded to nearest even. Raises `UserError` if float16 cannot hold a value."""
    if dtype == "float32":
        return tensor.astype("<f4").tobytes()
    if dtype == "float16":
        if tensor.size and np.abs(tensor).max() > 65504:
            raise UserError(f"{name} has values beyond float16; export with --dtype bfloat16 or float32")
        return tensor.astype("<f2").tobytes()
    bits = np.ascontiguousarray(tensor, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes()


def model_card(source: Source) -> str:
    """A README.md as the hub shows it: what the model is, what it learned from, how it was made and how good it is."""
    card = source.card
    works = card.get("trained_on") or []
    lines = ["---", f"license: {str(card.get('licence') or 'other').lower()}"]
    if languages := card.get("languages"):
        lines += ["language:", *(f"- {language}" for language in languages)]
    lines += ["library_name: transformers", "pipeline_tag: text-generation", "tags:", "- mofang", "---", "",
              f"# {card.get('title') or source.name}", ""]  # fmt: skip
    lines += [f"A language model of {sum(t.size for t in source.tensors.values()):,} parameters, made with Mofang. "
              f"It reads {source.config['max_position_embeddings']} tokens at once.", ""]  # fmt: skip
    if works:
        named = [f"- {work.get('name', '?')} ({work.get('licence', 'licence unknown')})" for work in works]
        lines += ["## Trained on", "", *named, ""]
    for title, key in (("Recipe", "recipe"), ("Measured", "measured")):
        if value := card.get(key):
            lines += [f"## {title}", "", "```json", json.dumps(value, ensure_ascii=False, indent=1), "```", ""]
    return "\n".join(lines) + _USE


def _read_shards(folder: Path) -> Tensors:
    """The weights of one file, or of the files `model.safetensors.index.json` names."""
    index = folder / "model.safetensors.index.json"
    if (folder / own.WEIGHTS).is_file() or not index.is_file():
        if not (folder / own.WEIGHTS).is_file():
            raise UserError(f"{folder} has no model.safetensors; weights in other formats are not read, convert them first")
        return own.read_tensors(folder)
    try:
        names = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise UserError(f"{index} cannot be read ({str(error)[:80]}); fetch the model again") from error
    found: Tensors = {}
    for name in names:
        if not isinstance(name, str) or Path(name).name != name:
            raise UserError(f"{index} names a file outside its folder ({str(name)[:60]}); do not trust it")
        found |= own.read_tensors(folder, name)
    return found


def _dump(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", "utf-8")
