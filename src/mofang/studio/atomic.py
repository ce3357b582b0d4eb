"""Files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mofang.studio.errors import UserError


@contextmanager
def atomic(target: Path, suffix: str = "") -> Iterator[Path]:
    """Yield a temporary path beside `target`; on a clean exit it is flushed to disk and renamed over `target`.

    The order (file, rename, folder) is what survives a power cut: a rename can reach the disk before the bytes
    of the file it names unless they are synced first. `suffix` is for writers that choose a format by file name.
    Raises `UserError` if the disk is full or the folder cannot be written; `target` is then untouched.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".tmp-", suffix=suffix, dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise UserError(
            f"cannot write in {target.parent}: {error.strerror}; free some space or choose another folder"
        ) from error
    temporary = Path(name)
    try:
        yield temporary
        sync_file(temporary)
        temporary.chmod(0o644)
        temporary.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UserError(f"cannot write {target}: {error.strerror or error}; nothing was changed") from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_atomic(target: Path, data: bytes | str) -> None:
    """Write `data` (text as UTF-8) to `target`, whole or not at all."""
    with atomic(target) as temporary:
        temporary.write_bytes(data.encode() if isinstance(data, str) else data)


def sync_file(path: Path) -> None:
    """Flush the bytes of `path` to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(path: Path) -> None:
    """Flush the names in folder `path` to the disk (a no-op where folders cannot be opened)."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:  # Windows
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
