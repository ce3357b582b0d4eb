"""Single members out of wheels and npm tarballs. Nothing is ever unpacked to a path that an archive chose.

An honest package has no member that climbs out of its folder, so one that does is refused whole; a member that is a
link, encrypted or more than it may be is refused by itself. What is read is bounded before it is held in memory.
"""

import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from mofang.models.card import is_inside
from mofang.models.source import Unavailable
from mofang.studio.atomic import atomic

CHUNK = 1 << 20
LONGEST_READ = CHUNK
MEMBERS = 200_000

DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, RuntimeError,
          OverflowError)  # fmt: skip
"""What the readers of archives raise on bytes that are none: offsets before the file's start are an OSError, say."""

EXPANSION, ALLOWANCE = 60, 16 << 20
"""A tarball may unpack to 60 times its size and 16 MB: JSON comes to a tenth of that, a bomb to a thousand."""


def wheel_member(wheel: Path, name: str) -> Iterator[bytes]:
    """A member of a zip file, in chunks. Raises `Unavailable`; a damaged archive is deleted, to be fetched anew."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for info in archive.infolist():
                if not is_inside(info.filename):
                    raise Unavailable(f"{wheel.name} has members that climb out of their folder")
            try:
                info = archive.getinfo(name)
            except KeyError:
                raise Unavailable(f"{wheel.name} holds no {name}") from None
            if info.is_dir() or stat.S_ISLNK(info.external_attr >> 16) or info.flag_bits & 1:
                raise Unavailable(f"{name} in {wheel.name} is no plain file")
            with archive.open(info) as file:
                yield from chunks(file)
    except DAMAGE as error:
        wheel.unlink(missing_ok=True)
        raise Unavailable(f"{wheel.name} arrived damaged") from error


def tarball_member(tarball: Path, name: str) -> Iterator[bytes]:
    """A member of a gzipped tar file, in chunks. Raises `Unavailable`; a damaged archive is deleted."""
    try:
        with _Bounded(io.FileIO(_unzipped(tarball))) as raw, tarfile.open(fileobj=raw, mode="r:") as archive:
            found = None
            for number, member in enumerate(archive):
                if number > MEMBERS:
                    raise Unavailable(f"{tarball.name} has more than {MEMBERS} members")
                if not is_inside(member.name):
                    raise Unavailable(f"{tarball.name} has members that climb out of their folder")
                if member.name == name:
                    found = member
            if found is None:
                raise Unavailable(f"{tarball.name} holds no {name}")
            file = archive.extractfile(found) if found.isreg() and not found.issparse() else None
            if file is None:
                raise Unavailable(f"{name} in {tarball.name} is no plain file")
            yield from chunks(file)
    except DAMAGE as error:
        tarball.unlink(missing_ok=True)
        raise Unavailable(f"{tarball.name} arrived damaged") from error


def chunks(file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    """The rest of a file, a megabyte at a time."""
    while chunk := file.read(CHUNK):
        yield chunk


def _unzipped(tarball: Path) -> Path:
    """The tar inside, kept beside it: picking fifty members out of a compressed stream would read it fifty times."""
    tar = tarball.with_suffix(".tar")
    if not tar.exists():
        limit = EXPANSION * tarball.stat().st_size + ALLOWANCE
        with atomic(tar) as temporary, temporary.open("wb") as out:
            for chunk in _decompressed(tarball):
                out.write(chunk)
                if out.tell() > limit:
                    raise Unavailable(f"{tarball.name} unpacks to more than {limit >> 20} MB")
    return tar


def _decompressed(tarball: Path) -> Iterator[bytes]:
    try:
        with gzip.open(tarball) as packed:
            yield from chunks(packed)
    except DAMAGE as error:
        tarball.unlink(missing_ok=True)
        raise Unavailable(f"{tarball.name} arrived damaged") from error


class _Bounded(io.BufferedReader):
    """A file that tarfile cannot read gigabytes from because one header said so."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= LONGEST_READ:
            raise tarfile.ReadError("a header of unreasonable length")
        return super().read(size)
