"""Where everything stands from left to right: columns as wide as their time asks, bars into systems, systems to the margin."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log2

from mofang.sound.music.engrave.bars import Event, Staff
from mofang.sound.music.engrave.spelling import Spelled, signature
from mofang.sound.music.score import Key

BEFORE, AFTER = 1.7, 1.0
"""Spaces between a bar line and the first head's middle, and after the last column."""
SIGN = 1.15
"""Width of an accidental."""


@dataclass
class Bar:
    """A bar's columns: step → spaces from its left bar line; `signs` are those written, by event and place in its chord."""

    columns: dict[int, float]
    width: float
    signs: dict[tuple[int, int], int]

    def stretched(self, factor: float) -> "Bar":
        """The bar wider, its bar lines' own room kept."""
        columns = {step: BEFORE + (x - BEFORE) * factor for step, x in self.columns.items()}
        return Bar(columns, BEFORE + (self.width - BEFORE) * factor, self.signs)


def bar_of(staves: Sequence[Staff], number: int, start: int, size: int, key: Key, measure: Callable[[str], float]) -> Bar:
    """Bar `number`, which begins at step `start`: `measure` says how wide a sung syllable is."""
    events = [event for staff in staves for event in staff.bars[number]]
    signs: dict[tuple[int, int], int] = {}
    for staff in staves:
        before = staff.bars[number - 1] if number else []
        going = {event.heads[place] for event in before for place in event.tied if event.start + event.size == start}
        signs |= _signs(staff.bars[number], going, key)
    steps = sorted({event.start for event in events if not event.whole_bar} | {start})
    columns: dict[int, float] = {}
    x, free = BEFORE, 0.0
    for step, until in zip(steps, [*steps[1:], start + size], strict=True):
        here = [event for event in events if event.start == step and not event.whole_bar]
        depth = max((_depth(event, signs) for event in here), default=0)
        x = max(x, free + SIGN * depth)
        columns[step] = x
        words = max((measure(event.words) for event in here if event.words), default=0.0)
        dots = 0.5 if any(event.value[1] for event in here) else 0.0
        beside = 1.0 if any(_close(event) for event in here) else 0.0
        free = x + 1.35 + dots + beside
        x += max(0.75 + 1.4 * log2(1 + (until - step) / 3) + dots + beside, words + 0.8)
    return Bar(columns, max(x + AFTER - 0.9, 6.0), signs)


def _close(event: Event) -> bool:
    """Whether two heads of a chord stand side by side."""
    return any(b.step - a.step == 1 for a, b in pairwise(event.heads))


def _depth(event: Event, signs: dict[tuple[int, int], int]) -> int:
    """Accidentals side by side before a chord, three at most."""
    return min(3, sum((id(event), place) in signs for place in range(len(event.heads))))


def _signs(events: Sequence[Event], going: set[Spelled], key: Key) -> dict[tuple[int, int], int]:
    """The accidentals a bar needs: where a letter is not as the signature or the bar so far has it. What goes on from the bar
    before (`going`) bears none."""
    signed, now = signature(key), dict[int, int]()
    held: dict[int, set[Spelled]] = {}
    found = {}
    for event in sorted(events, key=lambda event: (event.start, event.voice)):
        tied = held.get(event.voice, going)
        for place, head in enumerate(event.heads):
            written = now.get(head.step, signed.get(head.step % 7, 0))
            if head.alter != written and head not in tied:
                found[id(event), place] = head.alter
                now[head.step] = head.alter
        held[event.voice] = {event.heads[place] for place in event.tied}
    return found


def systems(bars: Sequence[Bar], room: Callable[[bool], float]) -> list[list[Bar]]:
    """Bars in lines: `room` is a line's width for bars, the first line's if it is told so. Every full line reaches the margin."""
    lines: list[list[Bar]] = [[]]
    for bar in bars:
        if lines[-1] and sum(each.width for each in lines[-1]) + bar.width > room(len(lines) == 1):
            lines.append([])
        lines[-1].append(bar)
    found = []
    for number, line in enumerate(lines):
        width, wanted = sum(bar.width - BEFORE for bar in line), room(number == 0) - BEFORE * len(line)
        last = number == len(lines) - 1 and width < 0.7 * wanted
        found.append([bar.stretched(1.15 if last else wanted / width) for bar in line])
    return found
