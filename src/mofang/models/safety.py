"""Weights that could harm: refused by what they contain, not by what they are called."""

from pathlib import Path

from mofang.models.formats.gguf import GGUFHeader, gguf_header
from mofang.models.formats.onnx import check_onnx
from mofang.models.formats.pickles import holds_pickle
from mofang.models.formats.safetensors import not_numbers, safetensors_header
from mofang.studio.errors import UserError


def check_file(path: Path, name: str = "") -> None:
    """Refuse a file that runs code when loaded, or whose header asks for what the file does not hold.

    For files whose hash a card pins, fonts and tables among them: a format we do not know is let through. `name` is
    what the file will be called, if not what it is called now. Raises `UserError`.
    """
    suffix = Path(name or path.name).suffix.lower()
    if suffix == ".gguf" or _head(path).startswith(b"GGUF"):
        gguf_header(path)
    elif suffix == ".safetensors":
        safetensors_header(path)
    elif suffix == ".onnx":
        check_onnx(path)
    elif holds_pickle(path):
        raise UserError(f"{name or path.name} is a pickle, which can run any program when it is loaded; "
                        "convert it to safetensors")  # fmt: skip


def check_weights(path: Path) -> str:
    """The format of a weights file somebody hands over: gguf, safetensors or onnx, found by content and checked.

    Anything else is refused, and so are safetensors that hold NaN. Raises `UserError`.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"{path} is a folder; give the weights file inside it")
    head = _head(path)
    if head.startswith(b"GGUF"):
        gguf_header(path)
        return "gguf"
    if head[8:9] == b"{" or (path.suffix.lower() == ".safetensors" and not holds_pickle(path)):
        safetensors_header(path)
        if bad := not_numbers(path):
            raise UserError(f"{path.name} holds values that are no numbers ({bad[0][:60]!a}); its training went wrong, "
                            "take an earlier checkpoint")  # fmt: skip
        return "safetensors"
    if holds_pickle(path):
        raise UserError(f"{path.name} is a pickle, which can run any program when it is loaded; convert it to safetensors")
    if head[:1] == b"\x08":  # An ONNX model begins with its version, field 1.
        check_onnx(path)
        return "onnx"
    raise UserError(f"{path.name} is neither safetensors, GGUF nor ONNX; convert it to one of these")


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(16)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; check the path") from error


__all__ = ["GGUFHeader", "check_file", "check_onnx", "check_weights", "gguf_header", "not_numbers", "safetensors_header"]
