"""Where an export lands: a file or folder that appears whole, and never over something that is not an export of ours."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mofang.studio.atomic import atomic, sync_file, sync_folder
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
    if target.exists() and not target.is_dir():
        raise UserError(f"{target} is a file; name a folder")
    replaced = target.exists() and any(target.iterdir())
    if replaced and not (target / FOLDER_MARK).is_file():
        raise UserError(f"{target} is not empty and was not exported by Mofang; choose another name or delete it yourself")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".tmp-", dir=target.parent))
    except OSError as error:
        raise UserError(f"cannot write in {target.parent}: {error.strerror}; free some space or choose another folder") from error
    try:
        yield temporary
        (temporary / FOLDER_MARK).touch()
        temporary.chmod(0o755)
        for path in temporary.rglob("*"):
            if path.is_file():
                sync_file(path)
        if replaced:
            shutil.rmtree(target)
        temporary.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise UserError(f"cannot write {target}: {error.strerror or error}; free some space or choose another folder") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def marked(path: Path) -> bool:
    """Whether the first or last megabyte of a file carries our mark."""
    window = 1 << 20
    with path.open("rb") as file:
        if MARK in file.read(window):
            return True
        file.seek(max(0, path.stat().st_size - window))
        return MARK in file.read(window)
