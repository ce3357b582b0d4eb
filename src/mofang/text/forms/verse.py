"""Regulated verse while it is written: every tonal pattern that what stands so far still fits stays open."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mofang.text.forms.automaton import Points, State, among, look_up, walk
from mofang.text.forms.pingshui import LEVEL, OBLIQUE, level_groups, level_table, tone, tone_table
from mofang.text.forms.regulated import FORMS, Form, Template, line_templates, sequences
from mofang.text.language import HAN

ALL_GROUPS = (1 << 30) - 1
_LINES = re.compile(r"[^，。\n]*[，。]?\n?", re.DOTALL)
_WHOLE = re.compile(rf"([{HAN}]+)([，。])\n?")
_ENOUGH = 12
"""Characters a rhyme group must have in the vocabulary to be opened: a poem needs up to five."""

Open = frozenset[tuple[str, Template]]
"""The sequences of line types still possible, each with a template that the current line still fits."""


@dataclass(frozen=True)
class VerseState:
    """A place in a poem of `form`: line, character in the line, open patterns, rhyme groups still possible (bits).

    `place` is the form's width where the line's mark comes, one more where the line break after a couplet does.
    """

    form: str
    line: int
    place: int
    open: Open
    groups: int

    @property
    def accepting(self) -> bool:
        return self.line == FORMS[self.form].height

    def after(self, points: Points) -> tuple[NDArray[np.intp], Sequence[State]]:
        if self.accepting:
            return np.full(len(points), -1, np.intp), ()
        if self.place >= FORMS[self.form].width:
            return np.where(points == ord(self._mark()), 0, -1), (self._past_mark(),)
        tones = look_up(tone_table(), points)
        if self.place < FORMS[self.form].width - 1:
            return self._by_tone(tones)
        return self._at_end(tones, look_up(level_table(), points))

    def some(self, low: int, high: int) -> bool:
        if self.accepting:
            return False
        if self.place >= FORMS[self.form].width:
            return low <= ord(self._mark()) <= high
        return bool((self.after(among(_held(), low, high))[0] >= 0).any())

    def _mark(self) -> str:
        if self.place > FORMS[self.form].width:
            return "\n"
        return "。" if self.line % 2 else "，"

    def _past_mark(self) -> "VerseState":
        form = FORMS[self.form]
        if self.place == form.width and self.line % 2 and self.line + 1 < form.height:
            return replace(self, place=form.width + 1)
        line = self.line + 1
        return VerseState(self.form, line, 0, _open(form, line, frozenset(sequence for sequence, _ in self.open)), self.groups)

    def _by_tone(self, tones: NDArray[np.uint8]) -> tuple[NDArray[np.intp], Sequence[State]]:
        numbers = np.full(len(tones), -1, np.intp)
        states: list[State] = []
        for bits in (LEVEL, OBLIQUE, LEVEL | OBLIQUE):
            if fitting := self._fitting(bits):
                numbers[tones == bits] = len(states)
                states.append(replace(self, place=self.place + 1, open=fitting))
        return numbers, states

    def _at_end(self, tones: NDArray[np.uint8], groups: NDArray[np.uint32]) -> tuple[NDArray[np.intp], Sequence[State]]:
        """The last character of a line decides whether it rhymes, and that which sequences and groups stay."""
        numbers = np.full(len(tones), -1, np.intp)
        states: list[State] = []
        if oblique := self._fitting(OBLIQUE):
            numbers[(tones & OBLIQUE) > 0] = 0
            states.append(replace(self, place=self.place + 1, open=oblique))
        if level := self._fitting(LEVEL):
            shared = groups & np.uint32(self.groups)
            # A character of both tones that may rhyme is taken to: 看, 思, 闻 end lines for their rhyme.
            for bits in np.unique(shared[shared > 0]):
                numbers[shared == bits] = len(states)
                states.append(replace(self, place=self.place + 1, open=level, groups=int(bits)))
        return numbers, states

    def _fitting(self, bits: int) -> Open:
        return frozenset((sequence, template) for sequence, template in self.open if template[self.place] & bits)


def opened(form: Form, characters: Points | None = None) -> VerseState:
    """The beginning of a poem, for a vocabulary of `characters`: rhyme groups it has too few of stay shut."""
    groups = ALL_GROUPS
    if characters is not None:
        held = look_up(level_table(), np.unique(characters))
        plenty = sum(1 << bit for bit in range(30) if np.count_nonzero(held & np.uint32(1 << bit)) >= _ENOUGH)
        groups = plenty or ALL_GROUPS
    return VerseState(form.name, 0, 0, _open(form, 0, frozenset(sequences(form))), groups)


def begun(state: VerseState, line: str) -> VerseState:
    """`opened` with a given first line behind it, its mark too, whatever its tones: the patterns nearest to it stay open.

    `line` is as many Han characters as the form is wide.
    """
    form = FORMS[state.form]
    fits = walk(state, line + "，")
    if isinstance(fits, VerseState):
        return fits
    tones = [tone(character) or LEVEL | OBLIQUE for character in line]

    def missed(kind: str) -> int:
        # How the line ends weighs most: it decides whether the next lines must rhyme with it.
        weights = [1] * (form.width - 1) + [form.width]
        return min(
            sum(weight for bits, asked, weight in zip(tones, template, weights, strict=True) if not bits & asked)
            for template in line_templates(kind, form.width)
        )

    fewest = min(missed(sequence[0]) for sequence in sequences(form))
    nearest = frozenset(sequence for sequence in sequences(form) if missed(sequence[0]) == fewest)
    groups = state.groups
    if all(sequence[0].islower() for sequence in nearest) and level_groups(line[-1]):
        groups = int(level_table()[ord(line[-1])]) & state.groups or state.groups
    return VerseState(form.name, 1, 0, _open(form, 1, nearest), groups)


def after_lines(state: VerseState, text: str) -> State | None:
    """The place after lines that anyone may have written, from the beginning of a poem (`opened`).

    A whole line off the patterns is taken as it is: all patterns are open after it, and if it rhymes its groups stay. None if
    a line has another length or mark, or the half line at the end fits nothing.
    """
    place: State | None = state
    for piece in _LINES.findall(text):
        assert isinstance(place, VerseState)
        place = walk(before := place, piece) or _off_pattern(before, piece)
        if place is None:
            break
    return place


def _off_pattern(state: VerseState, piece: str) -> State | None:
    form = FORMS[state.form]
    whole = _WHOLE.fullmatch(piece)
    couplet = state.line % 2 == 1
    if state.accepting or state.place or not whole or len(whole[1]) != form.width or whole[2] != ("。" if couplet else "，"):
        return None
    shared = int(level_table()[ord(whole[1][-1])]) & state.groups if couplet else 0
    ended = VerseState(form.name, state.line, form.width, _open(form, state.line, frozenset(sequences(form))), shared or state.groups)
    return walk(ended, piece[form.width :])


@cache
def _open(form: Form, line: int, sequences: frozenset[str]) -> Open:
    if line == form.height:
        return frozenset()
    return frozenset((sequence, template) for sequence in sequences for template in line_templates(sequence[line], form.width))


@cache
def _held() -> Points:
    return np.flatnonzero(tone_table()).astype(np.uint32)
