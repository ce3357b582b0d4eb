"""Lines of given lengths that rhyme as a pattern says: `lines:7,7,7,7` with `rhyme:AABA`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mofang.text.forms.automaton import Points, State, among, look_up
from mofang.text.forms.rhyme import GROUPS, rhyme_table

FREE = "-"
MARKS = "，。！？；、,.!?;"
_ALL = (1 << len(GROUPS)) - 1


@dataclass(frozen=True)
class LinesState:
    """A place in a text of lines: `widths` Han characters each, one mark if wished, then a line break.

    `rhymes` has a letter for each line: lines of one letter end in a common group, those of `-` are free. `groups` are the
    groups still open to each letter, in alphabetical order. `marked` says that the line's mark stands already.
    """

    widths: tuple[int, ...]
    rhymes: str
    groups: tuple[int, ...]
    line: int = 0
    place: int = 0
    marked: bool = False

    @property
    def accepting(self) -> bool:
        """Whether the last line is whole."""
        return self.line == len(self.widths) - 1 and self.place == self.widths[-1]

    def after(self, points: Points) -> tuple[NDArray[np.intp], Sequence[State]]:
        """See `State`."""
        numbers = np.full(len(points), -1, np.intp)
        if self.place == self.widths[self.line]:
            states: list[State] = []
            if not self.marked:
                numbers[np.isin(points, _marks())] = len(states)
                states.append(replace(self, marked=True))
            if self.line + 1 < len(self.widths):
                numbers[points == ord("\n")] = len(states)
                states.append(replace(self, line=self.line + 1, place=0, marked=False))
            return numbers, states
        groups = look_up(rhyme_table(), points)
        letter = self.rhymes[self.line]
        if self.place < self.widths[self.line] - 1 or letter == FREE:
            numbers[groups > 0] = 0
            return numbers, (replace(self, place=self.place + 1),)
        at = sorted(set(self.rhymes) - {FREE}).index(letter)
        shared = groups & np.uint32(self.groups[at])
        found = np.unique(shared[shared > 0])
        for number, bits in enumerate(found):
            numbers[shared == bits] = number
        return numbers, [replace(self, place=self.place + 1, groups=(*self.groups[:at], int(bits), *self.groups[at + 1 :]))
                         for bits in found]  # fmt: skip

    def some(self, low: int, high: int) -> bool:
        """See `State`."""
        return bool((self.after(among(_possible(), low, high))[0] >= 0).any())


def opened(widths: Sequence[int], rhymes: str = "") -> LinesState:
    """The beginning of a text of such lines."""
    pattern = rhymes or FREE * len(widths)
    return LinesState(tuple(widths), pattern, (_ALL,) * len(set(pattern) - {FREE}))


def _marks() -> Points:
    return np.array([ord(mark) for mark in MARKS], np.uint32)


@cache
def _possible() -> Points:
    return np.unique(np.concatenate([np.flatnonzero(rhyme_table()), _marks(), [ord("\n")]])).astype(np.uint32)
