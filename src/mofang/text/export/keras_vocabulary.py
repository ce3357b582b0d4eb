"""The tokenizer of a model that came from Keras, whose files hold none."""

import json
from pathlib import Path

import numpy as np

from mofang.studio.errors import UserError
from mofang.text.export.hf import KEPT
from mofang.text.export.source import Config, Tensors, read_tokenizer
from mofang.text.tokenizer import SPECIALS, UNK, layout

NEVER = -1e4
"""The bias of a token that the model has never seen: it is never chosen."""
ESCAPES = {r"\n": "\n", r"\t": "\t", r"\r": "\r", r"\\": "\\"}
LARGEST = 16 << 20


def attach(
    config: Config, tensors: Tensors, inside: dict[str, bytes], tokenizer: Path | None
) -> tuple[dict[str, bytes], Config, Tensors]:
    """The tokenizer's files, and the configuration and weights that fit it. Raises `UserError` if there is none or it does
    not fit: `inside` are the files our own export laid into the Keras file, `tokenizer` what the creator gave instead."""
    if tokenizer is None or tokenizer.is_dir():
        files = {name: inside[name] for name in KEPT if name in inside} if tokenizer is None else _folder(tokenizer)
        if "tokenizer.json" not in files:
            raise UserError("the Keras file holds no vocabulary; give it with --tokenizer: a folder with tokenizer.json, or a text "
                            "file with one character a line in the order of their numbers")  # fmt: skip
        _check_size(files["tokenizer.json"], config)
        return files, config, tensors
    return _characters(tokenizer, config, tensors)


def _folder(folder: Path) -> dict[str, bytes]:
    read_tokenizer(folder)
    return {name: (folder / name).read_bytes() for name in KEPT if (folder / name).is_file()}


def _check_size(content: bytes, config: Config) -> None:
    try:
        size = len(json.loads(content)["model"]["vocab"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError("the tokenizer in the Keras file is damaged; give another with --tokenizer") from error
    if size > config["vocab_size"]:
        raise UserError(f"the tokenizer has {size} tokens and the model {config['vocab_size']}; they do not belong together")


def _characters(path: Path, config: Config, tensors: Tensors) -> tuple[dict[str, bytes], Config, Tensors]:
    """A vocabulary file as Keras users keep it: line n is token n, `[UNK]` the unknown, an empty line the padding. The rows
    of embedding and head move to where our own vocabularies have their characters, after the four special tokens."""
    if config["model_type"] == "qwen3":
        raise UserError("a Transformer needs the tokenizer it was exported with: --tokenizer FOLDER")
    try:
        if path.stat().st_size > LARGEST:
            raise UserError(f"{path} is far too large to be a vocabulary")
        lines = path.read_text("utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {path} as a vocabulary in UTF-8 ({error}); check it") from error
    tokens = [ESCAPES.get(line, line) for line in (line.removesuffix("\r") for line in lines)]
    if len(tokens) != config["vocab_size"]:
        raise UserError(f"{path.name} has {len(tokens)} lines and the model {config['vocab_size']} tokens; give the vocabulary it "
                        "was trained with")  # fmt: skip
    kept = [number for number, token in enumerate(tokens) if token not in ("", "[UNK]")]
    characters = [tokens[number] for number in kept]
    if any(len(character) != 1 for character in characters) or len(set(characters)) != len(characters):
        raise UserError(f"{path.name} has tokens of several letters, or one twice; of words give a folder with tokenizer.json")
    places = dict(zip(kept, range(len(SPECIALS), len(SPECIALS) + len(kept)), strict=True))
    places |= {number: UNK for number, token in enumerate(tokens) if token == "[UNK]"}
    size = len(SPECIALS) + len(kept)
    there, here = np.array(list(places.values())), np.array(list(places))
    moved = dict(tensors)
    for name in ("embedding.weight", "head.weight", "head.bias"):
        blank = np.zeros((size, *tensors[name].shape[1:]), np.float32)
        blank[there] = tensors[name][here]
        moved[name] = blank
    # None of our special tokens was ever a target in Keras.
    moved["head.bias"][: len(SPECIALS)] = NEVER
    content = json.dumps(layout.character_layout(characters, False), ensure_ascii=False)
    files = {"tokenizer.json": content.encode(), "tokenizer_config.json": json.dumps(layout.settings("char"), indent=1).encode()}
    return files, {**config, "vocab_size": size}, moved
