"""Weights that could harm: refused by what they contain, not by what they are called."""

import json
import math
import pickletools
import struct
import zipfile
from pathlib import Path
from typing import Any

from mofang.studio.errors import UserError

MAX_HEADER = 100_000_000
"""Bytes a safetensors header may have, as in the reference reader."""

ITEM_BITS = {
    "F64": 64, "F32": 32, "F16": 16, "BF16": 16, "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U64": 64, "U32": 32,
    "U16": 16, "U8": 8, "BOOL": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "C64": 64, "F4": 4,
}  # fmt: skip


def check_weights(path: Path) -> None:
    """Refuse a file that runs code when loaded, or whose header asks for what the file does not hold.

    Pickles are found by content, bare or inside a zip (PyTorch, joblib, NumPy object arrays). Raises `UserError`.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    if head[:4] == b"GGUF":
        gguf_header(path)
    elif path.suffix.lower() == ".safetensors":
        safetensors_header(path)
    elif (head[:4] == b"PK\x03\x04" and _zip_with_pickle(path)) or _is_pickle(head):
        raise UserError(
            f"{path.name} is a pickle, which can run any program when it is loaded; convert it to safetensors"
        )


def _is_pickle(head: bytes) -> bool:
    if head[:1] == b"\x80" and len(head) > 1 and 2 <= head[1] <= 5:
        return True
    if head[:6] == b"\x93NUMPY":
        return b"|O" in head[:128]
    try:  # Protocol 0 has no mark of its own: it is a pickle if its operations say so and name something to call.
        names = {opcode.name for opcode, _, _ in _operations(head)}
    except Exception:
        return False
    return bool(names & {"GLOBAL", "INST", "REDUCE", "STACK_GLOBAL", "OBJ", "NEWOBJ"})


def _operations(head: bytes) -> list[Any]:
    found = []
    try:
        for operation in pickletools.genops(head):
            found.append(operation)
    except ValueError:
        # Cut off by our window is no excuse; gibberish after one stray letter is no pickle.
        return found if len(found) > 3 else []
    return found


def _zip_with_pickle(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist()[:10_000]:
                with archive.open(member) as file:
                    if member.filename.endswith((".pkl", ".pickle")) or _is_pickle(file.read(4096)):
                        return True
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError):
        return True  # An archive that cannot be looked into is not loaded either.
    return False


def safetensors_header(path: Path) -> dict[str, Any]:
    """The header of a safetensors file, with every size and offset checked against the file before anything is read.

    Format: https://github.com/huggingface/safetensors#format. Raises `UserError`.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        prefix = file.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else -1
        if not 2 <= length <= min(MAX_HEADER, size - 8):
            raise UserError(f"{path.name} is not a whole safetensors file; fetch it again")
        raw = file.read(length)
    try:
        header = json.loads(raw)
        spans = []
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            start, end = entry["data_offsets"]
            count = math.prod(entry["shape"])
            if any(not isinstance(side, int) or side < 0 for side in [*entry["shape"], start, end]):
                raise ValueError(f"{name} has a shape that is no shape")
            if count * ITEM_BITS[entry["dtype"]] != (end - start) * 8:
                raise ValueError(f"{name} has not the size of its shape")
            spans.append((start, end))
        position = 0
        for start, end in sorted(spans):
            if start != position:
                raise ValueError("tensors overlap or leave holes")
            position = end
        if position != size - 8 - length:
            raise ValueError("the data is shorter or longer than the header says")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path.name} has a broken safetensors header ({error}); fetch it again") from error
    checked: dict[str, Any] = header
    return checked


def gguf_header(path: Path) -> dict[str, int]:
    """Version and counts of a GGUF file, bounded by the file's own size: a tiny file cannot ask for gigabytes.

    Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Raises `UserError`.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(24)
    if len(head) < 24 or head[:4] != b"GGUF":
        raise UserError(f"{path.name} is not a GGUF file; give a model in the GGUF format")
    version, tensors, pairs = struct.unpack("<IQQ", head[4:])
    # A tensor's entry takes at least 32 bytes and a key-value pair 13; more than fit is a lie.
    if version not in (2, 3) or tensors * 32 + pairs * 13 > size:
        raise UserError(f"{path.name} has a broken GGUF header; fetch it again")
    return {"version": version, "tensors": tensors, "pairs": pairs}
