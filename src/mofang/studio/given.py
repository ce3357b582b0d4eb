"""Files that somebody names, looked at before anything opens them."""

import stat
from pathlib import Path

from mofang.studio.errors import UserError


def given_file(path: Path, what: str = "file") -> Path:
    """`path`, if there is a file that can be read to its end: a read from a pipe or a device may wait, or go on, for ever.

    `what` is what the file should be. Raises `UserError` for what is no file, is not there, or has a name that is none.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        gone = isinstance(error, FileNotFoundError | NotADirectoryError | ValueError)
        why = "" if gone else f" ({error.strerror})"  # type: ignore[union-attr]
        raise UserError(f"there is no {what} {str(path)[:200]}{why}; check the name") from error
    if stat.S_ISDIR(mode):
        raise UserError(f"{path} is a folder; give a {what} that lies in one")
    if not stat.S_ISREG(mode):
        raise UserError(f"{path} is a pipe or a device; write what comes out of it into a file, and give that")
    return path


def is_there(path: Path) -> bool:
    """Whether a path exists; a name that is too long, holds a zero byte or turns in circles is no path."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def as_declared(value: object) -> bool:
    """Whether a dataclass of plain types holds what it declares: made of somebody's JSON it may hold anything."""
    return all(type(getattr(value, name)) is kind for name, kind in type(value).__annotations__.items())


__all__ = ["as_declared", "given_file", "is_there"]
