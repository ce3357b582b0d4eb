"""The models on this computer: fetched once, verified, shared by every studio."""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mofang.models import sources
from mofang.models.card import Card, File, Source, card
from mofang.models.lock import locked
from mofang.models.safety import check_file
from mofang.models.source import folder_from
from mofang.studio.atomic import atomic, write_atomic
from mofang.studio.errors import UserError
from mofang.studio.progress import Progress, silent
from mofang.studio.words import say

Notify = Callable[[str], None]


@dataclass(frozen=True)
class Model:
    """A model on disk."""

    card: Card
    folder: Path

    def file(self, role: str) -> Path:
        """Where the file of that role lies. Raises `KeyError` if the card has none."""
        for file in self.card.files:
            if file.role == role:
                return self.folder / file.name
        raise KeyError(f"{self.card.name} has no file for '{role}'")


@dataclass(frozen=True)
class Status:
    """What is here of a model: `missing` are names of files, `size` bytes on disk, leftovers and derived files included."""

    name: str
    missing: tuple[str, ...]
    size: int

    @property
    def ready(self) -> bool:
        """Whether every file is here and was verified."""
        return not self.missing


def cache_folder() -> Path:
    """`$MOFANG_MODELS`, else the platform's cache folder."""
    if own := folder_from("MOFANG_MODELS"):
        return own
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "mofang" / "models"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "mofang" / "models"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mofang" / "models"


def tell(line: str) -> None:
    """A `Notify` that writes to standard error."""
    sys.stderr.write(line + "\n")


def ensure(name: str, *, accept: bool = False, progress: Progress = silent, notify: Notify = tell) -> Model:
    """The model `name`, fetched and verified if it is not here yet.

    `notify` is told the licence before anything is fetched. A licence that must be agreed to needs `accept`, or
    `MOFANG_ACCEPT` naming the model (or the licence: `gemma`). Raises `UserError` saying what was tried.
    """
    model = _at(card(name))
    if not _missing(model):
        return model
    with _locked(model, notify):
        # Another process may have fetched it meanwhile, or the folder was copied from another computer.
        for file in _missing(model):
            _adopt(model, file)
        if missing := _missing(model):
            _fetch(model, missing, accept, progress, notify)
    progress(1.0, model.card.name)
    return model


def status(name: str) -> Status:
    """What is here of a model. Nothing is hashed: that is what `verify` is for."""
    model = _at(card(name))
    return Status(name, tuple(file.name for file in _missing(model)), _used(model.folder))


def installed(name: str) -> bool:
    """Whether every file of the model is here and was verified."""
    return not _missing(_at(card(name)))


def verify(name: str) -> list[str]:
    """Hash every file again. Returns those missing or damaged, which are fetched anew when next needed."""
    model = _at(card(name))
    bad = []
    for file in model.card.files:
        path = model.folder / file.name
        if not path.is_file() or _sha256(path) != file.sha256:
            bad.append(file.name)
            _stamp(path).unlink(missing_ok=True)
    return bad


def remove(name: str, notify: Notify = tell) -> int:
    """Delete a model's files, after any process that is fetching them. Returns the bytes freed."""
    model = _at(card(name))
    if not model.folder.exists():
        return 0
    with _locked(model, notify):
        size = _used(model.folder)
        try:
            shutil.rmtree(model.folder)
        except OSError as error:
            raise UserError(f"cannot remove {model.folder}: {error.strerror}; close what uses it") from error
    return size


# -- fetching ------------------------------------------------------------------------------------------------------------


def _fetch(model: Model, missing: list[File], accept: bool, progress: Progress, notify: Notify) -> None:
    wanted, size = model.card, sum(file.size for file in missing)
    local = all(any(source.kind == "file" for source in file.sources) for file in missing)
    if sources.offline() and not local:
        raise UserError(f"{wanted.name} ({size / 1e6:.0f} MB) is not on this computer and fetching is switched off; run "
                        f"where there is a network: mofang models pull {wanted.name}, or copy its folder to {model.folder}"
                        )  # fmt: skip
    agreed = {part.strip().lower() for part in os.environ.get("MOFANG_ACCEPT", "").split(",")}
    if wanted.accept and not accept and not agreed & {wanted.name, wanted.licence.removeprefix("LicenseRef-").lower()}:
        raise UserError(f"{wanted.title} comes under {wanted.licence} ({wanted.licence_url}); read it, then run: "
                        f"mofang models pull {wanted.name} --accept-licence")  # fmt: skip
    notify(say("fetching", "正在获取") + f" {wanted.title} ({size / 1e6:.0f} MB) · {wanted.author} · "
           f"{wanted.licence} {wanted.licence_url}")  # fmt: skip
    _require_space(model.folder, size)
    done = 0
    for file in missing:

        def share(part: float, done: int = done, file: File = file) -> None:
            progress((done + part * file.size) / size, file.name)

        share(0.0)
        _obtain(model, file, share)
        done += file.size
    shutil.rmtree(_scratch(model), ignore_errors=True)


def _obtain(model: Model, file: File, share: Callable[[float], None]) -> None:
    """The file from the first source that gives it, written to its place once its hash and content have been checked."""
    failures = []
    target = model.folder / file.name
    for source in file.sources:
        try:
            with atomic(target, suffix=target.suffix) as temporary:
                if _write(temporary, source, file, _scratch(model), share) != file.sha256:
                    for part in source.parts:
                        sources.forget(source.kind, part, _scratch(model))
                    raise sources.Unavailable(f"{source.kind} gives another file than the card pins (SHA-256)")
                check_file(temporary, name=file.name)
        except sources.Unavailable as error:
            failures.append(str(error))
        else:
            _remember(target, file)
            return
    raise UserError(f"cannot get {file.name} of {model.card.title}: {'; '.join(failures) or 'its card names no source'}")


def _write(temporary: Path, source: Source, file: File, scratch: Path, share: Callable[[float], None]) -> str:
    """Write the parts of a source one after another. Returns the SHA-256 of the whole, hex."""
    digest, left = hashlib.sha256(), file.size
    with temporary.open("wb") as out:
        for number, part in enumerate(source.parts):

            def part_share(done: float, number: int = number) -> None:
                share((number + done) / len(source.parts))

            if sources.offline() and source.kind != "file":
                raise sources.Unavailable(f"{source.kind} is not asked offline")
            for chunk in sources.read(source.kind, part, left, scratch, part_share):
                digest.update(chunk)
                out.write(chunk)
                left -= len(chunk)
    return digest.hexdigest()


def _require_space(folder: Path, size: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    # A package holds the file once more while it is unpacked.
    if free < 2 * size:
        raise UserError(f"{2 * size >> 20} MB are needed in {folder} and {free >> 20} MB are free; free some space")


# -- on disk -------------------------------------------------------------------------------------------------------------


def _at(found: Card) -> Model:
    return Model(found, cache_folder() / found.name)


def _locked(model: Model, notify: Notify) -> AbstractContextManager[None]:
    lock = model.folder.parent / f".{model.card.name}.lock"
    line = say(f"another process is fetching {model.card.name}; waiting", f"另一个进程正在获取 {model.card.name}，等待中")
    return locked(lock, partial(notify, line))


def _scratch(model: Model) -> Path:
    return model.folder / ".partial"


def _stamp(path: Path) -> Path:
    return path.with_name(f".{path.name}.verified")


def _remember(path: Path, file: File) -> None:
    """A stamp beside the file, so that 300 MB are not hashed at every start."""
    write_atomic(_stamp(path), json.dumps(_marks(path, file)))


def _marks(path: Path, file: File) -> dict[str, str | int]:
    stat = path.stat()
    # Whole seconds: archives and container images keep no more.
    return {"sha256": file.sha256, "size": stat.st_size, "mtime": int(stat.st_mtime)}


def _verified(model: Model, file: File) -> bool:
    path = model.folder / file.name
    try:
        return bool(json.loads(_stamp(path).read_text("utf-8")) == _marks(path, file))
    except (OSError, ValueError, RecursionError):
        return False


def _missing(model: Model) -> list[File]:
    return [file for file in model.card.files if not _verified(model, file)]


def _adopt(model: Model, file: File) -> None:
    """Stamp a file that is whole and lost its stamp: a copied folder has new times."""
    path = model.folder / file.name
    if path.is_file() and path.stat().st_size == file.size and _sha256(path) == file.sha256:
        check_file(path)
        _remember(path, file)


def _used(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; check the disk") from error
