"""The header of a GGUF file, read with suspicion before llama.cpp maps the file into memory.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mofang.studio.errors import UserError

_FIXED = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_MAX_TEXT = 16_000_000
_MAX_PAIRS, _MAX_TENSORS = 65_536, 65_536


@dataclass(frozen=True)
class Header:
    """What a model says about itself: plain values by key (arrays left out), and how many parameters it has."""

    values: dict[str, str | int | float | bool]
    parameters: int

    def text(self, key: str) -> str:
        """The value of `key` as text, or nothing."""
        value = self.values.get(key, "")
        return value if isinstance(value, str) else ""

    @property
    def context(self) -> int:
        """Tokens the model was trained to see at once; 0 if it does not say."""
        value = self.values.get(f"{self.text('general.architecture')}.context_length", 0)
        return value if isinstance(value, int) else 0


class _Broken(Exception):
    pass


def read_header(path: Path) -> Header:
    """Read and check the header of a GGUF file (version 2 or 3): every length is held against the file's size,
    and every tensor must begin inside the file. Raises `UserError`."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            return _header(file, size)
    except (_Broken, struct.error, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"{path.name} is not a whole GGUF model ({error}); fetch it again or choose another file"
                        ) from error
    except OSError as error:
        raise UserError(f"cannot read the model {path}: {error.strerror}; check the path") from error


def _header(file: BinaryIO, size: int) -> Header:
    if file.read(4) != b"GGUF":
        raise _Broken("it does not begin with GGUF")
    version, tensors, pairs = struct.unpack("<IQQ", file.read(20))
    if version not in (2, 3):
        raise _Broken(f"version {version & 0xFFFF_FFFF} is unknown")
    if pairs > _MAX_PAIRS or not 0 < tensors <= _MAX_TENSORS or tensors * 32 + pairs * 13 > size:
        raise _Broken("its counts do not fit the file")
    values: dict[str, str | int | float | bool] = {}
    for _ in range(pairs):
        key = _string(file, size)
        value = _value(file, size, struct.unpack("<I", file.read(4))[0])
        if value is not None:
            values[key] = value
    parameters, last = 0, 0
    for _ in range(tensors):
        _string(file, size)
        (rank,) = struct.unpack("<I", file.read(4))
        if not 0 <= rank <= 4:
            raise _Broken(f"a tensor has {rank} dimensions")
        count = 1
        for side in struct.unpack(f"<{rank}Q", file.read(8 * rank)):
            count *= side
        _, offset = struct.unpack("<IQ", file.read(12))
        parameters += count
        last = max(last, offset)
    # Two bits a weight is about the least any quantisation keeps: fewer bytes than that means a cut-off file.
    if file.tell() + last >= size or parameters // 8 > size:
        raise _Broken("the file ends before its last tensor")
    return Header(values, parameters)


def _string(file: BinaryIO, size: int) -> str:
    (length,) = struct.unpack("<Q", file.read(8))
    if length > min(_MAX_TEXT, size - file.tell()):
        raise _Broken("a text is longer than the file")
    return file.read(length).decode("utf-8", "replace")


def _value(file: BinaryIO, size: int, kind: int) -> str | int | float | bool | None:
    if kind in _FIXED:
        form = _FIXED[kind]
        value: int | float | bool = struct.unpack(form, file.read(struct.calcsize(form)))[0]
        return value
    if kind == _STRING:
        return _string(file, size)
    if kind != _ARRAY:
        raise _Broken(f"a value has the unknown type {kind}")
    item, count = struct.unpack("<IQ", file.read(12))
    if item in _FIXED:
        width = struct.calcsize(_FIXED[item])
        if count * width > size - file.tell():
            raise _Broken("a list is longer than the file")
        file.seek(count * width, 1)
    elif item == _STRING:
        if count * 8 > size - file.tell():
            raise _Broken("a list is longer than the file")
        for _ in range(count):
            (length,) = struct.unpack("<Q", file.read(8))
            if length > size - file.tell():
                raise _Broken("a text is longer than the file")
            file.seek(length, 1)
    else:  # Lists of lists stand in the format's text, and in no model.
        raise _Broken("a list holds lists")
    return None
