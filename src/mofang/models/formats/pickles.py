"""Pickles, found by what they are: a pickle is a program, and loading it runs it.

The bytes are read as the unpickler would read them, operation by operation, without keeping or running any. Lists of
forbidden imports have been passed by again and again, so there is none here: what calls anything is refused.
"""

import bz2
import io
import lzma
import pickletools
import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol

from mofang.studio.errors import UserError


class Unpacker(Protocol):
    """What zlib, bz2 and lzma decompress with: never more than asked for comes out."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """At most `max_length` bytes of what is inside."""
        ...


ARGUMENTS = {opcode.code.encode("latin-1"): (opcode.name, opcode.arg.n if opcode.arg else 0)
             for opcode in pickletools.opcodes}  # fmt: skip
LENGTHS = {pickletools.TAKEN_FROM_ARGUMENT1: 1, pickletools.TAKEN_FROM_ARGUMENT4: 4,
           pickletools.TAKEN_FROM_ARGUMENT4U: 4, pickletools.TAKEN_FROM_ARGUMENT8U: 8}  # fmt: skip
LINES = {"GLOBAL": 2, "INST": 2}
CALLS = {"REDUCE", "BUILD", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX"}
NAMES = {"GLOBAL", "INST", "STACK_GLOBAL", "EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID"}
LONGEST_LINE, MOST_OPERATIONS, WINDOW, MOST_MEMBERS = 65_536, 2_000_000, 1 << 20, 20_000

UNPACKERS: dict[bytes, Callable[[], "Unpacker"]] = {
    b"\x1f\x8b": lambda: zlib.decompressobj(31),
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\x00": lzma.LZMADecompressor,
    **{b"x" + level: zlib.decompressobj for level in (b"\x01", b"\x5e", b"\x9c", b"\xda")},
}
"""How joblib and others wrap a pickle, by the first bytes."""


def holds_pickle(path: Path) -> bool:
    """Whether the file is a pickle: bare, compressed, as a NumPy array of objects, or inside a zip (as PyTorch's are).

    Raises `UserError` if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(8)
            file.seek(0)
            return _zip_holds(path) if head.startswith(b"PK") else _holds(file, head)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; check the path") from error


def _holds(file: IO[bytes], head: bytes, cut: bool = False) -> bool:
    if head.startswith(b"\x93NUMPY"):
        return _array_of_objects(file)
    for mark, unpacker in UNPACKERS.items():
        if head.startswith(mark):
            inner = _unpacked(file, unpacker())
            if inner and is_pickle(io.BytesIO(inner), cut=len(inner) == WINDOW):
                return True
            file.seek(0)
    return is_pickle(file, cut)


def is_pickle(file: IO[bytes], cut: bool = False) -> bool:
    """Whether the unpickler, reading `file` from its start, would come to call something.

    `cut` says that the file goes on after its end; what then runs past it is taken for the worst.
    """
    end = file.seek(0, io.SEEK_END)
    file.seek(0)
    named = marked = False
    for number in range(MOST_OPERATIONS):
        code = file.read(1)
        if not code:
            return cut and named
        if code not in ARGUMENTS:
            return False
        name, size = ARGUMENTS[code]
        if number == 0 and name == "PROTO":
            marked = True
        elif number == 1 and marked:
            return True  # The mark and an operation: no other format begins so.
        elif name == "STOP":
            return number > 1 and named
        if size == pickletools.UP_TO_NEWLINE:
            lines = [file.readline(LONGEST_LINE) for _ in range(LINES.get(name, 1))]
            if not all(line.endswith(b"\n") for line in lines):
                return cut and file.tell() == end
            if name in LINES and not all(re.fullmatch(rb"[\w.]+\n", line) for line in lines):
                return False  # English that begins with a c, not a module and a name.
        else:
            if size in LENGTHS:
                size = int.from_bytes(file.read(LENGTHS[size]), "little")
            if size > end - file.tell():
                return cut
            file.seek(size, io.SEEK_CUR)
        named = named or name in NAMES
        if named and name in CALLS:
            return True
    return True  # Nothing but pickles has two million operations in a row.


def _array_of_objects(file: IO[bytes]) -> bool:
    head = file.read(12)
    length = int.from_bytes(head[8:10] if head[6:7] == b"\x01" else head[8:12], "little")
    file.seek(10 if head[6:7] == b"\x01" else 12)
    return length > 1 << 20 or re.search(rb"'[|<>=]?O\d*'", file.read(length)) is not None


def _unpacked(file: IO[bytes], unpacker: "Unpacker") -> bytes:
    """The first megabyte of what is inside, or nothing if it is not what it seemed."""
    try:
        return unpacker.decompress(file.read(WINDOW), WINDOW)  # Of a bomb, too, no more than this comes out.
    except (zlib.error, OSError, EOFError, lzma.LZMAError):
        return b""


def _zip_holds(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS:
                return True
            for member in members:
                if member.filename.lower().endswith((".pkl", ".pickle")):
                    return True
                with archive.open(member) as file:
                    inner = file.read(WINDOW)
                if _holds(io.BytesIO(inner), inner[:8], cut=member.file_size > len(inner)):
                    return True
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error, ValueError):
        return True  # An archive that cannot be looked into is not loaded either.
    return False
