"""A score as engraved notation: staves with everything a musician reads from, as SVG or as a picture.

Nothing is borrowed but the letters: clefs, heads, rests and signs are outlines of our own (`engrave.shapes`). Units are spaces,
the distance of two staff lines; the rules are those of Gould, Behind Bars (2011), and Ross, The Art of Music Engraving (1970).
"""

from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np

from mofang.sound.music.score import GRID, Score
from mofang.studio.errors import UserError

WIDTH, MARGIN = 104.0, 6.0
"""Spaces of a line of music, and around it."""
MOST_BARS = 600
LABEL = 0.175
"""Share of a page's short side that the AI label reaches down."""
FONT = "font-noto-serif-sc"


def svg(score: Score, words: Sequence[str] = (), space: float = 8.0) -> str:
    """The score as an SVG drawing, a staff space `space` units high. `words` are the first track's syllables, one a note.

    Raises `UserError` for a score without notes or of more than 600 bars.
    """
    import skia

    page = _Page(score, words)
    stream = skia.DynamicMemoryWStream()
    size = page.size(space)
    canvas = skia.SVGCanvas.Make(skia.Rect.MakeWH(*size), stream)
    canvas.clear(skia.ColorWHITE)
    page.draw(canvas, space)
    del canvas  # what it drew is written when it goes
    return bytes(stream.detachAsData()).decode("utf-8")


def png(score: Score, words: Sequence[str] = (), space: float = 12.0) -> bytes:
    """The score as a PNG, black on white, a staff space `space` pixels high. Raises `UserError` as `svg` does."""
    import skia
    from PIL import Image

    page = _Page(score, words)
    width, height = page.size(space)
    pixels = np.full((height, width, 4), 255, np.uint8)
    surface = skia.Surface(pixels, colorType=skia.ColorType.kRGBA_8888_ColorType)
    page.draw(surface.getCanvas(), space)
    stream = BytesIO()
    Image.fromarray(pixels[..., :3]).convert("L").save(stream, "PNG", optimize=True)
    return stream.getvalue()


@lru_cache(maxsize=1)
def _face() -> Any:
    """The letters."""
    import skia

    from mofang import models

    return skia.Typeface.MakeFromFile(str(models.ensure(FONT).file("bold")))


