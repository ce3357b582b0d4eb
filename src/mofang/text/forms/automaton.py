"""What a form is while a text is being written: a state that says which characters may follow.

Forms are automata over characters, so that one form serves every tokenizer; `tokens` turns a state into the set of
tokens that may come next. States are immutable and hashable: what follows from a state is worked out once.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.generic)

Points = NDArray[np.uint32]
"""Unicode code points, (n,)."""

LAST_POINT = 0x10FFFF
TABLE = 0x32000
"""Length of the tables below: every assigned letter has a lower code point."""


class State(Protocol):
    """A state of a form. Equal states allow the same texts to follow."""

    def __hash__(self) -> int: ...

    @property
    def accepting(self) -> bool:
        """Whether the text may end here."""

    def after(self, points: Points) -> tuple[NDArray[np.intp], Sequence["State"]]:
        """For every code point the number, in the states returned, of the state it leads to; -1 where it may not come."""

    def some(self, low: int, high: int) -> bool:
        """Whether a character from `low` to `high`, both included, may come next."""


def step(state: State, character: str) -> State | None:
    """The state after one character, None where it may not come."""
    numbers, states = state.after(np.array([ord(character)], np.uint32))
    return states[numbers[0]] if numbers[0] >= 0 else None


def walk(state: State, text: str) -> State | None:
    """The state after a text, None where some character of it may not come."""
    for character in text:
        following = step(state, character)
        if following is None:
            return None
        state = following
    return state


def look_up(table: NDArray[Number], points: Points) -> NDArray[Number]:
    """A table's entries at the code points; what lies past its end reads as entry 0."""
    found: NDArray[Number] = table[np.where(points < len(table), points, 0)]
    return found


def among(sorted_points: Points, low: int, high: int) -> Points:
    """Those of the sorted code points that lie from `low` to `high`."""
    return sorted_points[np.searchsorted(sorted_points, low) : np.searchsorted(sorted_points, high, "right")]
