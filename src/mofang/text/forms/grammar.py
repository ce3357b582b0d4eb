"""A context-free grammar over characters, as a state that says which may come next.

A place in a text is a set of stacks of what is still to come, topmost a class of characters: the nondeterministic
pushdown automaton that llama.cpp's grammars are too, written for states that do not change.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mofang.studio.errors import UserError
from mofang.text.forms.automaton import LAST_POINT, Points, State

MOST_STACKS = 2_000
DEEPEST = 500
MOST_ITEMS = 200_000

Ranges = tuple[tuple[int, int], ...]
"""Ranges of code points, both ends included, sorted and apart."""

Item = Ranges | int
"""What a rule's alternative is made of: one character of a class, or another rule by number."""


@dataclass(eq=False)
class Grammar:
    """Rules by number, each a list of alternatives; rule 0 is the root."""

    rules: list[list[tuple[Item, ...]]] = field(default_factory=list)

    def opened(self) -> "GrammarState":
        """The state before the first character. Raises `UserError` for a grammar that is too large, or circular there."""
        if sum(len(each) + 1 for rule in self.rules for each in rule) > MOST_ITEMS:
            raise UserError(f"the grammar is too large (over {MOST_ITEMS:,} parts); use smaller repetitions")
        return GrammarState(self, self.expand([(0,)]))

    def expand(self, stacks: Sequence[tuple[Item, ...]]) -> frozenset[tuple[Item, ...]]:
        """The same stacks with rules on top replaced by their alternatives, until classes are on top. Raises `UserError`."""
        found: set[tuple[Item, ...]] = set()
        seen: set[tuple[Item, ...]] = set()
        waiting = list(stacks)
        while waiting:
            stack = waiting.pop()
            if stack in seen:
                continue
            seen.add(stack)
            if not stack or not isinstance(stack[-1], int):
                found.add(stack)
            else:
                waiting.extend(stack[:-1] + tuple(reversed(each)) for each in self.rules[stack[-1]])
            if len(seen) > MOST_STACKS or len(stack) > DEEPEST:
                raise UserError("the grammar has a rule that begins with itself, or can be read in too many ways at once; write "
                                "repetitions (* and +) instead, and make it less ambiguous")  # fmt: skip
        return frozenset(found)


@dataclass(frozen=True)
class GrammarState:
    """A place in a text of the grammar: what may still come, as stacks with the next class of characters last."""

    grammar: Grammar
    stacks: frozenset[tuple[Item, ...]]

    @property
    def accepting(self) -> bool:
        """Whether the text may end here."""
        return () in self.stacks

    def after(self, points: Points) -> tuple[NDArray[np.intp], Sequence[State]]:
        """See `State`."""
        tops = self._tops()
        fits = np.array([_within(points, top) for top in tops], np.bool_).reshape(len(tops), len(points))
        # Characters that fit the same classes lead to the same state.
        patterns, numbers = np.unique(fits, axis=1, return_inverse=True)
        numbers = numbers.reshape(-1)
        states: list[State] = []
        names = np.full(patterns.shape[1], -1, np.intp)
        for place, pattern in enumerate(patterns.T):
            if pattern.any():
                chosen = {top for top, fit in zip(tops, pattern, strict=True) if fit}
                names[place] = len(states)
                left = [stack[:-1] for stack in self.stacks if stack and stack[-1] in chosen]
                states.append(GrammarState(self.grammar, self.grammar.expand(left)))
        return (names[numbers] if len(points) else np.empty(0, np.intp)), states

    def some(self, low: int, high: int) -> bool:
        """See `State`."""
        return any(first <= high and low <= last for top in self._tops() for first, last in top)

    def _tops(self) -> list[Ranges]:
        return sorted({stack[-1] for stack in self.stacks if stack and not isinstance(stack[-1], int)})


def _within(points: Points, ranges: Ranges) -> NDArray[np.bool_]:
    fits = np.zeros(len(points), np.bool_)
    for first, last in ranges:
        fits |= (points >= first) & (points <= last)
    return fits


def ranges_of(pairs: Sequence[tuple[int, int]], negated: bool = False) -> Ranges:
    """Ranges sorted and joined where they touch; `negated`: everything else."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(pairs):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    if not negated:
        return tuple(joined)
    edges = [-1, *(edge for pair in joined for edge in pair), LAST_POINT + 1]
    return tuple((low + 1, high - 1) for low, high in zip(edges[::2], edges[1::2], strict=True) if low + 1 <= high - 1)
