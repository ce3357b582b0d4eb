"""Files and folders that appear whole or not at all.

What is being made stands in a folder of its own beside its target, locked by whoever works in it. A kill leaves that folder and
nothing else; the lock dies with the process, so `sweep` can tell what is abandoned from what is not done yet.
"""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mofang.studio.errors import UserError

PREFIX = ".tmp-mofang-"
"""How such folders are called."""
ABANDONED = 86_400.0
"""Seconds after which one is taken for abandoned where folders cannot be locked (Windows, some networks)."""


@contextmanager
def atomic(target: Path, suffix: str = "") -> Iterator[Path]:
    """Yield a temporary path beside `target`; on a clean exit it is flushed to disk and renamed over `target`.

    `suffix` is for writers that choose a format by file name. Raises `UserError` if the disk is full or the folder cannot be
    written; `target` is then untouched.
    """
    with desk_for(target) as desk:
        temporary = desk / f"new{suffix}"
        temporary.touch()
        yield temporary
        settle({temporary: target})


def write_atomic(target: Path, data: bytes | str) -> None:
    """Write `data` (text as UTF-8) to `target`, whole or not at all."""
    with atomic(target) as temporary:
        temporary.write_bytes(data.encode() if isinstance(data, str) else data)


@contextmanager
def desk_for(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside `target` to make it in, which is gone afterwards, whatever happened.

    Raises `UserError` instead of an `OSError`: the disk is full, or the folder cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        desk, handle = _begun(target.parent)
    except OSError as error:
        raise UserError(
            f"cannot write in {target.parent}: {error.strerror}; free some space or choose another folder"
        ) from error
    try:
        yield desk
    except OSError as error:
        why = error.strerror or str(error)
        raise UserError(f"cannot write {target}: {why}; nothing was changed: free some space or choose another folder") from error
    finally:
        shutil.rmtree(desk, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def settle(made: Mapping[Path, Path]) -> None:
    """Flush files to the disk, then rename each over its target, all in one folder. Raises `OSError`, before anything is renamed
    if the disk is full.

    The order (files, renames, folder) is what survives a power cut: a rename can reach the disk before the bytes of the file it
    names unless they are synced first.
    """
    for path in made:
        path.chmod(0o644)
        sync_file(path)
    for path, target in made.items():
        path.replace(target)
    for folder in {target.parent for target in made.values()}:
        sync_folder(folder)


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
    old = target.parent / f".old-{target.name}"
    with desk_for(target) as desk:
        if target.exists() and not (target.is_dir() and (not any(target.iterdir()) or (target / marker).is_file())):
            raise UserError(f"{target} exists and was not made by this command; choose another folder or move it away")
        if old.exists() and not target.exists():  # A kill between the two renames.
            old.replace(target)
        shutil.rmtree(old, ignore_errors=True)
        sweep(target.parent)
        staging = desk / target.name
        staging.mkdir()
        yield staging
        for path in staging.rglob("*"):
            if path.is_file():
                path.chmod(0o644)
                sync_file(path)
        staging.chmod(0o755)
        sync_folder(staging)
        if target.exists():
            target.replace(old)
        staging.replace(target)
        sync_folder(target.parent)
        shutil.rmtree(old, ignore_errors=True)


def sweep(folder: Path) -> list[Path]:
    """Remove what killed processes left of unfinished work in `folder`; those still at work are left in peace. Returns what is
    gone."""
    gone = []
    for left in folder.glob(PREFIX + "*"):
        handle = None
        try:
            handle = hold(left)
        except (BlockingIOError, FileNotFoundError):
            continue
        except OSError:
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime < ABANDONED:
                    continue
        shutil.rmtree(left, ignore_errors=True)
        if handle is not None:
            os.close(handle)
        if not left.exists():
            gone.append(left)
    return gone


def _begun(parent: Path) -> tuple[Path, int | None]:
    """A new folder to work in, and the handle that holds it; None where folders cannot be locked. Raises `OSError`."""
    while True:
        desk = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        try:
            handle = hold(desk)
        except (BlockingIOError, FileNotFoundError):
            continue  # Before it was locked somebody took it for abandoned.
        except OSError:
            return desk, None
        if desk.is_dir():
            return desk, handle
        os.close(handle)


def hold(folder: Path) -> int:
    """Hold `folder` until the handle is closed or the process ends, however; nobody else can meanwhile. Raises
    `BlockingIOError` if another does, and another `OSError` where folders cannot be locked."""
    try:
        import fcntl
    except ImportError as error:
        raise OSError("folders cannot be locked here") from error
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle
