"""The models on this computer: fetched once, verified, shared by every studio."""

import fcntl
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mofang.models import sources
from mofang.models.card import Card, File, card
from mofang.models.safety import check_weights
from mofang.studio.atomic import atomic, write_atomic
from mofang.studio.errors import UserError
from mofang.studio.progress import Progress, silent

Notify = Callable[[str], None]


@dataclass(frozen=True)
class Model:
    """A model on disk."""

    card: Card
    folder: Path

    def file(self, role: str) -> Path:
        """Where the file of that role lies."""
        for file in self.card.files:
            if file.role == role:
                return self.folder / file.name
        raise KeyError(f"{self.card.name} has no file for '{role}'")


def cache_folder() -> Path:
    """`$MOFANG_MODELS`, else the platform's cache folder."""
    if own := os.environ.get("MOFANG_MODELS"):
        return Path(own).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "mofang" / "models"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "mofang" / "models"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mofang" / "models"


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")


def ensure(name: str, *, accept: bool = False, progress: Progress = silent, notify: Notify = _tell) -> Model:
    """The model `name`, fetched and verified if it is not here yet.

    `notify` is told the licence before anything is fetched. A licence that must be agreed to needs `accept`, or
    `MOFANG_ACCEPT` naming the model. Raises `UserError` saying what was tried.
    """
    wanted = card(name)
    model = Model(wanted, cache_folder() / wanted.name)
    missing = [file for file in wanted.files if not _verified(model, file)]
    if not missing:
        return model
    agreed = accept or wanted.name in os.environ.get("MOFANG_ACCEPT", "").split(",")
    if wanted.accept and not agreed:
        raise UserError(f"{wanted.title} comes under {wanted.licence} ({wanted.licence_url}); read it, then run: "
                        f"mofang models pull {wanted.name} --accept-licence")  # fmt: skip
    with _locked(model):
        missing = [file for file in wanted.files if not _verified(model, file)]
        size = sum(file.size for file in missing)
        if missing:
            verb = "looking for" if sources.offline() else "fetching"
            notify(
                f"{verb} {wanted.title} ({size / 1e6:.0f} MB, {wanted.licence}, {wanted.author}; {wanted.licence_url})"
            )
            _require_space(model.folder, size)
        done = 0
        for file in missing:
            progress(done / size, file.name)
            _obtain(model, file)
            done += file.size
        shutil.rmtree(_scratch(model), ignore_errors=True)
    progress(1.0, wanted.name)
    return model


def installed(name: str) -> bool:
    """Whether every file of the model is here and was verified."""
    wanted = card(name)
    model = Model(wanted, cache_folder() / wanted.name)
    return all(_verified(model, file) for file in wanted.files)


def verify(name: str) -> list[str]:
    """Hash every file again. Returns those missing or damaged, which are fetched anew when next needed."""
    wanted = card(name)
    model = Model(wanted, cache_folder() / wanted.name)
    bad = []
    for file in wanted.files:
        path = model.folder / file.name
        if not path.is_file() or _sha256(path) != file.sha256:
            bad.append(file.name)
            _stamp(path).unlink(missing_ok=True)
    return bad


def remove(name: str) -> int:
    """Delete a model's files. Returns the bytes freed."""
    folder = cache_folder() / card(name).name
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.exists() else 0
    shutil.rmtree(folder, ignore_errors=True)
    return size


def _obtain(model: Model, file: File) -> None:
    failures = []
    target = model.folder / file.name
    for source in file.sources:
        try:
            with atomic(target, suffix=target.suffix) as temporary:
                digest = _write(temporary, source.kind, source.parts, file, _scratch(model))
                if digest != file.sha256:
                    raise sources.Unavailable(f"{source.kind} gives another file than the card pins (SHA-256)")
                check_weights(temporary)
            _remember(target, file)
            return
        except sources.Unavailable as error:
            failures.append(str(error))
    raise UserError(f"cannot get {file.name} of {model.card.title}: {'; '.join(failures)}")


def _write(temporary: Path, kind: str, parts: tuple[str, ...], file: File, scratch: Path) -> str:
    digest, left = hashlib.sha256(), file.size
    with temporary.open("wb") as out:
        for part in parts:
            for chunk in sources.read(kind, part, left, scratch):
                digest.update(chunk)
                out.write(chunk)
                left -= len(chunk)
    return digest.hexdigest()


def _scratch(model: Model) -> Path:
    return model.folder / ".partial"


def _stamp(path: Path) -> Path:
    return path.with_name(f".{path.name}.verified")


def _remember(path: Path, file: File) -> None:
    """A stamp beside the file, so that 300 MB are not hashed at every start."""
    stat = path.stat()
    write_atomic(_stamp(path), json.dumps({"sha256": file.sha256, "size": stat.st_size, "mtime": stat.st_mtime_ns}))


def _verified(model: Model, file: File) -> bool:
    path = model.folder / file.name
    try:
        stat, stamp = path.stat(), json.loads(_stamp(path).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(stamp == {"sha256": file.sha256, "size": stat.st_size, "mtime": stat.st_mtime_ns})


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    # A package holds the file once more while it is unpacked.
    if free < 2 * size:
        raise UserError(f"{2 * size >> 20} MB are needed in {folder} and {free >> 20} MB are free; free some space")


@contextmanager
def _locked(model: Model) -> Iterator[None]:
    """One process fetches; another waits and then finds the files there."""
    try:
        model.folder.mkdir(parents=True, exist_ok=True)
        lock = (model.folder / ".lock").open("w")
    except OSError as error:
        raise UserError(f"cannot keep models in {model.folder}: {error.strerror}; set MOFANG_MODELS to another folder"
                        ) from error  # fmt: skip
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
