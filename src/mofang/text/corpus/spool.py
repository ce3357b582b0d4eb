"""Cleaned text waiting on disk while the rest of the corpus is still being read."""

import hashlib
from array import array
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Spool:
    """Parts of documents, in order: the text in a file, a few numbers of each in memory.

    A document longer than a part (about a million characters) is several parts in a row. A part costs some 30 bytes
    of memory whatever its length, so a gigabyte of short poems still fits.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._path = path
        self._end = 0
        self._offsets, self._sizes, self._characters = array("Q"), array("L"), array("L")
        self._documents, self._digests, self._languages = array("L"), array("Q"), array("B")

    def __len__(self) -> int:
        return len(self._offsets)

    def add(self, text: str, document: int, language: int) -> None:
        """Append a part of document number `document`."""
        data = text.encode()
        self._file.write(data)
        self._offsets.append(self._end)
        self._sizes.append(len(data))
        self._characters.append(len(text))
        self._documents.append(document)
        self._digests.append(int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little"))
        self._languages.append(language)
        self._end += len(data)

    def rewind(self, length: int) -> None:
        """Forget every part from number `length` on."""
        if length == len(self):
            return
        self._end = self._offsets[length]
        for column in self._columns():
            del column[length:]
        self._file.seek(self._end)
        self._file.truncate()

    def text(self, part: int) -> str:
        """One part's text."""
        self._file.seek(self._offsets[part])
        return self._file.read(self._sizes[part]).decode()

    def _columns(self) -> tuple["array[int]", ...]:
        return (self._offsets, self._sizes, self._characters, self._documents, self._digests, self._languages)

    @property
    def characters(self) -> NDArray[np.int64]:
        """Characters of each part."""
        return _numbers(self._characters)

    @property
    def documents(self) -> NDArray[np.int64]:
        """The document each part belongs to, ascending."""
        return _numbers(self._documents)

    @property
    def languages(self) -> NDArray[np.int64]:
        """The language of each part as it was given."""
        return _numbers(self._languages)

    @property
    def digests(self) -> NDArray[np.uint64]:
        """64 bits of BLAKE2b of each part's text."""
        return np.array(self._digests, np.uint64)

    def close(self) -> None:
        """Delete the file."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def _numbers(column: "array[Any]") -> NDArray[np.int64]:
    return np.array(column, np.int64)
