"""Words into a box: a stack of titles, text and rules, scaled as a whole until it fits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mofang.image.layout import vertical
from mofang.image.layout.faces import face
from mofang.image.layout.formats import Box
from mofang.image.layout.template import Item, Part
from mofang.studio.linebreak import ends_clause, pieces
from mofang.studio.typeset import Block, Ink, draw, measure, wrap

SMALLEST = 0.56
"""Body text never falls below this share of its unit: what does not fit then is left out, with an ellipsis."""


@dataclass(frozen=True)
class Placed:
    """Coverage (rows, columns) 0..255 at `x`, `y` of the sheet; bars (left, top, width, height) behind it.

    `shortened` if words were left out, `torn` if a line of verse had to be broken.
    """

    mask: NDArray[np.uint8]
    x: int
    y: int
    item: Item
    bars: tuple[Box, ...] = ()
    shortened: bool = False
    torn: bool = False


def inside_words(text: str) -> frozenset[int]:
    """Offsets inside Chinese words: bad places to break a title."""
    import rjieba

    places, at = set(), 0
    for word in rjieba.cut(text):
        places |= set(range(at + 1, at + len(word)))
        at += len(word)
    return frozenset(places)


def set_stack(part: Part, words: Mapping[str, str], box: Box, unit: float) -> list[Placed]:
    """The part's items that have words, set in `box` and ranked by their sizes."""
    items = [item for item in part.item if item.field == "rule" or words.get(item.field, "").strip()]
    while items and items[-1].field == "rule":
        items.pop()
    items = [item for number, item in enumerate(items) if item.field != "rule" or number]
    if not items:
        return []
    across = part.direction == "across"
    smallest = SMALLEST if across and any(item.field == "text" for item in items) else SMALLEST / 2
    share = 1.0
    while True:
        placed, used = (_across if across else _down)(part, items, words, box, unit * share, 10**6)
        torn = not across and share > 0.6 and any(each.torn for each in placed)
        if used <= (box[3] if across else box[2]) and _within(placed, box) and not torn:
            break
        if share <= smallest and across:
            return _across(part, items, words, box, unit * share, _room(part, items, words, box, unit * share, used))[0]
        if share <= smallest:
            # Columns past the left edge are left out whole, the last ones first.
            kept = [each for each in placed if each.x >= box[0] - each.item.size * unit]
            return [replace(each, shortened=len(kept) < len(placed)) for each in kept]
        share = max(share * 0.95, smallest)
    return placed


def _within(placed: list[Placed], box: Box) -> bool:
    return all(each.mask.shape[1] <= box[2] + each.mask.shape[0] + 8 and each.mask.shape[0] <= 2 * box[3] for each in placed)


def _room(part: Part, items: list[Item], words: Mapping[str, str], box: Box, unit: float, used: float) -> int:
    """How many lines the longest text may keep so that everything else stays."""
    longest = max((item for item in items if item.field != "rule"), key=lambda item: len(words[item.field]))
    leading = longest.size * unit * longest.leading
    lines = len(wrap(words[longest.field].strip(), face(longest.face), round(longest.size * unit), box[2]).lines)
    return max(1, lines - int(np.ceil((used - box[3]) / leading)) - int(longest.numbered))


def _block(item: Item, text: str, width: float, unit: float) -> Block:
    """Set to the width; a title's size falls until it keeps to its rows and no word of it is torn."""
    size = max(round(item.size * unit), 8)
    typeface = face(item.face)
    inside = inside_words(text) if item.rows < 99 else frozenset()
    while True:
        block = wrap(text, typeface, size, width, item.leading, inside)
        torn = item.size > 2 and any(text[b - 1 : b].isascii() and text[b - 1 : b].isalpha() and text[b : b + 1].isascii()
                                     and text[b : b + 1].isalpha() for _, b in block.lines)  # fmt: skip
        if (len(block.lines) <= item.rows and not torn) or size <= max(unit, 8):
            return block
        size = max(int(size * 0.94), 8)


