"""Where words may stand on a picture: of a template's places and the picture's crops, those that leave its subject free."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mofang.image.engines.folder import best_window, saliency
from mofang.image.layout.colours import Rgb8
from mofang.image.layout.formats import Box, Format
from mofang.image.layout.setting import Placed, set_stack
from mofang.image.layout.sheet import Sheet
from mofang.image.layout.template import Part
from mofang.image.subject import subject

GRID = 96
"""Cells of the longer side of a picture's box, on which is counted what is covered."""
SHIFTS = 9
"""Crops that are tried along the side that the picture is cut on."""
CUT, VEILED, RESTLESS, MOVED, SHIFTED = 1.2, 0.3, 0.5, 0.05, 0.02
"""Against a subject covered whole (1): one cut off; one under a veil; words on a ground as restless as can be; another place
than the template's own; a crop at the far end from the one the eye would choose."""


@dataclass(frozen=True)
class Arrangement:
    """A page's parts with the words at one place, set; `placed` by the identity of their part, `window` (left, top, width,
    height) of the picture that is seen."""

    name: str
    parts: Sequence[Part]
    placed: Mapping[int, list[Placed]]
    code: Box | None
    window: Box = (0, 0, 0, 0)

    @classmethod
    def of(cls, name: str, parts: Sequence[Part], words: Mapping[str, str], where: Format, coded: bool) -> "Arrangement":
        """The words set at that place."""
        sheet = Sheet(where)
        placed = {id(part): set_stack(part, words, sheet.place(part), where.unit) for part in parts if part.kind == "stack"}
        code = next((part for part in parts if part.kind == "qr"), None) if coded else None
        return cls(name, parts, placed, sheet.place(code) if code else None)


def freest(ways: Sequence[Arrangement], where: Format, picture: Rgb8 | None) -> Arrangement:
    """The arrangement that covers, cuts off and veils least of the picture's subject, on the quietest ground; the first, the
    template's own, unless another is better by some. Its window is chosen with it."""
    first = ways[0]
    at = next((number for number, part in enumerate(first.parts) if part.kind == "picture"), None)
    if picture is None or at is None:
        return first
    box = Sheet(where).picture(first.parts[at])
    usual, windows = _windows(picture, (box[2], box[3]))
    # On a grid over the picture's box, for every way: how much of each cell is covered.
    scale = GRID / max(box[2:])
    size = (max(round(box[2] * scale), 1), max(round(box[3] * scale), 1))
    covers = [_cover(way, way.parts[at + 1 :], box, size, scale, where) for way in ways]
    if not any((words + veil).any() for words, veil in covers):
        return replace(first, window=usual)
    weights, tone = _weights(picture), _tone(picture)
    seen = [(window, _part_of(weights, window, picture, size), _part_of(tone, window, picture, size)) for window in windows]
    pixels = picture.shape[0] * picture.shape[1] / weights.size
    mass = float(weights.sum()) * pixels
    best, least = replace(first, window=usual), np.inf
    for number, (way, (words, veil)) in enumerate(zip(ways, covers, strict=True)):
        for window, weight, light in seen:
            area = window[2] * window[3] / weight.size
            held = float(weight.sum()) * area
            covered = float((weight * np.minimum(words + VEILED * veil * (1 - words), 1)).sum()) * area
            # A head cut off is worse than a foot.
            lost = mass - held + float(weights[: round(window[1] / picture.shape[0] * weights.shape[0])].sum()) * pixels
            aside = (abs(window[0] - usual[0]) / picture.shape[1]) + (abs(window[1] - usual[1]) / picture.shape[0])
            cost = (covered + CUT * lost) / max(mass, 1e-6) + RESTLESS * _unrest(light, words)
            cost += MOVED * (number > 0) + SHIFTED * aside
            if cost < least - 1e-6:
                best, least = replace(way, window=window), cost
    return best


