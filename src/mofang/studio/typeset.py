"""Text into pixels: fonts with fallback, Chinese and Western line breaking, outlines and shadows.

Fonts are given as files; a character no font has is left out and reported, never drawn as a box.
"""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont, features

from mofang.studio.errors import UserError
from mofang.studio.linebreak import ends_clause, is_wide, needs_gap, pieces

Colour = tuple[int, int, int, int]
Rgba = NDArray[np.uint8]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

GAP = 0.125
"""Air between Han and Latin as a share of the size (CSS Text 4, text-autospace)."""
QUOTES = "“”‘’"
RAQM = features.check("raqm")
"""Whether Pillow can shape text: OpenType features, right-to-left scripts."""


@dataclass(frozen=True)
class Typeface:
    """Font files (TTF, OTF, WOFF, WOFF2) in the order they are asked for a character."""

    files: tuple[Path, ...]

    def font(self, character: str, size: int) -> ImageFont.FreeTypeFont | None:
        """The first font that has the character, or None."""
        for file in self.files:
            if _covers(file, character):
                return _load(file, size)
        return None

    def missing(self, text: str) -> str:
        """The visible characters of `text` that no font has, each once: what `draw` will leave out."""
        seen = (letter for letter in text if not letter.isspace() and unicodedata.category(letter)[0] not in "CM")
        return "".join(dict.fromkeys(letter for letter in seen if not self.font(letter, 32)))


@lru_cache(maxsize=64)
def _load(file: Path, size: int) -> ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype(str(file), size)
    except OSError as error:
        raise UserError(f"{file.name} is not a font that can be read; give a TTF, OTF or WOFF2 file") from error


@lru_cache(maxsize=16384)
def _covers(file: Path, character: str) -> bool:
    """Whether the font draws the character as something other than its mark for 'not there'."""
    if unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn", "Cf"):
        return False
    font = _load(file, 32)
    try:
        # U+10FFFF is a noncharacter: what is drawn for it is the font's .notdef.
        drawn, absent = font.getmask(character), font.getmask("\U0010ffff")
    except (UnicodeError, OSError):
        return False
    return (drawn.size, bytes(drawn)) != (absent.size, bytes(absent))


@dataclass(frozen=True)
class Block:
    """Lines of text ready to draw: each line's character range and width, the font size and the line height."""

    text: str
    face: Typeface
    size: int
    lines: tuple[tuple[int, int], ...]
    widths: tuple[float, ...]
    leading: int

    @property
    def width(self) -> int:
        """The widest line in pixels, rounded up."""
        return int(np.ceil(max(self.widths, default=0)))

    @property
    def height(self) -> int:
        """All lines in pixels."""
        return self.leading * len(self.lines)

    def first(self, rows: int) -> "Block":
        """The first lines alone, at least one, with an ellipsis for what is left out."""
        if len(self.lines) <= max(rows, 1):
            return self
        kept = self.lines[: max(rows, 1)]
        start, end = kept[-1]
        # As wide as before, give or take a dot: two characters make room for the ellipsis.
        last = max(start, end - 2)
        text = self.text[:last].rstrip() + "…"
        lines = (*kept[:-1], (start, len(text)))
        return replace(self, text=text, lines=lines, widths=_widths(text, lines, self.face, self.size))


@dataclass(frozen=True)
class Run:
    """A stretch of a line in one font: its x in pixels and its OpenType features."""

    font: ImageFont.FreeTypeFont
    text: str
    x: float
    features: list[str] | None


@lru_cache(maxsize=16384)
def _runs(text: str, face: Typeface, size: int) -> tuple[tuple[Run, ...], float]:
    """One line in runs, and its advance. What no font has is gone."""
    runs: list[Run] = []
    x, before = 0.0, ""
    for at, letter in enumerate(text):
        letter = " " if letter.isspace() else letter
        font = face.font(letter, size) if letter != " " else (runs[-1].font if runs else face.font("a", size))
        if font is None:
            continue
        # Chinese fonts draw the shared quotation marks full-width, which tears English apart; their apostrophe stays
        # too wide inside a word even at half of that.
        if letter == "’" and _beside_western(text, at) and text[at + 1 : at + 2].isalpha():
            letter = "'"
        narrow = ["palt"] if letter in QUOTES and RAQM and _beside_western(text, at) else None
        gap = size * GAP if before and needs_gap(before, letter) else 0.0
        if runs and runs[-1].font is font and runs[-1].features == narrow and not gap:
            runs[-1] = replace(runs[-1], text=runs[-1].text + letter)
        else:
            x = _end(runs) + gap
            runs.append(Run(font, letter, x, narrow))
        before = letter
    return tuple(runs), _end(runs)


