"""The creator's library: a folder with a catalogue and content-addressed assets."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from mofang.studio.atomic import sync_file, sync_folder
from mofang.studio.catalogue import Catalogue
from mofang.studio.credit import Credit
from mofang.studio.errors import UserError
from mofang.studio.recipe import Json, Recipe, canonical


@dataclass(frozen=True)
class Asset:
    """One made thing: its content's SHA-256 (`id`), kind, file and when it was made."""

    id: str
    kind: str
    path: Path
    size: int
    made: str


@dataclass(frozen=True)
class Made:
    """What an engine says of what it just made: whose work went in, and what it measured (JSON)."""

    credits: tuple[Credit, ...] = ()
    facts: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Making:
    """An asset together with the recipe that made it."""

    asset: Asset
    recipe: Recipe
    made: Made


def now() -> str:
    """The time as it stands in the catalogue: UTC, ISO 8601, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Studio:
    """An open studio folder.

    >>> studio = Studio(Path("~/Mofang").expanduser())
    >>> asset = studio.make(recipe, ".png", lambda path: engine.paint(path)).asset    # made once, then remembered

    Writing order is temporary file → fsync → rename → fsync of the folder → catalogue row, so whatever the catalogue
    names exists and is whole; a kill in between leaves only a file nobody names, which `doctor` sweeps.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            for name in ("assets", "models", "works", "runs", "cache"):
                (folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"cannot keep a studio in {folder}: {error.strerror}; choose another folder with --studio"
            ) from error
        self.catalogue = Catalogue(folder / "studio.db")

    def close(self) -> None:
        """Close the catalogue."""
        self.catalogue.close()

    # -- assets ------------------------------------------------------------------------------------------------------

    def make(
        self, recipe: Recipe, suffix: str, produce: Callable[[Path], Made], kind: str = "", fresh: bool = False
    ) -> Making:
        """The asset this recipe makes: the one made before if it is still whole, else `produce(path)` is called.

        `produce` writes the content to the path it is given. `fresh` makes it again whatever is there.
        """
        if not fresh and (known := self.find(recipe)):
            return known
        temporary = self._temporary(suffix)
        try:
            made = produce(temporary)
            asset = self._adopt(temporary, suffix, kind or kind_of(suffix), recipe, made)
        except OSError as error:
            raise UserError(
                f"cannot write in {self.folder}: {error.strerror or error}; free some space and run it again"
            ) from error
        finally:
            temporary.unlink(missing_ok=True)
        return Making(asset, recipe, made)

    def find(self, recipe: Recipe) -> Making | None:
        """What this recipe made before, if its content is still there at its full size."""
        making = self._making("key", recipe.key)
        if making is None or not making.asset.path.is_file() or making.asset.path.stat().st_size != making.asset.size:
            return None
        return making

    def made_by(self, key: str) -> Making | None:
        """What the recipe with this key made, whether its content is still there or not."""
        return self._making("key", key)

    def assets(self, kind: str = "", limit: int = 50) -> list[Asset]:
        """The newest assets, newest first."""
        where = "WHERE kind = ?" if kind else ""
        values: tuple[str | int, ...] = (kind, limit) if kind else (limit,)
        rows = self.catalogue.execute(f"SELECT * FROM assets {where} ORDER BY made DESC, rowid DESC LIMIT ?", *values)
        return [self._asset(dict(row)) for row in rows]

    def asset(self, prefix: str) -> Asset:
        """The one asset whose id starts with `prefix` (at least four hex digits)."""
        if len(prefix) < 4 or not all(letter in "0123456789abcdef" for letter in prefix):
            raise UserError(
                f"'{prefix[:40]}' is no asset id; give at least four of its hex digits, as shown by: mofang list"
            )
        rows = self.catalogue.execute("SELECT * FROM assets WHERE id GLOB ? LIMIT 2", prefix + "*")
        if not rows:
            raise UserError(f"no asset {prefix} in {self.folder}; see: mofang list")
        if len(rows) > 1:
            raise UserError(f"several assets start with {prefix}; give more of the id")
        return self._asset(dict(rows[0]))

    def making(self, asset: Asset) -> Making:
        """The newest recipe that made this asset."""
        making = self._making("asset", asset.id)
        assert making is not None, f"asset {asset.id} without a recipe"
        return making

    def _making(self, column: str, value: str) -> Making | None:
        rows = self.catalogue.execute(
            "SELECT makings.recipe, makings.credits, makings.facts, assets.* FROM makings "
            f"JOIN assets ON assets.id = makings.asset WHERE makings.{column} = ? ORDER BY makings.made DESC LIMIT 1",
            value,
        )
        if not rows:
            return None
        row = dict(rows[0])
        credits = tuple(Credit(**credit) for credit in json.loads(row["credits"]))
        return Making(
            self._asset(row), Recipe.from_json(json.loads(row["recipe"])), Made(credits, json.loads(row["facts"]))
        )

    def _asset(self, row: Mapping[str, Json]) -> Asset:
        return Asset(row["id"], row["kind"], self._path(row["id"], row["suffix"]), row["size"], row["made"])

    def _path(self, content: str, suffix: str) -> Path:
        return self.folder / "assets" / content[:2] / (content[2:] + suffix)

    def _temporary(self, suffix: str) -> Path:
        handle, name = tempfile.mkstemp(prefix=".tmp-", suffix=suffix, dir=self.folder / "assets")
        os.close(handle)
        return Path(name)

    def _adopt(self, temporary: Path, suffix: str, kind: str, recipe: Recipe, made: Made) -> Asset:
        sync_file(temporary)
        content, size, when = file_hash(temporary), temporary.stat().st_size, now()
        path = self._path(content, suffix)
        new_folder = not path.parent.exists()
        path.parent.mkdir(exist_ok=True)
        temporary.chmod(0o444)
        temporary.replace(path)
        sync_folder(path.parent)
        if new_folder:
            sync_folder(path.parent.parent)
        with self.catalogue.transaction():
            self.catalogue.execute(
                "INSERT INTO assets VALUES (?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET suffix = excluded.suffix",
                content,
                kind,
                suffix,
                size,
                when,
            )
            self.catalogue.execute(
                "INSERT OR REPLACE INTO makings VALUES (?, ?, ?, ?, ?, ?)",
                recipe.key,
                content,
                canonical(recipe.to_json()),
                canonical([credit.to_json() for credit in made.credits]),
                canonical(dict(made.facts)),
                when,
            )
        return Asset(content, kind, path, size, when)

    # -- pieces ------------------------------------------------------------------------------------------------------

    def add_piece(self, title: str, kind: str, folder: Path, assets: Iterable[str]) -> None:
        """Remember a published piece; a piece published again to the same folder replaces the earlier row."""
        self.catalogue.execute(
            "INSERT OR REPLACE INTO pieces (title, kind, folder, assets, made) VALUES (?, ?, ?, ?, ?)",
            title,
            kind,
            str(folder.resolve()),
            canonical(list(assets)),
            now(),
        )

    def pieces(self) -> list[dict[str, Json]]:
        """Published pieces, newest first: `{id, title, kind, folder, assets, made}`."""
        rows = self.catalogue.execute("SELECT * FROM pieces ORDER BY made DESC, id DESC")
        return [{**dict(row), "assets": json.loads(row["assets"])} for row in rows]

    def require_space(self, size: int) -> None:
        """Refuse work that would need `size` bytes more than the disk has, before any of it is done."""
        free = shutil.disk_usage(self.folder).free
        if free < size:
            raise UserError(
                f"this needs about {size >> 20} MB in {self.folder} and {free >> 20} MB are free; free some space"
            )


KINDS = {
    ".png": "image",
    ".jpg": "image",
    ".webp": "image",
    ".svg": "image",
    ".wav": "audio",
    ".flac": "audio",
    ".mp3": "audio",
    ".m4a": "audio",
    ".m4b": "audio",
    ".mp4": "video",
    ".mid": "score",
    ".txt": "text",
    ".md": "text",
    ".json": "storyboard",
}


def kind_of(suffix: str) -> str:
    """The kind of asset a file suffix stands for."""
    return KINDS[suffix]
