"""One system on paper: staves, clefs, signatures, heads, stems, beams, rests, ties, bar lines, syllables."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import skia

from mofang.sound.music.engrave import shapes
from mofang.sound.music.engrave.bars import MIDDLE, Event, Staff
from mofang.sound.music.engrave.spacing import SIGN, Bar
from mofang.sound.music.engrave.spelling import PLACES
from mofang.sound.music.score import Key, Metre

THIN, STEM, BEAM = 0.13, 0.12, 0.5
STEM_LENGTH = 3.5
SIDE = 0.58
"""From a head's middle to its stem."""


@dataclass
class Ink:
    """Black outlines on a canvas, in spaces; `face` has the figures and words."""

    canvas: Any
    face: Any
    paint: Any = field(default_factory=lambda: skia.Paint(AntiAlias=True, Color=skia.ColorBLACK))

    def draw(self, path: Any, x: float, y: float) -> None:
        """An outline moved to (x, y)."""
        moved = skia.Path(path)
        moved.offset(x, y)
        self.canvas.drawPath(moved, self.paint)

    def box(self, left: float, top: float, right: float, bottom: float) -> None:
        """A rectangle."""
        self.canvas.drawPath(shapes.box(left, top, right, bottom), self.paint)

    def write(self, text: str, x: float, y: float, size: float, middle: bool = True) -> float:
        """Text as outlines, its base line at y; returns its width."""
        font = skia.Font(self.face, 100)
        glyphs = font.textToGlyphs(text)
        widths = [width * size / 100 for width in font.getWidths(glyphs)]
        at = x - sum(widths) / 2 if middle else x
        for glyph, width in zip(glyphs, widths, strict=True):
            path = font.getPath(glyph)
            if path is not None:
                path.transform(skia.Matrix.Scale(size / 100, size / 100))
                self.draw(path, at, y)
            at += width
        return float(sum(widths))

    def width(self, text: str, size: float) -> float:
        """How wide text is."""
        font = skia.Font(self.face, 100)
        return float(sum(font.getWidths(font.textToGlyphs(text)))) * size / 100


def heading_width(key: Key, metre: bool) -> float:
    """Spaces of clef, key and metre before the first bar."""
    return 4.0 + abs(key.fifths) * 1.0 + (0.4 if key.fifths else 0) + (2.4 if metre else 0)


def heading(ink: Ink, staff: Staff, y: float, key: Key, metre: Metre | None) -> None:
    """Clef, key signature and, on the first system, the metre."""
    ink.draw(shapes.clef(staff.clef), 0.7, y + (1 if staff.clef == "G" else 0))
    x = 4.3
    if staff.clef != "drums":
        for number in range(abs(key.fifths)):
            place = PLACES["sharp" if key.fifths > 0 else "flat"][number] - (2 if staff.clef == "F" else 0)
            ink.draw(shapes.sign(1 if key.fifths > 0 else -1), x, y - place / 2)
            x += 1.0
    if metre:
        x = 4.0 + abs(key.fifths) * 1.0 + (0.4 if key.fifths else 0) + 0.9
        ink.write(str(metre.beats), x, y - 0.08, 2.75)
        ink.write(str(metre.unit), x, y + 1.92, 2.75)


def extent(staff: Staff, numbers: range) -> tuple[float, float]:
    """How far the notes of bars reach above and below the middle line, stems and syllables with them."""
    top, bottom = -3.0, 3.0
    for number in numbers:
        for event in staff.bars[number]:
            for head in event.heads:
                y = -(head.step - MIDDLE[staff.clef]) / 2
                top, bottom = min(top, y - 1.2), max(bottom, y + 1.2)
            if event.heads and staff.clef != "drums":
                ys = [-(head.step - MIDDLE[staff.clef]) / 2 for head in event.heads]
                reach = STEM_LENGTH + (1.9 if event.value[2] else 0.5)
                top, bottom = min(top, max(ys) - reach), max(bottom, min(ys) + reach)
    return top, bottom


@dataclass
class Stave:
    """Draws one staff's bars of one system; `open_ties` hold what goes on, from bar to bar and line to line."""

    ink: Ink
    staff: Staff
    y: float
    lowest: float
    open_ties: dict[tuple[int, Any], tuple[float, bool]] = field(default_factory=dict)

    def height(self, step: int) -> float:
        """The y of a step."""
        return self.y - (step - MIDDLE[self.staff.clef]) / 2

    def bar(self, number: int, left: float, bar: Bar) -> None:
        """All of a bar but its lines."""
        events = self.staff.bars[number]
        double = number in self.staff.twofold
        beams: dict[tuple[int, int], list[Event]] = {}
        for event in events:
            x = left + (bar.width / 2 if event.whole_bar else bar.columns[event.start])
            if not event.heads:
                self._rest(event, x, self._beyond(event, events) if double else 0)
                continue
            if event.beam >= 0:
                beams.setdefault((event.voice, event.beam), []).append(event)
            up = self._up([event], double)
            if event.beam < 0:
                self._chord(event, x, up, bar)
                self._stem(event, x, up)
        for group in beams.values():
            self._beamed(group, [left + bar.columns[event.start] for event in group], self._up(group, double), bar)
        self._triplets(events, left, bar, double)
        ups = {event.beam: self._up(group, double) for group in beams.values() for event in group}
        for event in sorted(events, key=lambda event: event.start):
            for place in range(len(event.heads)):
                up = ups[event.beam] if event.beam >= 0 and not double else self._up([event], double)
                self._tie(event, place, left + bar.columns[event.start], up)

    def _up(self, events: Sequence[Event], double: bool) -> bool:
        if double:
            return events[0].voice == 0
        steps = [head.step - MIDDLE[self.staff.clef] for event in events for head in (event.heads[0], event.heads[-1])]
        return max(steps) + min(steps) < 0

    def _beyond(self, event: Event, events: Sequence[Event]) -> int:
        """How far a voice's rest is moved out of the other's way, in spaces: two, or more where its notes lie there."""
        near = [self.height(head.step) - self.y for each in events for head in each.heads
                if each.voice != event.voice and each.start < event.start + event.size
                and event.start < each.start + each.size]  # fmt: skip
        if event.voice == 0:
            return min([-2, *(math.floor(y) - 2 for y in near)])
        return max([2, *(math.ceil(y) + 2 for y in near)])

    def _rest(self, event: Event, x: float, moved: int) -> None:
        name, dots, _ = event.value
        y = self.y + moved
        self.ink.draw(shapes.rest(name), x, y)
        for dot in range(dots):
            self.ink.draw(shapes.oval(0, 0, 0.2, 0.2), x + 1.0 + 0.5 * dot, y - 0.5)

    def _chord(self, event: Event, x: float, up: bool, bar: Bar) -> None:
        """Heads, ledger lines, accidentals, dots, syllable."""
        name, dots, _ = event.value
        kind = "cross" if self.staff.clef == "drums" and event.heads[-1].step > 42 else {"whole": "whole", "breve": "whole",
                "half": "half"}.get(name, "black")  # fmt: skip
        steps = [head.step for head in event.heads]
        aside = _aside(steps, up)
        column = 0
        for place, head in enumerate(event.heads):
            y = self.height(head.step)
            at = x + (aside[place] * 2 * SIDE * (1 if up else -1))
            self.ink.draw(shapes.head(kind), at, y)
            if (sign := bar.signs.get((id(event), place))) is not None:
                self.ink.draw(shapes.sign(sign), x - 1.25 - SIGN * column - (0.9 if any(aside) and not up else 0), y)
                column = (column + 1) % 3
            for dot in range(dots):
                on_line = (head.step - MIDDLE[self.staff.clef]) % 2 == 0
                right = x + (2 * SIDE if any(aside) and up else 0)
                self.ink.draw(shapes.oval(0, 0, 0.2, 0.2), right + 1.15 + 0.5 * dot, y - (0.5 if on_line else 0))
        for edge, away in ((max(steps), 1), (min(steps), -1)):
            offset = (edge - MIDDLE[self.staff.clef]) * away
            for ledger in range(6, offset + 1, 2):
                y = self.y - away * ledger / 2
                self.ink.box(x - 1.0, y - 0.08, x + 1.0, y + 0.08)
        if event.words:
            self.ink.write(event.words, x, self.lowest, 1.9)

    def _tie(self, event: Event, place: int, x: float, up: bool) -> None:
        head = event.heads[place]
        y = self.height(head.step)
        key = (event.voice, head)
        above = not up if len(event.heads) == 1 else place >= len(event.heads) / 2
        begun = self.open_ties.pop(key, None) or self.open_ties.pop((1 - event.voice, head), None)
        if begun is not None:
            start, over = begun
            self.ink.draw(shapes.tie(start, x - 0.75, y + (-0.55 if over else 0.55), over), 0, 0)
        if place in event.tied:
            self.open_ties[key] = (x + 0.75, above)

    def line_ends(self, right: float, left: float) -> None:
        """Ties that go on into the next system are drawn to the margin `right`, and begin anew at `left`."""
        for (voice, head), (start, over) in self.open_ties.items():
            y = self.height(head.step) + (-0.55 if over else 0.55)
            self.ink.draw(shapes.tie(start, right, y, over), 0, 0)
            self.open_ties[voice, head] = (left, over)

    def _stem(self, event: Event, x: float, up: bool) -> None:
        if event.value[0] in ("whole", "breve"):
            return
        ys = [self.height(head.step) for head in event.heads]
        longer = STEM_LENGTH + 0.75 * max(0, event.flags - 2)
        end = min(ys) - longer if up else max(ys) + longer
        # A stem far outside the staff reaches its middle line.
        end = min(end, self.y) if up else max(end, self.y)
        side = SIDE if up else -SIDE
        near = max(ys) - 0.12 if up else min(ys) + 0.12
        self.ink.box(x + side - STEM / 2, min(near, end), x + side + STEM / 2, max(near, end))
        for number in range(event.flags):
            self.ink.draw(shapes.flag(up), x + side, end + number * (0.8 if up else -0.8))

    def _beamed(self, group: Sequence[Event], xs: Sequence[float], up: bool, bar: Bar) -> None:
        side = SIDE if up else -SIDE
        ends = [self.height((event.heads[-1] if up else event.heads[0]).step) for event in group]
        most = max(event.flags for event in group)
        reach = STEM_LENGTH - 0.25 + 0.5 * (most - 1)
        slope = max(-0.18, min(0.18, 0.5 * (ends[-1] - ends[0]) / max(1e-6, xs[-1] - xs[0])))
        sign = -1 if up else 1
        line = [y - slope * (x - xs[0]) for x, y in zip(xs, ends, strict=True)]
        base = (min(line) if up else max(line)) + sign * reach
        base = min(base, self.y) if up else max(base, self.y)
        for event, x in zip(group, xs, strict=True):
            self._chord(event, x, up, bar)
            end = base + slope * (x - xs[0])
            near = self.height((event.heads[0] if up else event.heads[-1]).step) + (-0.12 if up else 0.12)
            self.ink.box(x + side - STEM / 2, min(near, end), x + side + STEM / 2, max(near, end))
        for level in range(most):
            shift = -sign * 0.75 * level
            for first, last in _runs([event.flags > level for event in group]):
                a, b = xs[first], xs[last]
                if first == last:
                    # A beam's stump points into the group.
                    a, b = (a, a + 1.1) if first == 0 else (b - 1.1, b)
                self._beam_piece(a + side, b + side, base + slope * (a - xs[0]) + shift, base + slope * (b - xs[0]) + shift, sign)

    def _beam_piece(self, left: float, right: float, y1: float, y2: float, sign: int) -> None:
        left, right = left - STEM / 2, right + STEM / 2
        deep = -sign * BEAM
        self.ink.draw(shapes.poly((left, y1), (right, y2), (right, y2 + deep), (left, y1 + deep)), 0, 0)

    def _triplets(self, events: Sequence[Event], left: float, bar: Bar, double: bool) -> None:
        """A 3 over the notes and rests that share three parts of a beat."""
        run: list[Event] = []
        for event in [*events, None]:
            if event is not None and event.value[2] and (not run or run[-1].start + run[-1].size == event.start):
                run.append(event)
                if sum(each.size for each in run) % 12 == 0 or sum(each.size for each in run) == 6:
                    self._three(run, left, bar, double)
                    run = []
            elif run:
                self._three(run, left, bar, double)
                run = [event] if event is not None and event.value[2] else []

    def _three(self, run: Sequence[Event], left: float, bar: Bar, double: bool) -> None:
        sounding = [event for event in run if event.heads]
        up = self._up(sounding, double) if sounding else True
        ys = [self.height(head.step) for event in sounding for head in event.heads] or [self.y]
        xs = [left + bar.columns[event.start] for event in run]
        y = min(self.y - 2.2, min(ys) - STEM_LENGTH) - 0.7 if up else max(self.y + 2.2, max(ys) + STEM_LENGTH) + 1.9
        self.ink.write("3", (xs[0] + xs[-1]) / 2, y, 1.7)


def _aside(steps: Sequence[int], up: bool) -> list[int]:
    """Which heads of a chord stand on the stem's other side, because a neighbour is one step away."""
    order = range(len(steps)) if up else reversed(range(len(steps)))
    found, before = [0] * len(steps), None
    for place in order:
        if before is not None and abs(steps[place] - steps[before]) == 1 and not found[before]:
            found[place] = 1
        before = place
    return found


def _runs(flags: Sequence[bool]) -> list[tuple[int, int]]:
    """First and last place of every run of True."""
    found: list[tuple[int, int]] = []
    for place, on in enumerate(flags):
        if on and found and found[-1][1] == place - 1:
            found[-1] = (found[-1][0], place)
        elif on:
            found.append((place, place))
    return found
