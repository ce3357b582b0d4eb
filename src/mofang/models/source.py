"""What the sources of files have in common."""

import os
from pathlib import Path

from mofang.studio.errors import UserError


class Unavailable(Exception):
    """This source cannot give the file; the next one may. The message is one clause."""


def folder_from(variable: str) -> Path | None:
    """The folder an environment variable names, or None. Raises `UserError` for a home nobody has."""
    value = os.environ.get(variable)
    try:
        return Path(value).expanduser() if value else None
    except RuntimeError as error:
        raise UserError(f"{variable}={value} names a home that is not there; give a full path") from error


def offline() -> bool:
    """Whether fetching is switched off (`MOFANG_OFFLINE`, `mofang --offline`)."""
    return os.environ.get("MOFANG_OFFLINE", "").strip().lower() not in ("", "0", "false", "no")
