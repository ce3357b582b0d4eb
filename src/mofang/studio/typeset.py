"""Text into pixels: fonts with fallback, Chinese and Western line breaking, outlines and shadows.

Fonts are given as files; a character no font has is left out and reported, never drawn as a box.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Colour = tuple[int, int, int, int]
Rgba = NDArray[np.uint8]

# GB/T 15834 and JIS X 4051 (W3C clreq, 3.1.3): what may not begin a line, and what may not end one.
NOT_FIRST = frozenset("，。、；：？！）》〉】〕」』”’…—～·,.;:?!)]}%‰℃°々ー」")
NOT_LAST = frozenset("（《〈【〔「『“‘([{$¥￥£€№#@")


@dataclass(frozen=True)
class Typeface:
    """Font files in the order they are asked for a character."""

    files: tuple[Path, ...]

    def font(self, character: str, size: int) -> ImageFont.FreeTypeFont | None:
        """The first font that has the character, or None."""
        for file in self.files:
            if _covers(file, character):
                return _load(file, size)
        return None

    def missing(self, text: str) -> str:
        """The characters of `text` that no font has, each once (emoji and controls among them)."""
        return "".join(dict.fromkeys(letter for letter in text if not letter.isspace() and not self.font(letter, 32)))


@lru_cache(maxsize=64)
def _load(file: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(file), size)


@lru_cache(maxsize=8192)
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


def is_wide(character: str) -> bool:
    """Whether a line may be broken beside this character: Han, kana and full-width forms."""
    return unicodedata.east_asian_width(character) in "WF"


def pieces(text: str) -> list[str]:
    """The text cut at every place a line may be broken; the pieces joined are the text.

    Wide characters stand alone, Latin words and numbers stay whole, closing punctuation stays with what is before it
    and opening punctuation with what follows.
    """
    rough = re.findall(r"\s+|[^\s\u1100-\uffdc\U00020000-\U0003ffff]+|.", text, re.DOTALL)
    joined: list[str] = []
    for piece in rough:
        before = joined[-1] if joined else ""
        glue = bool(before) and not before[-1].isspace() and not piece[0].isspace()
        bound = glue and (piece[0] in NOT_FIRST or before[-1] in NOT_LAST)
        if bound or (before and piece.isspace()):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


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


def measure(text: str, face: Typeface, size: int) -> float:
    """The advance of `text` in pixels."""
    return sum(font.getlength(part) for font, part in _runs(text, face, size))


def _runs(text: str, face: Typeface, size: int) -> list[tuple[ImageFont.FreeTypeFont, str]]:
    """The text in stretches of one font; characters no font has are gone."""
    runs: list[tuple[ImageFont.FreeTypeFont, str]] = []
    for letter in text:
        letter = " " if letter in "\t\n\r\u3000" else letter
        font = face.font(letter, size) if letter != " " else (runs[-1][0] if runs else face.font("a", size))
        if font is None:
            continue
        if runs and runs[-1][0] is font:
            runs[-1] = (font, runs[-1][1] + letter)
        else:
            runs.append((font, letter))
    return runs


def wrap(text: str, face: Typeface, size: int, width: float, leading: float = 1.35) -> Block:
    """Break `text` into the fewest lines no wider than `width` pixels, as even in length as they can be.

    Evenness minimises the sum of squared slack (Knuth & Plass 1981). A word wider than a line is broken between its
    letters. Newlines in the text are kept.
    """
    lines: list[tuple[int, int]] = []
    start = 0
    for paragraph in text.split("\n"):
        lines += [(start + a, start + b) for a, b in _wrap_line(paragraph, face, size, width)]
        start += len(paragraph) + 1
    widths = tuple(measure(text[a:b].strip(), face, size) for a, b in lines)
    return Block(text, face, size, tuple(lines), widths, round(size * leading))


def _wrap_line(text: str, face: Typeface, size: int, width: float) -> list[tuple[int, int]]:
    parts: list[str] = []
    for piece in pieces(text):
        parts += [piece] if measure(piece.strip(), face, size) <= width else list(piece)
    advances = [measure(part, face, size) for part in parts]
    # Trailing spaces do not count at a line's end.
    trims = [measure(part.rstrip(), face, size) for part in parts]
    ends = [0]
    for part in parts:
        ends.append(ends[-1] + len(part))
    count = len(parts)
    best: list[tuple[int, float, int]] = [(0, 0.0, 0)] + [(1 << 30, 0.0, 0)] * count
    for stop in range(1, count + 1):
        used = 0.0
        for begin in range(stop - 1, -1, -1):
            used += trims[begin] if begin == stop - 1 else advances[begin]
            if used > width and begin < stop - 1:
                break
            lines, slack, _ = best[begin]
            candidate = (lines + 1, slack + (width - used) ** 2, begin)
            best[stop] = min(best[stop], candidate)
    cuts, stop = [], count
    while stop > 0:
        begin = best[stop][2]
        cuts.append((ends[begin], ends[stop]))
        stop = begin
    return cuts[::-1] or [(0, 0)]


def fit(text: str, face: Typeface, largest: int, smallest: int, width: float, height: float, rows: int = 99) -> Block:
    """The largest size, from `largest` down to `smallest`, at which the text fits the box and the number of rows.

    If even `smallest` does not fit, that size is returned anyway; the caller decides what to cut.
    """
    size = largest
    while True:
        block = wrap(text, face, size, width)
        if (block.height <= height and len(block.lines) <= rows and block.width <= width) or size <= smallest:
            return block
        size = max(smallest, int(size * 0.94))


@dataclass(frozen=True)
class Ink:
    """How text looks: fill, outline (colour and width as a share of the size), shadow (colour, blur as a share)."""

    fill: Colour = (255, 255, 255, 255)
    outline: Colour = (0, 0, 0, 0)
    outline_width: float = 0.0
    shadow: Colour = (0, 0, 0, 0)
    shadow_blur: float = 0.0


def draw(
    block: Block, ink: Ink, align: str = "center", highlights: Sequence[tuple[int, int, Colour]] = ()
) -> tuple[Rgba, tuple[int, int]]:
    """Draw a block. Returns an RGBA array (rows, columns, 4) and how far its origin lies from the block's own corner.

    The array is larger than the block by the outline and shadow. `highlights` gives other fills to character ranges.
    """
    pad = int(np.ceil(block.size * (ink.outline_width + 2.5 * ink.shadow_blur))) + 2
    size = (block.width + 2 * pad, block.height + 2 * pad)
    fills = [ink.fill] * len(block.text)
    for start, end, colour in highlights:
        fills[start:end] = [colour] * (end - start)
    image = Image.new("RGBA", size, (*ink.fill[:3], 0))
    stroke = round(block.size * ink.outline_width)
    if ink.shadow[3]:
        mask = Image.new("L", size, 0)
        _draw_lines(ImageDraw.Draw(mask), block, pad, align, [255] * len(block.text), stroke)
        mask = mask.filter(ImageFilter.GaussianBlur(block.size * ink.shadow_blur))
        # Twice the blurred coverage: a shadow that only just darkens does not separate white text from snow.
        alpha = np.minimum(np.asarray(mask, np.uint16) * 2, 255) * ink.shadow[3] // 255
        shade = np.dstack([np.full((*alpha.shape, 3), ink.shadow[:3], np.uint8), alpha.astype(np.uint8)])
        image = Image.alpha_composite(image, Image.fromarray(shade, "RGBA"))
    if stroke and ink.outline[3]:
        layer = Image.new("RGBA", size, (*ink.outline[:3], 0))
        _draw_lines(ImageDraw.Draw(layer), block, pad, align, [ink.outline] * len(block.text), stroke)
        image = Image.alpha_composite(image, layer)
    layer = Image.new("RGBA", size, (*ink.fill[:3], 0))
    _draw_lines(ImageDraw.Draw(layer), block, pad, align, fills, 0)
    return np.asarray(Image.alpha_composite(image, layer)).copy(), (-pad, -pad)


def _draw_lines(
    canvas: ImageDraw.ImageDraw, block: Block, pad: int, align: str, fills: Sequence[Colour | int], stroke: int
) -> None:
    for number, ((start, end), width) in enumerate(zip(block.lines, block.widths, strict=True)):
        slack = block.width - width
        x = pad + {"left": 0.0, "center": slack / 2, "right": slack}[align]
        middle = pad + number * block.leading + block.leading / 2
        while start < end and block.text[start].isspace():
            start += 1
        while end > start and block.text[end - 1].isspace():
            end -= 1
        for a, b in _same(fills, start, end):
            for font, part in _runs(block.text[a:b], block.face, block.size):
                # One baseline for every font: the anchor is the baseline, not the top of the letters.
                canvas.text((x, middle + block.size * 0.36), part, font=font, fill=fills[a], anchor="ls",
                            stroke_width=stroke, stroke_fill=fills[a])  # fmt: skip
                x += font.getlength(part)


def _same(fills: Sequence[Colour | int], start: int, end: int) -> list[tuple[int, int]]:
    """The range cut where the fill changes."""
    cuts = [start, *(i for i in range(start + 1, end) if fills[i] != fills[i - 1]), end]
    return [(a, b) for a, b in pairwise(cuts) if a < b]
