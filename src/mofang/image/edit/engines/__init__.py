"""What runs networks for pictures: a table of engines, each opened when it is asked for."""

import hashlib
import re
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from mofang.image.edit.network import Network
from mofang.studio.errors import UserError
from mofang.studio.library import file_hash

ENGINES = {"onnx": "mofang.image.edit.engines.onnx", "ncnn": "mofang.image.edit.engines.ncnn"}
"""Engines by the name before the colon. Each module has `SUFFIX`, `open_runner(path, threads)` and `files(path)`."""
_FACTOR = r"(?<![0-9a-z])(?:x{0}|{0}x|scale_?{0}x?|up{0}x|{0})(?![0-9])|(?<=[a-z])x{0}(?![0-9])"
"""How a file's name says by how much it enlarges: x4, 4x, x4plus, scale2.0x, up2x."""


def read_engine(text: str) -> tuple[str, Path]:
    """`onnx:FILE_OR_FOLDER` or `ncnn:PARAM_OR_FOLDER` as the engine's name and the place. Raises `UserError`."""
    kind, _, rest = text.partition(":")
    if kind not in ENGINES or not rest.strip():
        raise UserError(f"there is no engine '{text[:40]}' for photographs; write onnx:FILE_OR_FOLDER or ncnn:PARAM")
    return kind, Path(rest).expanduser().absolute()


def chosen(kind: str, place: Path, factor: int | None = None) -> Path:
    """The network's file: `place` itself, or the one in that folder, told from others by its `factor`. Raises `UserError`."""
    try:
        if not place.is_dir():
            return place
        found = sorted(place.glob(f"*{_module(kind).SUFFIX}"))
    except (OSError, ValueError) as error:
        raise UserError(f"there is no network {str(place)[:200]!a}; check the name") from error
    if factor is not None and len(found) > 1:
        found = [path for path in found if re.search(_FACTOR.format(factor), path.stem.lower())] or found
    if len(found) == 1:
        return found[0]
    if not found:
        raise UserError(f"{place} holds no network ({_module(kind).SUFFIX}); name the file")
    names = ", ".join(path.name for path in found[:6])
    raise UserError(f"{place} holds {len(found)} networks that could be meant; name one, as {kind}:{place / found[0].name} ({names})")


def files(kind: str, path: Path) -> Sequence[Path]:
    """Every file the network is made of. Raises `UserError`."""
    found: Sequence[Path] = _module(kind).files(path)
    return found


def key(kind: str, path: Path) -> str:
    """`name@sha256`, the hash being that of the file, or over those of all files. Raises `UserError`."""
    hashes = [file_hash(each) for each in files(kind, path)]
    whole = hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()
    return f"{path.parent.name}/{path.name}@{whole}"


def open_network(kind: str, path: Path, threads: int = 2) -> Network:
    """The network in a file. Raises `UserError` for one that is damaged, reaches elsewhere, or is no network for pictures."""
    return Network(_module(kind).open_runner(path, threads))


def _module(kind: str) -> Any:
    return import_module(ENGINES[kind])


__all__ = ["ENGINES", "chosen", "files", "key", "open_network", "read_engine"]
