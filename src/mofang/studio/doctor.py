"""A check-up of the library: every hash, every row, every leftover."""

import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mofang.studio import atomic
from mofang.studio.library import Studio, file_hash
from mofang.studio.progress import Progress, silent

YOUNG = 600.0
"""Seconds a nameless file is left alone: another process may be about to give it its row."""


@dataclass
class Diagnosis:
    """What the doctor found. `ok` when nothing acknowledged is missing or damaged."""

    checked: int = 0
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    swept: list[Path] = field(default_factory=list)
    database: str = "ok"

    @property
    def ok(self) -> bool:
        """Whether everything the catalogue names is there and whole. Leftovers are no illness."""
        return not self.missing and not self.damaged and self.database == "ok"


def examine(studio: Studio, sweep: bool = True, young: float = YOUNG, progress: Progress = silent,
            places: Iterable[Path] = ()) -> Diagnosis:  # fmt: skip
    """Verify every asset's SHA-256 and sweep files that no row names and that are older than `young` seconds, and what killed
    processes left in the studio, where pieces were published, and in `places`."""
    diagnosis = Diagnosis()
    try:
        diagnosis.database = str(studio.catalogue.execute("PRAGMA integrity_check")[0][0])
    except sqlite3.DatabaseError as error:
        diagnosis.database = str(error)
        return diagnosis
    assets = studio.assets(limit=-1)
    known = {asset.path for asset in assets}
    for number, asset in enumerate(assets):
        progress(number / len(assets), "checking assets")
        if not asset.path.is_file():
            diagnosis.missing.append(asset.id)
        elif asset.path.stat().st_size != asset.size or file_hash(asset.path) != asset.id:
            diagnosis.damaged.append(asset.id)
        diagnosis.checked += 1
    if sweep:
        for place in _places(studio, places):
            diagnosis.swept += atomic.sweep(place)
        before = time.time() - young
        for root in (studio.folder / "assets", studio.folder / "cache"):
            for path in sorted(root.rglob("*")):
                nameless = path.name.startswith(".tmp-") or (root.name == "assets" and path not in known)
                if path.is_file() and nameless and path.stat().st_mtime < before:
                    path.unlink(missing_ok=True)
                    diagnosis.swept.append(path)
    return diagnosis


def _places(studio: Studio, more: Iterable[Path]) -> list[Path]:
    """Folders in which unfinished work may lie."""
    inside = {path.parent for path in studio.folder.rglob(atomic.PREFIX + "*")}
    pieces = {Path(piece["folder"]) for piece in studio.pieces()}
    return sorted({*inside, *pieces, *more})
