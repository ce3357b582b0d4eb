"""Chinese set in columns from right to left (竖排; clreq 3.1.2, 2.3), with any font.

Characters stand upright in their cells. Punctuation moves where it belongs in a column: commas and stops to the upper
right, brackets and dashes turned with the writing, quotation marks become the corner brackets of GB/T 15834. Western
words lie on their side; numbers of up to two digits stand upright across the column.
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mofang.studio.linebreak import NOT_FIRST, NOT_LAST, is_wide
from mofang.studio.typeset import Ink, Typeface, measure, wrap
from mofang.studio.typeset import draw as draw_across

CORNER = frozenset("，。、．")
TURNED = frozenset("（）《》〈〉【】〔〕〖〗「」『』—…～-–·()")
QUOTES = {"“": "『", "”": "』", "‘": "「", "’": "」"}
_WORD = "A-Za-zÀ-ɏ0-9"
_UNITS = re.compile(rf"\d+(?![{_WORD}'’.-])|[{_WORD}][{_WORD}'’.,:;!?/&+%°-]*|.", re.DOTALL)
_QUOTED = re.compile(rf"(?<![{_WORD}])[“”‘’]|[“”‘’](?![{_WORD}])")


@dataclass(frozen=True)
class Columns:
    """Text in columns, first column right: the cells of each, and the length of the longest in pixels."""

    columns: tuple[tuple[str, ...], ...]
    face: Typeface
    size: int
    pitch: int
    length: int

    @property
    def width(self) -> int:
        """All columns in pixels."""
        return self.size + self.pitch * (len(self.columns) - 1) if self.columns else 0


def _units(text: str) -> list[str]:
    """Cells and runs that a column is made of, kept together where no column may break."""
    joined: list[str] = []
    for unit in _UNITS.findall(text):
        if joined and (unit[0] in NOT_FIRST or joined[-1][-1] in NOT_LAST) and (is_wide(unit[0]) or unit[0] in "—…”’"):
            joined[-1] += unit
        else:
            joined.append(unit)
    return [unit for unit in joined if unit.strip()]


def _cells(unit: str) -> list[str]:
    return [cell for cell in _UNITS.findall(unit) if cell.strip()]


def _upright(cell: str) -> bool:
    return (len(cell) == 1 and (is_wide(cell) or not cell.isascii())) or (cell.isdigit() and len(cell) <= 2)


def _advance(cell: str, face: Typeface, size: int, spacing: float) -> float:
    if _upright(cell):
        return size * (1 + spacing)
    return measure(cell, face, size) + size * (0.25 + spacing)


def columns(text: str, face: Typeface, size: int, length: float, leading: float = 1.7, spacing: float = 0.06) -> Columns:
    """Break the text into the fewest columns no longer than `length` pixels, and those as even as can be.

    A newline begins a column. What no font has is left out.
    """
    text = _QUOTED.sub(lambda found: QUOTES[found[0]], text)
    text = "".join(letter for letter in text if letter.isspace() or face.font(letter, size))
    paragraphs = [[(unit, sum(_advance(cell, face, size, spacing) for cell in _cells(unit))) for unit in _units(line)]
                  for line in text.split("\n") if line.strip()]  # fmt: skip

    def broken(limit: float) -> list[list[str]]:
        out: list[list[str]] = []
        for units in paragraphs:
            out.append([])
            used = 0.0
            for unit, advance in units:
                if used and used + advance > limit:
                    out.append([])
                    used = 0.0
                out[-1] += _cells(unit)
                used += advance
        return out

    best = broken(length)
    low, high = size * 1.0, float(length)
    for _ in range(12):
        middle = (low + high) / 2
        tried = broken(middle)
        if len(tried) <= len(best):
            best, high = tried, middle
        else:
            low = middle
    longest = max((sum(_advance(cell, face, size, spacing) for cell in column) for column in best), default=0.0)
    return Columns(tuple(tuple(column) for column in best), face, size, round(size * leading), int(np.ceil(longest)))


def draw(block: Columns, spacing: float = 0.06) -> NDArray[np.uint8]:
    """(length, width) coverage, 0..255, with a margin of a quarter of the size on every side."""
    margin = block.size // 4
    image = Image.new("L", (block.width + 2 * margin, block.length + 2 * margin), 0)
    for number, column in enumerate(block.columns):
        left, y = margin + block.width - block.size - number * block.pitch, float(margin)
        for cell in column:
            advance = _advance(cell, block.face, block.size, spacing)
            _put(image, cell, block, left, y, advance - block.size * spacing)
            y += advance
    return np.asarray(image).copy()


def _put(image: Image.Image, cell: str, block: Columns, left: int, top: float, room: float) -> None:
    size = block.size
    if not _upright(cell) or cell in TURNED:
        glyph = _glyph(cell, block)
        if cell in TURNED and cell not in "()-–":
            # The cell itself is turned about its middle, so that a bracket keeps its place beside what it encloses.
            image.paste(255, (left, round(top)), glyph.rotate(-90))
            return
        lying = glyph.rotate(-90, expand=True)
        box = lying.getbbox()
        if box:
            ink = lying.crop(box)
            image.paste(255, (left + (size - ink.width) // 2, round(top + (room - ink.height) / 2)), ink)
        return
    glyph = _glyph(cell, block)
    box = glyph.getbbox()
    if not box:
        return
    if cell in CORNER:
        ink = glyph.crop(box)
        image.paste(255, (left + size - ink.width - round(size * 0.1), round(top + size * 0.08)), ink)
    elif cell in "：；！？" or cell.isdigit() or not is_wide(cell):
        ink = glyph.crop(box)
        if ink.width > size:
            ink = ink.resize((size, ink.height), Image.Resampling.LANCZOS)
        image.paste(255, (left + (size - ink.width) // 2, round(top + (size - ink.height) / 2)), ink)
    else:
        image.paste(255, (left, round(top)), glyph)


def _glyph(cell: str, block: Columns) -> Image.Image:
    """The cell's ink: one em square for a single character, wider for a run."""
    size = block.size
    width = size if len(cell) == 1 else int(np.ceil(measure(cell, block.face, size))) + 2
    image = Image.new("L", (width, size), 0)
    if len(cell) == 1:
        font = block.face.font(cell, size)
        if font is not None:
            ImageDraw.Draw(image).text((0, size * 0.86), cell, font=font, fill=255, anchor="ls")
        return image
    drawn, (dx, _) = draw_across(wrap(cell, block.face, size, width + size, 1.0), Ink())
    return Image.fromarray(np.ascontiguousarray(drawn[-dx : -dx + size, -dx : -dx + width, 3]))