class _Page:
    """A score laid out: systems of bars, where each staff stands, how high it all is."""

    def __init__(self, score: Score, words: Sequence[str]) -> None:
        from mofang.sound.music.engrave.bars import staves
        from mofang.sound.music.engrave.spacing import bar_of, systems
        from mofang.sound.music.engrave.system import Ink, extent, heading_width

        if not score.end:
            raise UserError("there is nothing to write down: the piece has no notes")
        if score.bars > MOST_BARS:
            raise UserError(f"the piece has {score.bars} bars; {MOST_BARS} are written at most: cut it into pieces")
        self.score = score
        self.face = _face()
        self.groups = staves(score, words)
        self.staves = [staff for group in self.groups for staff in group]
        ink, size = Ink(None, self.face), score.metre.bar
        bars = [bar_of(self.staves, number, number * size, size, score.key, lambda text: ink.width(text, 1.9))
                for number in range(score.bars)]  # fmt: skip
        self.lines = systems(bars, lambda first: WIDTH - heading_width(score.key, first))
        self.tops: list[list[float]] = []
        y, number = MARGIN + (9.5 if score.title else 6.0), 0
        for line in self.lines:
            reach = [extent(staff, range(number, number + len(line))) for staff in self.staves]
            places = []
            for place, (top, bottom) in enumerate(reach):
                y += max(-top, 3.0) + (1.6 if place == 0 else 0.8)
                places.append(y)
                y += max(bottom, 3.0) + (2.6 if words and place == 0 else 0)
            self.tops.append(places)
            y += 1.5
            number += len(line)
        # An AI label in the upper left corner covers no music: what is published keeps this much of its short side free.
        highest = self.tops[0][0] + extent(self.staves[0], range(len(self.lines[0])))[0] - 4.0
        lower = max(0.0, LABEL * min(WIDTH + 2 * MARGIN, y + MARGIN) - highest) / (1 - LABEL)
        self.tops = [[place + lower for place in places] for places in self.tops]
        self.height = y + MARGIN + lower

    def size(self, space: float) -> tuple[int, int]:
        """Width and height in pixels."""
        return round((WIDTH + 2 * MARGIN) * space), round(self.height * space)

    def draw(self, canvas: Any, space: float) -> None:
        """Everything, on a canvas of `size`."""
        from mofang.sound.music.engrave.system import THIN, Ink, Stave, extent, heading, heading_width

        score = self.score
        canvas.scale(space, space)
        canvas.translate(MARGIN, 0)
        ink = Ink(canvas, self.face)
        if score.title:
            ink.write(score.title[:60], WIDTH / 2, MARGIN + 5.0, 3.4)
        number, ties = 0, [dict[Any, Any]() for _ in self.staves]
        for index, (line, places) in enumerate(zip(self.lines, self.tops, strict=True)):
            first, last = index == 0, index == len(self.lines) - 1
            left = heading_width(score.key, first)
            right = left + sum(bar.width for bar in line)
            if first:
                self._tempo(ink, places[0] + extent(self.staves[0], range(len(line)))[0] - 0.2)
            else:
                ink.write(str(number + 1), 0.2, places[0] - 3.6, 1.5, middle=False)
            for row, (staff, y) in enumerate(zip(self.staves, places, strict=True)):
                for each in range(-2, 3):
                    ink.box(0, y + each - THIN / 2, right, y + each + THIN / 2)
                heading(ink, staff, y, score.key, score.metre if first else None)
                low = y + extent(staff, range(number, number + len(line)))[1] + 1.9
                stave = Stave(ink, staff, y, low, ties[row])
                x = left
                for offset, bar in enumerate(line):
                    stave.bar(number + offset, x, bar)
                    x += bar.width
                if not last:
                    stave.line_ends(right + 0.2, heading_width(score.key, False) - 0.6)
            self._lines(ink, line, places, left, right, last)
            number += len(line)

    def _tempo(self, ink: Any, y: float) -> None:
        from mofang.sound.music.engrave import shapes

        ink.draw(shapes.head("black"), 1.0, y - 0.55)
        ink.box(1.5, y - 3.4, 1.62, y - 0.6)
        felt = self.score.metre.beat / GRID if self.score.metre.beat == GRID * 3 // 2 else 1
        if felt != 1:  # a compound metre is felt in dotted quarters
            ink.draw(shapes.oval(0, 0, 0.2, 0.2), 2.15, y - 0.55)
        ink.write(f"= {self.score.tempo / felt:.0f}", 2.8, y, 2.0, middle=False)

    def _lines(self, ink: Any, line: Sequence[Any], places: Sequence[float], left: float, right: float, last: bool) -> None:
        """Bar lines through each instrument's staves, the system's own at its left, braces, the double bar at the end."""
        from mofang.sound.music.engrave import shapes
        from mofang.sound.music.engrave.system import THIN

        row = 0
        for group in self.groups:
            top, bottom = places[row] - 2 - THIN / 2, places[row + len(group) - 1] + 2 + THIN / 2
            x = left
            for place, bar in enumerate(line):
                x += bar.width
                if last and place == len(line) - 1:
                    ink.box(x - 0.5, top, x, bottom)
                    ink.box(x - 1.0, top, x - 0.86, bottom)
                else:
                    ink.box(x - 0.16, top, x, bottom)
            if len(group) > 1:
                ink.draw(shapes.brace(bottom - top), -0.3, top)
            row += len(group)
        if len(places) > 1:
            ink.box(-0.16, places[0] - 2 - THIN / 2, 0, places[-1] + 2 + THIN / 2)


assert GRID == 12  # `musicxml.VALUES` counts in its steps
