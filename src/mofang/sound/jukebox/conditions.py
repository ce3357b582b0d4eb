"""What a prior is told besides codes: where in a piece a window stands, and the words sung around it."""

import numpy as np
from numpy.typing import NDArray

from mofang.sound.jukebox.shape import BINS, LONGEST_TOLD, LYRIC_SYMBOLS

Ints = NDArray[np.int64]
SILENT = LYRIC_SYMBOLS - 1
"""What stands where there are no lyrics."""


def times(start: int, count: int, total: int, rate: float) -> Ints:
    """(count, 3): the total length, each code's place in seconds and its share of the whole, in `BINS` steps.

    For `count` codes from code `start` of a piece of `total`, `rate` a second. Seconds are told on a logarithmic scale: the
    first ones of a piece differ more than its last.
    """
    places = np.arange(start, start + count)
    share = np.clip(places * BINS // max(1, total), 0, BINS - 1)
    return np.stack((np.full(count, _bin(np.array([total / rate]))[0]), _bin(places / rate), share), 1)


def _bin(seconds: NDArray[np.float64]) -> Ints:
    place = np.log1p(np.maximum(seconds, 0)) / np.log1p(LONGEST_TOLD) * BINS
    return np.asarray(np.clip(place, 0, BINS - 1), np.int64)


def lyrics(text: str, start: int, count: int, total: int, size: int) -> Ints:
    """(size,) bytes of the words around a window: spread evenly over the piece, as the paper aligns them (section 4.4)."""
    found = np.full(size, SILENT, np.int64)
    letters = text.encode("utf-8")
    middle = (start + count / 2) / max(1, total)
    first = int(np.clip(round(middle * len(letters) - size / 2), 0, max(0, len(letters) - size)))
    part = np.frombuffer(letters[first : first + size], np.uint8)
    # At the end, so that the words stand next to the music.
    found[size - len(part) :] = part
    return found
