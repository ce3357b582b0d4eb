"""A model of one's own taken elsewhere, or brought in.

>>> from mofang.text.export import export
>>> export(Path("weights/poem-zh"), Path("poem-zh.gguf"))

| format | a program that opens it | what goes |
|---|---|---|
| hf | Transformers, vLLM, … | the Transformer |
| gguf | llama.cpp, Ollama, LM Studio, … | the Transformer, tokenizer included |
| onnx | onnxruntime in any language | the Transformer and RNN, LSTM, GRU stacks |
| keras | Keras with TensorFlow, JAX or torch | the same |
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from mofang.studio.errors import UserError
from mofang.text.export.source import Source, open_source

Format = Literal["hf", "gguf", "onnx", "keras"]
FORMATS: tuple[Format, ...] = ("hf", "gguf", "onnx", "keras")
SUFFIXES: dict[str, Format] = {".gguf": "gguf", ".onnx": "onnx", ".keras": "keras", "": "hf"}
DTYPES: dict[Format, tuple[str, ...]] = {
    "hf": ("float32", "bfloat16", "float16"), "gguf": ("f16", "f32", "bf16", "q8_0"), "onnx": ("float32",),
    "keras": ("float32",),
}  # fmt: skip
"""What weights may become in each format, the default first."""


def _hf(source: Source, target: Path, dtype: str) -> None:
    from mofang.text.export.hf import write_hf

    write_hf(source, target, dtype=dtype)


def _gguf(source: Source, target: Path, dtype: str) -> None:
    from mofang.text.export.gguf import write_gguf

    write_gguf(source, target, kind=dtype)


def _onnx(source: Source, target: Path, dtype: str) -> None:
    from mofang.text.export.onnx import write_onnx

    write_onnx(source, target)


def _keras(source: Source, target: Path, dtype: str) -> None:
    from mofang.text.export.keras import write_keras

    write_keras(source, target)


WRITERS: dict[Format, Callable[[Source, Path, str], None]] = {"hf": _hf, "gguf": _gguf, "onnx": _onnx, "keras": _keras}


def format_of(target: Path) -> Format:
    """The format a target's suffix names; a name without one is a folder for Transformers. Raises `UserError`."""
    suffix = target.suffix.lower()
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if suffix.lstrip(".").isdigit() or target.is_dir():  # my-model-v1.2
        return "hf"
    raise UserError(f"no format is known by {suffix[:20]}; name it with --to hf, gguf, onnx or keras")


def export(folder: Path, target: Path, to: Format | None = None, dtype: str | None = None) -> Format:
    """Write the model in `folder` to `target`, whole or not at all, and say in which format.

    `dtype` is one of `DTYPES`. Raises `UserError` for a model the format cannot hold exactly, a `target` that is
    something else than an earlier export, a full disk.
    """
    to = to or format_of(target)
    dtype = dtype or DTYPES[to][0]
    if dtype not in DTYPES[to]:
        raise UserError(f"{to} is not written with {dtype[:20]} here; choose {', '.join(DTYPES[to])}")
    source = open_source(folder)
    if target.resolve() == folder.resolve():
        raise UserError("the target is the model itself; name another folder")
    WRITERS[to](source, target, dtype)
    return to


def bring(origin: Path, target: Path, tokenizer: Path | None = None) -> Format:
    """Make an own model in the folder `target` from a Keras or GGUF file or a Hugging Face folder; say which it was.

    `tokenizer` is for Keras files, which hold none: a folder with `tokenizer.json`, or a text file with one token a line
    in the order of their ids. Raises `UserError` for another architecture, hostile or broken files, a taken place.
    """
    if origin.is_dir():
        from mofang.text.export.hf import read_hf

        _no_tokenizer(tokenizer)
        read_hf(origin, target)
        return "hf"
    try:
        with origin.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise UserError(f"cannot read {origin}: {error.strerror}; check the path") from error
    if head == b"GGUF":
        from mofang.text.export.read_gguf import read_gguf

        _no_tokenizer(tokenizer)
        read_gguf(origin, target)
        return "gguf"
    if head[:2] == b"PK":
        from mofang.text.export.read_keras import read_keras

        read_keras(origin, target, tokenizer)
        return "keras"
    raise UserError(f"{origin.name} is neither a Keras file (.keras), GGUF, nor a Hugging Face folder; nothing else is read")


def _no_tokenizer(tokenizer: Path | None) -> None:
    if tokenizer is not None:
        raise UserError("only a Keras file needs a tokenizer; leave --tokenizer away")


__all__ = ["DTYPES", "FORMATS", "Format", "bring", "export", "format_of"]
