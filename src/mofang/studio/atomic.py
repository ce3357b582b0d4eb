"""Files and folders that appear whole or not at all."""

import contextlib
import glob
import os
import shutil
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
        why = error.strerror or str(error)
        raise UserError(f"cannot write {target}: {why}; nothing was changed: free some space or choose another folder") from error
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


@contextmanager
def atomic_folder(target: Path, marker: str) -> Iterator[Path]:
    """Yield an empty folder beside `target`; on a clean exit it is flushed to disk and takes `target`'s place.

    An existing `target` is replaced only if it is empty or holds the file `marker`, by which folders of this kind are
    known; anything else raises `UserError` before any work is done. What a kill left of earlier tries is swept.
    """
    target = target.absolute()
    try:
        if target.exists() and not (target.is_dir() and (not any(target.iterdir()) or (target / marker).is_file())):
            raise UserError(f"{target} exists and was not made by this command; choose another folder or move it away")
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target)
        staging = Path(tempfile.mkdtemp(prefix=f".tmp-{target.name}-", dir=target.parent))
    except OSError as error:
        raise UserError(
            f"cannot write in {target.parent}: {error.strerror}; free some space or choose another folder"
        ) from error
    try:
        with _held(staging):
            yield staging
            for path in staging.rglob("*"):
                if path.is_file():
                    path.chmod(0o644)
                    sync_file(path)
            staging.chmod(0o755)
            sync_folder(staging)
            old = target.parent / f".old-{target.name}"
            if target.exists():
                target.replace(old)
            staging.replace(target)
            sync_folder(target.parent)
            shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        why = error.strerror or str(error)
        raise UserError(f"cannot write {target}: {why}; nothing was changed: free some space or choose another folder") from error
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _sweep(target: Path) -> None:
    """Put back what a kill caught between the two renames, and remove unfinished folders nobody is working on."""
    old = target.parent / f".old-{target.name}"
    if old.exists() and not target.exists():
        old.replace(target)
    shutil.rmtree(old, ignore_errors=True)
    for left in target.parent.glob(f".tmp-{glob.escape(target.name)}-*"):
        with contextlib.suppress(BlockingIOError), _held(left):
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold `folder` as this process's own; raises `BlockingIOError` if another process does. The lock dies with us."""
    try:
        import fcntl
    except ImportError:  # Windows refuses to remove a folder with open files, which is what the lock is for
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)
