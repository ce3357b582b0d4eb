"""Small rules over characters: which may come at all, words that may not, letters that lines begin with."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mofang.text.forms.automaton import LAST_POINT, Points, State
from mofang.text.language import HAN

BREAKS = "，。！？；：、\n,.!?;:"
"""What ends a line of verse, printed on one line or two."""

_CLASSES = {
    "han": rf"[{HAN}，。！？；：、“”‘’（）《》…—\n]",
    "latin": r"[A-Za-zÀ-ɏ0-9\s.,;:!?'\"()\-—–’‘“”…]",
}
CLASSES = tuple(_CLASSES)


@dataclass(frozen=True)
class CharsState:
    """Only characters of one class, and their punctuation."""

    kind: str
    accepting: bool = True

    def after(self, points: Points) -> tuple[NDArray[np.intp], Sequence[State]]:
        """See `State`."""
        return np.where(np.isin(points, _members(self.kind)), 0, -1), (self,)

    def some(self, low: int, high: int) -> bool:
        """See `State`."""
        members = _members(self.kind)
        return bool(np.searchsorted(members, low) < np.searchsorted(members, high, "right"))


@cache
def _members(kind: str) -> Points:
    pattern = re.compile(_CLASSES[kind])
    return np.array([point for point in range(LAST_POINT + 1) if pattern.match(chr(point))], np.uint32)


@dataclass(frozen=True)
class BanState:
    """None of `words`: `tail` is the longest end of the text that one of them begins with (Aho & Corasick 1975)."""

    words: tuple[str, ...]
    tail: str = ""
    accepting: bool = True

    def after(self, points: Points) -> tuple[NDArray[np.intp], Sequence[State]]:
        """See `State`."""
        numbers = np.zeros(len(points), np.intp)
        states: list[State] = [replace(self, tail="")]
        for letter in sorted(set("".join(self.words))):
            text = self.tail + letter
            if any(text.endswith(word) for word in self.words):
                number = -1
            else:
                number = len(states)
                states.append(replace(self, tail=self._longest(text)))
            numbers[points == ord(letter)] = number
        return numbers, states

    def some(self, low: int, high: int) -> bool:
        """See `State`: a range of one character may be all banned, a larger one is asked letter by letter."""
        banned = sum((self.tail + letter).endswith(word) for word in self.words for letter in word[-1:] if low <= ord(letter) <= high)
        return high - low + 1 > banned

    def _longest(self, text: str) -> str:
        return next((text[at:] for at in range(len(text)) if any(word.startswith(text[at:]) for word in self.words)), "")


@dataclass(frozen=True)
class AcrosticState:
    """Line n begins with letter n (藏头); a line ends at a mark or a line break. Lines after the last letter are free."""

    letters: str
    line: int = 0
    fresh: bool = True

    @property
    def accepting(self) -> bool:
        """Whether every letter has its line."""
        return self.line >= len(self.letters) or (self.line == len(self.letters) - 1 and not self.fresh)

    def after(self, points: Points) -> tuple[NDArray[np.intp], Sequence[State]]:
        """See `State`."""
        breaks = np.isin(points, np.array([ord(mark) for mark in BREAKS], np.uint32))
        if not self.fresh:
            return np.where(breaks, 1, 0), (self, replace(self, line=self.line + 1, fresh=True))
        if self.line >= len(self.letters):
            return np.zeros(len(points), np.intp), (self,)
        numbers = np.full(len(points), -1, np.intp)
        numbers[points == ord(self.letters[self.line])] = 0
        if self.line:  # A mark may be followed by a line break before the next line begins.
            numbers[points == ord("\n")] = 1
        return numbers, (replace(self, fresh=False), self)

    def some(self, low: int, high: int) -> bool:
        """See `State`."""
        if not self.fresh or self.line >= len(self.letters):
            return True
        return low <= ord(self.letters[self.line]) <= high or (bool(self.line) and low <= ord("\n") <= high)