def _across(part: Part, items: list[Item], words: Mapping[str, str], box: Box, unit: float, most: int) -> tuple[list[Placed], float]:
    left, top, width, height = box
    rows: list[tuple[Item, list[tuple[Block, float, float]], float, bool]] = []
    y = 0.0
    for number, item in enumerate(items):
        y += item.gap * unit if number else 0.0
        if item.field == "rule":
            rows.append((item, [], y, False))
            y += max(item.size * unit, 1)
            continue
        start, text = y, words[item.field].strip()
        if item.clauses:
            text = _by_clauses(text, item, unit, width)
        blocks: list[tuple[Block, float, float]] = []
        shortened = False
        lines = [line.strip() for line in text.split("\n") if line.strip()] if item.numbered else [text]
        indent = item.size * unit * 1.75 if item.numbered else 0.0
        left_over = most
        for figure, line in enumerate(lines, 1):
            if left_over <= 0:
                shortened = True
                break
            block = _block(item, line, width - indent, unit)
            cut = block.first(left_over)
            shortened |= cut is not block
            left_over -= len(cut.lines)
            if item.numbered:
                blocks.append((wrap(str(figure), face("serif-black"), round(cut.size * 1.18), width, item.leading / 1.18), 0.0, y))
            blocks.append((cut, indent, y))
            y += cut.height + (cut.size * 0.55 if item.numbered and figure < len(lines) else 0)
        rows.append((item, blocks, start, shortened))
    shift = {"start": 0.0, "middle": (height - y) / 2, "end": height - y}[part.anchor]
    placed: list[Placed] = []
    for item, blocks, start, shortened in rows:
        if not blocks:
            wide, high = round(item.width * unit), max(round(item.size * unit), 1)
            x = left + round((width - wide) * {"left": 0, "center": 0.5, "right": 1}[part.align])
            placed.append(Placed(np.full((high, wide), 255, np.uint8), x, round(top + shift + start), item))
        for number, (block, indent, at) in enumerate(blocks):
            drawn, (dx, dy) = draw(block, Ink(), part.align)
            slack = (width - indent - block.width) * {"left": 0, "center": 0.5, "right": 1}[part.align]
            x, y0 = round(left + indent + max(slack, 0)), round(top + shift + at)
            numeral = item.numbered and number % 2 == 0
            placed.append(Placed(drawn[..., 3], x + dx, y0 + dy, Item("figure", colour="accent") if numeral else item,
                                 _bars(block, item, x, y0, part.align), shortened))  # fmt: skip
    return placed, y


def _by_clauses(text: str, item: Item, unit: float, width: float) -> str:
    """A line for each clause, if all of them fit on lines of their own: how a sentence is spoken."""
    clauses, typeface, size = [""], face(item.face), round(item.size * unit)
    for piece in pieces(text):
        clauses[-1] += piece
        if ends_clause(piece):
            clauses.append("")
    lines = [clause.strip() for clause in clauses if clause.strip()]
    fits = all(measure(line, typeface, size) <= width for line in lines)
    return "\n".join(lines) if fits and 1 < len(lines) <= item.rows else text


def _bars(block: Block, item: Item, x: int, y: int, align: str) -> tuple[Box, ...]:
    if not item.highlight:
        return ()
    pad, bars = block.size * 0.16, []
    for number, width in enumerate(block.widths):
        slack = (block.width - width) * {"left": 0, "center": 0.5, "right": 1}[align]
        middle = y + (number + 0.5) * block.leading
        bars.append((round(x + slack - pad), round(middle - block.size * 0.6), round(width + 2 * pad), round(block.size * 1.2)))
    return tuple(bars)


def _down(part: Part, items: list[Item], words: Mapping[str, str], box: Box, unit: float, most: int) -> tuple[list[Placed], float]:
    left, top, width, height = box
    blocks: list[tuple[Item, vertical.Columns, float]] = []
    used, tallest = 0.0, 0
    for number, item in enumerate(items):
        used += item.gap * unit if number else 0.0
        text = words[item.field].strip()
        size = max(round(item.size * unit), 8)
        # Poems stand a line to a column: at commas too where a whole line would be long.
        block = vertical.columns(text, face(item.face), size, height * (0.94 if item.field == "text" else 0.8), max(item.leading, 1.5))
        blocks.append((item, block, used))
        used += block.width
        tallest = max(tallest, block.length)
    right = left + width - max((width - used) / 2, 0) if part.anchor == "middle" else left + width
    placed = []
    for item, block, start in blocks:
        mask = vertical.draw(block)
        margin = block.size // 4
        # The author's name stands low, where the poem ends.
        y = top + (tallest - block.length if item.field == "author" else 0) + max((height - tallest) // 2, 0)
        lines = [line for line in words[item.field].split("\n") if line.strip()]
        x = round(right - start - block.width) - margin
        placed.append(Placed(mask, x, round(y) - margin, item, torn=len(block.columns) > len(lines)))
    return placed, used
