"""What copying is measured on: the letters a reader reads, without punctuation, layout and case.

A copied verse is copied whether its lines are broken or not, and a copied sentence whether its comma is there or not.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.studio.linebreak import is_wide

Letters = NDArray[np.uint32]
"""Code points; 0 stands between documents."""

_LAST = 0x110000
_DROPPED, _NARROW, _WIDE, _BETWEEN = 0, 1, 2, 3
_BATCH = 1 << 22
"""Characters folded at a time: enough to hide numpy's overhead, little enough to stay in 100 MB."""


def fold(text: str) -> tuple[Letters, NDArray[np.int64]]:
    """The folded text and, for each of its letters, where in `text` it stands.

    Letters, digits and combining marks stay, in lower case. What stands between them goes: between Han without a trace,
    between words of other scripts it leaves one space (whose position is that of the letter before it). U+0000 stays, alone.

    >>> "".join(map(chr, fold("床前明月光，\\n疑是… To be, or not")[0]))
    '床前明月光疑是to be or not'
    """
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    kind, lower = _looked_up(points)
    kept = np.flatnonzero(kind)
    letters, kind = lower[kept], kind[kept]
    gap = (np.diff(kept) > 1) & (kind[:-1] == _NARROW) & (kind[1:] == _NARROW)
    after = np.flatnonzero(gap) + 1
    return np.insert(letters, after, ord(" ")), np.insert(kept, after, kept[after - 1])


def unfold(letters: Letters) -> str:
    """The folded text as a string."""
    return letters.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def folded(documents: Iterable[str]) -> Iterator[Letters]:
    """Many documents folded, in batches; each document is followed by a 0."""
    batch: list[str] = []
    size = 0
    for document in documents:
        batch.append(document.replace("\0", " "))
        size += len(document) + 1
        if size >= _BATCH:
            yield fold("\0".join(batch) + "\0")[0]
            batch, size = [], 0
    if batch:
        yield fold("\0".join(batch) + "\0")[0]


def _looked_up(points: NDArray[np.uint32]) -> tuple[NDArray[np.uint8], Letters]:
    """Kind and lower case of every code point."""
    distinct: NDArray[Any]
    number: NDArray[Any]
    if len(points) < 1 << 16:
        distinct, number = np.unique(points, return_inverse=True)
    else:  # Sorting millions to find thousands would take most of the time.
        present = np.zeros(_LAST, bool)
        present[points] = True
        distinct, number = np.flatnonzero(present), (np.cumsum(present, dtype=np.int32) - 1)[points]
    table = [_folded(int(point)) for point in distinct]
    kinds, lower = np.array([kind for kind, _ in table], np.uint8), np.array([small for _, small in table], np.uint32)
    return kinds[number], lower[number]


@cache
def _folded(point: int) -> tuple[int, int]:
    if point == 0:
        return _BETWEEN, 0
    letter = chr(point)
    if not letter.isalnum() and not unicodedata.category(letter).startswith("M"):
        return _DROPPED, 0
    small = letter.lower()
    # Some letters grow in lower case (İ): those stay, so that positions stay.
    return _WIDE if is_wide(letter) else _NARROW, ord(small) if len(small) == 1 else point
