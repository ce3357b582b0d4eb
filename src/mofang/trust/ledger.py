"""The studio's ledger: one line for every published file, kept for good (办法, art. 9, asks for six months)."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mofang.studio.errors import UserError

NAME = "ledger.jsonl"


def append(studio: Path, line: Mapping[str, Any]) -> None:
    """Add one line, on disk before this returns. Raises `UserError` if it cannot be written."""
    path = studio / NAME
    try:
        studio.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            # A line cut short by a power cut must not swallow the next one.
            torn = b"" if file.tell() == 0 or _last_byte(path) == b"\n" else b"\n"
            text = json.dumps(line, ensure_ascii=False).encode("utf-8", "replace")
            file.write(torn + text + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise UserError(f"cannot write the studio's ledger {path}: {error.strerror}; nothing was published") from error


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1)


def find(studio: Path | None, field: str, value: str) -> Mapping[str, Any] | None:
    """The last line whose field has this value, or None. Damaged lines are passed over."""
    found = None
    if studio is None or not (studio / NAME).is_file():
        return None
    try:
        with (studio / NAME).open("rb") as file:
            for text in file:
                if value.encode("utf-8", "replace") not in text:
                    continue
                try:
                    line = json.loads(text)
                except ValueError:
                    continue
                if isinstance(line, dict) and line.get(field) == value:
                    found = line
    except OSError:
        return None
    return found
