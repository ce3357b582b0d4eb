"""A file as bytes that cannot be read past their end."""

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mofang.studio.errors import UserError


class Broken(Exception):
    """The bytes are not what their format promises. The message is one clause."""


class Cursor:
    """A place in the bytes of a file. Every step is checked first, so nothing is allocated on a header's word."""

    def __init__(self, data: "bytes | mmap.mmap", position: int = 0, end: int | None = None) -> None:
        self.data = data
        self.position = position
        self.end = len(data) if end is None else end
        self.items = 0  # Walked one by one so far, for formats that bound them.

    @property
    def left(self) -> int:
        """Bytes between here and the end."""
        return self.end - self.position

    def skip(self, count: int) -> int:
        """Step over `count` bytes; returns where they begin."""
        if not 0 <= count <= self.left:
            raise Broken("a length reaches past the end of the file")
        start = self.position
        self.position += count
        return start

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        start = self.skip(count)
        return self.data[start : start + count]

    def unpack(self, form: str) -> tuple[Any, ...]:
        """The next values, as `struct` spells them."""
        return struct.unpack_from(form, self.data, self.skip(struct.calcsize(form)))


@contextmanager
def opened(path: Path, what: str) -> Iterator[Cursor]:
    """The bytes of `path`, mapped and not read. `Broken` inside becomes a `UserError` that names the file."""
    try:
        with path.open("rb") as file:
            if path.stat().st_size == 0:
                raise Broken("it is empty")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield Cursor(data)
    except Broken as error:
        raise UserError(f"{path.name} is not a whole {what} file ({error}); fetch it again or choose another") from error
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}; check the path") from error