def _windows(picture: Rgb8, size: tuple[int, int]) -> tuple[Box, list[Box]]:
    """Crops that fill `size` (width, height): the one around what the eye goes to, and others along the side that is cut."""
    rows, columns = picture.shape[:2]
    scale = max(size[0] / columns, size[1] / rows)
    width, height = max(min(round(size[0] / scale), columns), 1), max(min(round(size[1] / scale), rows), 1)
    # Faces are in the upper half of most pictures, and a head cut off is worse than a foot.
    salient = saliency(picture) * np.linspace(1.85, 0.15, 64, dtype=np.float32)[:, None]
    x, y = best_window(salient, columns, rows, width, height)
    usual = (x, min(y, round((rows - height) * 0.45)), width, height)
    shifts = [(round(share * (columns - width)), round(share * (rows - height))) for share in np.linspace(0, 1, SHIFTS)]
    return usual, list(dict.fromkeys([usual, *((*shift, width, height) for shift in shifts)]))


def _weights(picture: Rgb8) -> NDArray[np.float32]:
    """How bad it is to cover each place of the picture: where its subject is, and its head more than its foot."""
    found = subject(picture) ** 2
    rows = found.sum(1, keepdims=True)
    # A head is narrower than shoulders and no less worth: every row of the subject counts for about as much as another.
    even = found / (rows + 0.25 * rows.max() + 1e-6)
    passed = np.cumsum(even.sum(1)) / max(float(even.sum()), 1e-6)
    weighted: NDArray[np.float32] = (even * (1.6 - 1.2 * passed)[:, None]).astype(np.float32)
    return weighted


def _tone(picture: Rgb8) -> NDArray[np.float32]:
    import cv2

    size = (min(picture.shape[1], 2 * GRID), min(picture.shape[0], 2 * GRID))
    small: Rgb8 = cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB)
    return (small[..., 0] / np.float32(255)).astype(np.float32)


def _part_of(values: NDArray[np.float32], window: Box, picture: Rgb8, size: tuple[int, int]) -> NDArray[np.float32]:
    """A map of the whole picture, seen through a window at `size` (width, height)."""
    import cv2

    down, across = values.shape[0] / picture.shape[0], values.shape[1] / picture.shape[1]
    x, y, width, height = window
    x0, y0 = int(x * across), int(y * down)
    x1, y1 = max(round((x + width) * across), x0 + 1), max(round((y + height) * down), y0 + 1)
    found: NDArray[np.float32] = cv2.resize(values[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA)
    return found


def _cover(way: Arrangement, parts: Sequence[Part], box: Box, size: tuple[int, int], scale: float, where: Format
           ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:  # fmt: skip
    """What lies over the picture in `box`, on a grid of `size` (width, height): words, fills and codes; and veils."""
    hidden, veil = np.zeros(size[::-1], np.float32), np.zeros(size[::-1], np.float32)
    sheet, air = Sheet(where), where.unit * 0.5

    def cells(left: float, top: float, right: float, bottom: float) -> tuple[slice, slice]:
        x0, y0, x1, y1 = ((at - start) * scale for at, start in
                          ((left, box[0]), (top, box[1]), (right, box[0]), (bottom, box[1])))  # fmt: skip
        return slice(max(int(y0), 0), max(int(np.ceil(y1)), 0)), slice(max(int(x0), 0), max(int(np.ceil(x1)), 0))

    for part in parts:
        if part.kind == "fill":
            x, y, w, h = sheet.outside(part.box(where.shape))
            hidden[cells(x, y, x + w, y + h)] = 1
        for each in way.placed.get(id(part), ()):
            high, wide = each.mask.shape
            hidden[cells(each.x - air, each.y - air, each.x + wide + air, each.y + high + air)] = 1
        if part.kind == "stack" and (placed := way.placed[id(part)]) and part.veil != "around":
            left, top = min(each.x for each in placed), min(each.y for each in placed)
            right, bottom = (max(each.x + each.mask.shape[1] for each in placed), max(each.y + each.mask.shape[0] for each in placed))
            reach = {"bottom": (0, top, np.inf, np.inf), "top": (0, 0, np.inf, bottom),
                     "left": (0, 0, right, np.inf), "right": (left, 0, np.inf, np.inf)}[part.veil]  # fmt: skip
            veil[cells(*(min(at, 1e6) for at in reach))] = 1
    if way.code:
        x, y, w, h = way.code
        hidden[cells(x, y, x + w, y + h)] = 1
    return hidden, veil


def _unrest(light: NDArray[np.float32], words: NDArray[np.float32]) -> float:
    """The deviation of lightness (0..1) under the words: what a veil must hide before they can be read."""
    return float(light[words > 0].std()) if (words > 0).any() else 0.0
