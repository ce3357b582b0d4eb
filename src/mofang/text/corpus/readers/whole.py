"""Small files read at once, within bounds."""

import re
import zipfile
from pathlib import Path
from typing import IO

from mofang.studio.errors import UserError
from mofang.text.decode import decode

LIMIT = 64 << 20
"""The most bytes of one file, or of one file inside an archive, that are read at once."""
_TOTAL = 1 << 30
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9._-]{2,40})""")


def read_bytes(path: Path) -> bytes:
    """The bytes of a file. Raises `UserError` if it is unreadable or larger than `LIMIT`."""
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        raise UserError(f"cannot read {path.name}: {error.strerror or error}") from error
    if len(data) > LIMIT:
        raise UserError(f"{path.name} is larger than {LIMIT >> 20} MB, too large for a file of its kind; split it")
    return data


def read_text(path: Path) -> str:
    """The text of a file, line ends as `\\n`."""
    return lines(decode(read_bytes(path), path.name)[0])


def lines(text: str) -> str:
    """The text with every kind of line end as `\\n`."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def declared(data: bytes, name: str) -> str:
    """The text of HTML or XML, in the encoding it declares if that holds."""
    if found := _DECLARED.search(data[:2048]):
        try:
            return lines(data.decode(found[1].decode("ascii")))
        except (UnicodeDecodeError, LookupError):
            pass
    return lines(decode(data, name)[0])


class Archive:
    """A ZIP file opened for reading: each member, and all together, only up to a limit, whatever its directory claims."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._left = _TOTAL
        try:
            self._zip = zipfile.ZipFile(path)
        except OSError as error:
            raise UserError(f"cannot read {path.name}: {error.strerror or error}") from error
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise UserError(f"{path.name} is cut off or damaged; open it in its program and save it again") from error
        if len(self._zip.filelist) > 50_000:
            raise UserError(f"{path.name} holds {len(self._zip.filelist):,} files; that is no book or document")

    @property
    def names(self) -> frozenset[str]:
        """The members' names."""
        return frozenset(self._zip.NameToInfo)

    def read(self, name: str) -> bytes:
        """A member's bytes. Raises `UserError` for one that is missing, damaged, locked or too large."""
        data = b""
        with self.open(name) as member:
            data = self.take(member, min(LIMIT, self._left) + 1)
        if len(data) > min(LIMIT, self._left):
            raise UserError(f"{self._name} unpacks to more than it should (a zip bomb?); it was not read")
        self._left -= len(data)
        return data

    def open(self, name: str) -> IO[bytes]:
        """A member as a file."""
        try:
            return self._zip.open(name)
        except KeyError as error:
            raise UserError(f"{self._name} lacks its {name}; open it in its program and save it again") from error
        except RuntimeError as error:
            raise UserError(f"{self._name} is locked with a password; save it without") from error
        except (zipfile.BadZipFile, NotImplementedError, OSError) as error:
            raise UserError(f"{self._name} is damaged; open it in its program and save it again") from error

    def take(self, member: IO[bytes], size: int) -> bytes:
        """Up to `size` bytes of an opened member."""
        import zlib

        try:
            return member.read(size)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise UserError(f"{self._name} is damaged; open it in its program and save it again") from error

    def close(self) -> None:
        """Close the file."""
        self._zip.close()
