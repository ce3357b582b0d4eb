"""A card for a weights file of one's own, ready to be laid into the folder of cards."""

import json
import re
from pathlib import Path

from mofang.models.card import parse
from mofang.models.safety import check_weights
from mofang.studio.errors import UserError
from mofang.studio.library import file_hash


def draft(path: Path, *, name: str = "", kind: str = "text", author: str, licence: str, licence_url: str = "") -> str:
    """A card (TOML) for the safetensors, GGUF or ONNX file at `path`, its content checked and its hash pinned.

    `name` is made from the file's if it is not given. Raises `UserError` if the file or a value will not do.
    """
    check_weights(path)
    name = name or re.sub(r"[^a-z0-9.-]+", "-", path.stem.lower()).strip("-.")
    if not name:
        raise UserError(f"no name for {path.name} can be made from letters a to z; give one with --name")
    head = {"name": name, "kind": kind, "title": path.stem, "author": author, "licence": licence,
            "licence_url": licence_url, "url": ""}  # fmt: skip
    file = {"role": "model", "name": f"model{path.suffix.lower()}", "sha256": file_hash(path)}
    text = "\n".join([
        *(f"{key} = {_quoted(value)}" for key, value in head.items()),
        "",
        "[[file]]",
        *(f"{key} = {_quoted(value)}" for key, value in file.items()),
        f"size = {path.stat().st_size}",
        f"from = [{{ file = {_quoted(str(path.resolve()))} }}]",
        "",
    ])  # fmt: skip
    parse(text, path.name)
    return text


def _quoted(value: str) -> str:
    # A JSON string is a TOML string, but for one control character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
