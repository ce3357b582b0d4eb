"""Which pictures a dataset is made of, and whether they may be used to train."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mofang.image.data.store import MANIFEST
from mofang.studio.errors import UserError
from mofang.studio.given import is_there
from mofang.studio.words import shown
from mofang.studio.works import must_cover_training, to_learn_from

NO_PICTURES = {".eps", ".ps", ".pdf", ".wmf", ".emf", ".mpg", ".mpeg", ".h5", ".hdf", ".grib", ".bufr", ".fits"}
"""Suffixes Pillow knows that it hands to other programs, writes only, or cannot draw."""


@dataclass(frozen=True)
class Found:
    """One file: where it lies, its name relative to the folder that was given, and the number of that folder."""

    path: Path
    name: str
    root: int


def suffixes() -> set[str]:
    """What the names of pictures end in: every format Pillow opens, and SVG."""
    from PIL import Image

    Image.init()
    known = {suffix for suffix, form in Image.registered_extensions().items() if form in Image.OPEN}
    return (known - NO_PICTURES) | {".svg"}


def find(folders: Sequence[Path]) -> list[Found]:
    """The pictures in the given files and folders, folders sorted by name; each file once.

    Hidden files, links and datasets are passed over. Raises `UserError` if a given path does not exist or none is there.
    """
    known = suffixes()
    found: dict[Path, Found] = {}
    for number, folder in enumerate(folders):
        if not is_there(folder):
            raise UserError(f"{shown(folder)} does not exist; give a folder of pictures")
        for path in [folder] if folder.is_file() else _files(folder):
            if path.suffix.lower() in known:
                name = path.name if path == folder else str(path.relative_to(folder))
                found.setdefault(path.resolve(), Found(path, shown(name), number))
    if not found:
        raise UserError(f"there are no pictures in {', '.join(map(shown, folders))}; "
                        "put PNG, JPEG, WebP, GIF, SVG … files there")  # fmt: skip
    return list(found.values())


def _files(folder: Path) -> Iterator[Path]:
    for place, inside, names in os.walk(folder):
        if MANIFEST in names:
            inside.clear()
            continue
        inside[:] = sorted(name for name in inside if not name.startswith("."))
        for name in sorted(names):
            path = Path(place) / name
            if not name.startswith(".") and not path.is_symlink() and path.is_file():
                yield path


class Papers:
    """Licence and consent: the studio's where it knows a work, by its hash or its place, else what the creator says."""

    def __init__(self, licence: str, studio: Path | None) -> None:
        self._licence, self._known = licence, to_learn_from(studio)

    def licence(self, found: Found, sha256: str) -> str:
        """The licence of a picture. Raises `UserError` for one whose consent does not cover training (any longer)."""
        work = self._known.get(sha256) or self._known.get(str(found.path.resolve()))
        if work is None:
            return self._licence
        must_cover_training(work, found.name, "picture")
        return work.licence