def _end(runs: Sequence[Run]) -> float:
    return runs[-1].x + runs[-1].font.getlength(runs[-1].text, features=runs[-1].features) if runs else 0.0


def _beside_western(text: str, at: int) -> bool:
    neighbours = text[at + 1 : at + 2] if text[at] in "“‘" else text[at - 1 : at] if at else ""
    return bool(neighbours) and not is_wide(neighbours) and not neighbours.isspace() and neighbours not in QUOTES + "…—"


def measure(text: str, face: Typeface, size: int) -> float:
    """The advance of `text`, set on one line, in pixels."""
    return _runs(text, face, size)[1]


def _widths(text: str, lines: Sequence[tuple[int, int]], face: Typeface, size: int) -> tuple[float, ...]:
    return tuple(measure(text[a:b].strip(), face, size) for a, b in lines)


def wrap(
    text: str, face: Typeface, size: int, width: float, leading: float = 1.35, whole: Collection[int] = ()
) -> Block:
    """Break `text` into the fewest lines no wider than `width` pixels, as even in length as they can be.

    Evenness minimises the sum of squared slack (Knuth & Plass 1981); ends of clauses are preferred, and offsets in
    `whole` (insides of Chinese words, say) avoided. A word wider than a line is broken between its letters. Newlines
    in the text are kept.
    """
    lines: list[tuple[int, int]] = []
    start = 0
    for paragraph in text.split("\n"):
        inside = frozenset(place - start for place in whole)
        lines += [(start + a, start + b) for a, b in _wrap_line(paragraph, face, size, width, inside)]
        start += len(paragraph) + 1
    return Block(text, face, size, tuple(lines), _widths(text, lines, face, size), round(size * leading))


def _wrap_line(text: str, face: Typeface, size: int, width: float, whole: Collection[int]) -> list[tuple[int, int]]:
    parts: list[str] = []
    for piece in pieces(text):
        parts += [piece] if measure(piece.strip(), face, size) <= width else list(piece)
    # Trailing spaces do not count at a line's end.
    advances = [measure(part, face, size) for part in parts]
    trims = [measure(part.rstrip(), face, size) if part[-1].isspace() else advances[i] for i, part in enumerate(parts)]
    ends, airs, costs = [0], [0.0], [0.0]
    for number, part in enumerate(parts):
        ends.append(ends[-1] + len(part))
        following = parts[number + 1][0] if number + 1 < len(parts) else ""
        airs.append(size * GAP if following and needs_gap(part[-1], following) else 0.0)
        # A line's breadth is worth a twentieth of its square at the wrong place, and as much at the right one.
        bias = 0.08 if ends[-1] in whole else -0.05 if ends_clause(part) else 0.0
        costs.append(bias * width**2 if following else 0.0)
    best: list[tuple[int, float, int]] = [(0, 0.0, 0)]
    for stop in range(1, len(parts) + 1):
        used, found = 0.0, (1 << 30, 0.0, 0)
        for begin in range(stop - 1, -1, -1):
            used += trims[begin] if begin == stop - 1 else advances[begin] + airs[begin + 1]
            if used > width and begin < stop - 1:
                break
            lines, slack, _ = best[begin]
            found = min(found, (lines + 1, slack + (width - used) ** 2 + costs[stop], begin))
        best.append(found)
    cuts, stop = [], len(parts)
    while stop > 0:
        begin = best[stop][2]
        cuts.append((ends[begin], ends[stop]))
        stop = begin
    return cuts[::-1] or [(0, 0)]


