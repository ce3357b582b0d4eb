"""A GGUF file with some of its tensors replaced: whatever else a model's file says and holds goes along byte for byte.

This is how a model that came as GGUF goes back to llama.cpp after fine-tuning, whatever its architecture: vocabulary,
template and untouched tensors are the base's own.
"""

import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from mofang.models.formats.gguf import BLOCKS, GGUFHeader, gguf_header
from mofang.studio.errors import UserError
from mofang.text.export.gguf import BLOCK, KINDS, LAYER, aligned, q8_0, text
from mofang.text.export.hf import packed
from mofang.text.export.place import new_file

_NAME = re.compile(r"(?:model\.)?layers\.(\d+)\.(.+)")
_CHUNK = 1 << 20


def patch_gguf(base: Path, target: Path, changed: Mapping[str, NDArray[np.float32]]) -> None:
    """Write `target` as `base` with the matrices in `changed` (Transformers' names of linear maps, without `.weight`), as
    Q8_0 where rows are multiples of 32, else as float16.

    Raises `UserError` for an architecture whose file has no such tensors, a taken place, a full disk.
    """
    header = gguf_header(base)
    arrays = {}
    for name, array in changed.items():
        place = gguf_place(name)
        if header.tensors.get(place) != array.shape[::-1]:
            raise UserError(f"llama.cpp keeps {name[:60]} of this architecture in another form; convert the model's folder with "
                            "llama.cpp's own convert_hf_to_gguf.py")  # fmt: skip
        arrays[place] = _as_kept(array, place, header)
    with new_file(target, _patched) as path, path.open("wb") as out, base.open("rb") as file:
        _write(header, arrays, file, out)


def gguf_place(name: str) -> str:
    """llama.cpp's name of the tensor of a linear map inside a layer, "" if it has none of its own."""
    match = _NAME.fullmatch(name)
    return f"blk.{match[1]}.{LAYER[match[2]]}.weight" if match and match[2] in LAYER else ""


def _as_kept(array: NDArray[np.float32], place: str, header: GGUFHeader) -> NDArray[np.float32]:
    """Of Llama, llama.cpp turns pairs of neighbours where Transformers turns halves: rows of queries and keys change places."""
    part = re.sub(r"blk\.\d+\.", "", place)
    if header.text("general.architecture") != "llama" or part not in ("attn_q.weight", "attn_k.weight"):
        return array
    heads = header.values.get("llama.attention.head_count")
    if part == "attn_k.weight":
        heads = header.values.get("llama.attention.head_count_kv", heads)
    if not isinstance(heads, int) or heads <= 0 or len(array) % (2 * heads):
        raise UserError("its header names no number of heads that fits; fetch the model again")
    return array.reshape(heads, 2, len(array) // heads // 2, -1).swapaxes(1, 2).reshape(array.shape)


def _write(header: GGUFHeader, arrays: Mapping[str, NDArray[np.float32]], file: BinaryIO, out: BinaryIO) -> None:
    count, begin, end = header.pairs
    alignment = header.values.get("general.alignment", 32)
    assert isinstance(alignment, int)
    file.seek(begin)
    mark = text("mofang.patched") + struct.pack("<I?", 7, True)
    out.write(b"GGUF" + struct.pack("<IQQ", header.version, len(header.tensors), count + ("mofang.patched" not in header.values)))
    out.write(file.read(end - begin) + (b"" if "mofang.patched" in header.values else mark))
    offset = 0
    for name, shape in header.tensors.items():
        kind = KINDS[_kind(shape)][0] if name in arrays else header.places[name][0]
        out.write(text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset))
        offset += aligned(_size(shape, kind, name), alignment)
    out.write(b"\0" * (-out.tell() % alignment))
    for name, shape in header.tensors.items():
        if name in arrays:
            data = q8_0(arrays[name]) if _kind(shape) == "q8_0" else packed(arrays[name], "float16", name)
            out.write(data)
        else:
            kind, place = header.places[name]
            file.seek(place)
            left = _size(shape, kind, name)
            while left:
                chunk = file.read(min(_CHUNK, left))
                out.write(chunk)
                left -= len(chunk)
        out.write(b"\0" * (-out.tell() % alignment))


def _kind(shape: tuple[int, ...]) -> str:
    return "f16" if shape[0] % BLOCK else "q8_0"


def _size(shape: tuple[int, ...], kind: int, name: str) -> int:
    if kind not in BLOCKS:
        raise UserError(f"its tensor {name[:60]} has a type that is not known here ({kind}); use another file of the same model")
    values, size = BLOCKS[kind]
    return -(-shape[0] // values) * size * int(np.prod(shape[1:])) if shape else size


def _patched(path: Path) -> bool:
    try:
        return "mofang.patched" in gguf_header(path).values
    except UserError:
        return False
