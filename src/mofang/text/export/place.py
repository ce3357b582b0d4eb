"""Where an export lands: a file or folder that appears whole, and never over something that is not an export of ours."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mofang.studio.atomic import atomic, atomic_folder
from mofang.studio.errors import UserError

MARK = b"mofang"
"""Stands in every file we export; a folder we export has a file of this name with a dot before it."""
FOLDER_MARK = ".mofang-export"


@contextmanager
def new_file(target: Path, ours: Callable[[Path], bool]) -> Iterator[Path]:
    """A temporary path that becomes `target`. Raises `UserError` if something stands there that is not `ours`."""
    if target.is_dir():
        raise UserError(f"{target} is a folder; name a file")
    if target.exists() and not ours(target):
        raise UserError(f"{target} exists and was not exported by Mofang; choose another name or delete it yourself")
    with atomic(target, suffix=target.suffix) as temporary:
        yield temporary


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A temporary folder that becomes `target`. One that we exported earlier is replaced, an empty one filled; raises
    `UserError` for any other, and if the disk is full: what stood there is then untouched."""
    with atomic_folder(target, FOLDER_MARK) as temporary:
        yield temporary
        (temporary / FOLDER_MARK).touch()


def marked(path: Path) -> bool:
    """Whether the first or last megabyte of a file carries our mark."""
    window = 1 << 20
    with path.open("rb") as file:
        if MARK in file.read(window):
            return True
        file.seek(max(0, path.stat().st_size - window))
        return MARK in file.read(window)
