"""Tiny models for the tests of export and fine-tuning: random, but loud enough that the likeliest token is never a draw."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from mofang.models import own
from mofang.text.nets import build
from mofang.text.nets.recurrent import config_for as recurrent_config
from mofang.text.nets.transformer import config_for as transformer_config
from mofang.text.tokenizer import Tokenizer, train_tokenizer

TEXTS = [
    "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。",
    "The moon is bright before my bed, isn't it? I lift my head, 12345 times!\n\n  Once more: the moon, the bed, the frost.",
] * 3  # fmt: skip
SAMPLES = ("床前 moon ▁🌕龘\n  x", "hello  world 123456 isn't", " a", "👩‍👧 é e\u0301 ñ 한국\t«»", "<|end|> <0x41>", "")


def transformer(folder: Path, kind: str = "char", *, tied: bool = True, layers: int = 2, width: int = 64, seed: int = 0) -> Tokenizer:
    """A Qwen3-shaped model with grouped queries, in `folder`."""
    tokenizer = train_tokenizer(kind, TEXTS, size=400)
    config = transformer_config(tokenizer.size, layers, width, 4, 2, 128, tied=tied)
    write(folder, config, tokenizer, seed)
    return tokenizer


def recurrent(folder: Path, cell: str, *, tied: bool = False, seed: int = 0) -> Tokenizer:
    """An RNN, LSTM or GRU stack in `folder`."""
    tokenizer = train_tokenizer("char", TEXTS, size=400)
    write(folder, recurrent_config(cell, tokenizer.size, 24 if tied else 16, 24, 2, tied=tied), tokenizer, seed)
    return tokenizer


def write(folder: Path, config: dict[str, Any], tokenizer: Tokenizer, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    model = build(config)
    for weight in model.parameters():
        if weight.ndim == 2:
            torch.nn.init.normal_(weight, std=0.3)
        else:
            torch.nn.init.uniform_(weight, 0.6, 1.4)
    (folder / "config.json").write_text(json.dumps(config))
    save_file({name: tensor.clone() for name, tensor in model.state_dict().items()}, folder / "model.safetensors")
    tokenizer.save(folder)
    own.write_card(folder, {"name": folder.name, "title": "小样", "kind": "text", "languages": ["zh", "en"], "licence": "CC0-1.0",
                            "trained_on": [{"name": "moon", "licence": "CC0-1.0"}]})  # fmt: skip


def network(folder: Path) -> torch.nn.Module:
    """The torch network of a folder, its weights loaded."""
    config = own.read_config(folder)
    model = build(config)
    tensors = {name: torch.from_numpy(tensor) for name, tensor in own.read_tensors(folder).items()}
    model.load_state_dict(tensors, strict=False)
    return model.eval()


@torch.no_grad()
def logits(folder: Path, ids: Any) -> Any:
    """Logits (B, T, V) as numpy, float32."""
    return network(folder)(torch.as_tensor(ids))[0].numpy()