def fit(
    text: str, face: Typeface, largest: int, smallest: int, width: float, height: float, rows: int = 99,
    whole: Collection[int] = (), leading: float = 1.35,
) -> Block:  # fmt: skip
    """The largest size, from `largest` down to `smallest`, at which the text fits the box and the number of rows.

    What does not fit even at `smallest` is left out and an ellipsis says so.
    """
    sizes = [largest]
    while sizes[-1] > smallest:
        sizes.append(max(smallest, min(int(sizes[-1] * 0.94), sizes[-1] - 1)))

    def set_at(size: int) -> tuple[Block, bool]:
        block = wrap(text, face, size, width, leading, whole)
        return block, block.height <= height and len(block.lines) <= rows and block.width <= width + 1

    # Fitting is monotone in the size for all practical text: bisect, since each try breaks the whole text anew.
    low, high, fitting = 0, len(sizes) - 1, None
    while low <= high:
        middle = 0 if low == 0 and high == len(sizes) - 1 else (low + high) // 2
        block, fits = set_at(sizes[middle])
        if fits:
            fitting, high = block, middle - 1
        else:
            low = middle + 1
    if fitting is not None:
        return fitting
    block = set_at(sizes[-1])[0]
    return block.first(min(rows, int(height // block.leading)))


@dataclass(frozen=True)
class Ink:
    """How text looks: fill, outline (colour and width as a share of the size), shadow (colour, blur as a share)."""

    fill: Colour = (255, 255, 255, 255)
    outline: Colour = (0, 0, 0, 0)
    outline_width: float = 0.0
    shadow: Colour = (0, 0, 0, 0)
    shadow_blur: float = 0.0


def draw(block: Block, ink: Ink, align: str = "center") -> tuple[Rgba, tuple[int, int]]:
    """Draw a block. Returns an RGBA array (rows, columns, 4) and how far its origin lies from the block's own corner.

    The array is larger than the block by the outline and shadow. `align`: left, center or right.
    """
    pad = int(np.ceil(block.size * (ink.outline_width + 2.5 * ink.shadow_blur))) + 2
    size = (block.width + 2 * pad, block.height + 2 * pad)
    image = Image.new("RGBA", size, (*ink.fill[:3], 0))
    stroke = round(block.size * ink.outline_width)
    if ink.shadow[3]:
        mask = _mask(block, size, pad, align, stroke).filter(ImageFilter.GaussianBlur(block.size * ink.shadow_blur))
        # Twice the blurred coverage: a shadow that only just darkens does not separate white text from snow.
        doubled = np.minimum(np.asarray(mask, np.uint16) * 2, 255).astype(np.uint8)
        image = _inked(image, Image.fromarray(doubled), ink.shadow)
    if stroke and ink.outline[3]:
        image = _inked(image, _mask(block, size, pad, align, stroke), ink.outline)
    image = _inked(image, _mask(block, size, pad, align, 0), ink.fill)
    return np.asarray(image).copy(), (-pad, -pad)


def _inked(below: Image.Image, mask: Image.Image, colour: Colour) -> Image.Image:
    layer = Image.new("RGBA", below.size, (*colour[:3], 0))
    layer.putalpha(mask.point(lambda value: value * colour[3] // 255) if colour[3] < 255 else mask)
    return Image.alpha_composite(below, layer)


def _mask(block: Block, size: tuple[int, int], pad: int, align: str, stroke: int) -> Image.Image:
    mask = Image.new("L", size, 0)
    canvas = ImageDraw.Draw(mask)
    for number, (start, end) in enumerate(block.lines):
        middle = pad + number * block.leading + block.leading / 2
        left = pad + _left(block, number, align)
        for run in _runs(block.text[start:end].strip(), block.face, block.size)[0]:
            # One baseline for every font: the anchor is the baseline, not the top of the letters.
            canvas.text((left + run.x, middle + block.size * 0.36), run.text, font=run.font, fill=255, anchor="ls",
                        stroke_width=stroke, stroke_fill=255, features=run.features)  # fmt: skip
    return mask


def _left(block: Block, line: int, align: str) -> float:
    slack = block.width - block.widths[line]
    return {"left": 0.0, "center": slack / 2, "right": slack}[align]


def boxes(block: Block, ranges: Sequence[tuple[int, int]], align: str = "center") -> list[list[Box]]:
    """Where character ranges of the text stand: for each a box per line it is on, from the block's own corner.

    Text that runs from right to left is mirrored within its line, which is exact for lines of one direction.
    """
    found: list[list[Box]] = []
    for start, end in ranges:
        parts: list[Box] = []
        for number, (a, b) in enumerate(block.lines):
            a += len(block.text[a:b]) - len(block.text[a:b].lstrip())
            first, last = max(start, a), min(end, b)
            if first >= last:
                continue
            line, left, top = block.text[a:b], _left(block, number, align), float(number * block.leading)
            x, until = (min(measure(line[: at - a], block.face, block.size), block.widths[number])
                        for at in (first, last))  # fmt: skip
            if _leftward(line):
                x, until = block.widths[number] - until, block.widths[number] - x
            parts.append((left + x, top, left + until, top + block.leading))
        found.append(parts)
    return found


def _leftward(line: str) -> bool:
    strong = (unicodedata.bidirectional(letter) for letter in line)
    return next((kind in ("R", "AL") for kind in strong if kind in ("L", "R", "AL")), False)
