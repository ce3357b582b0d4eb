"""Page designs as data: which parts a page has, where they stand, and how its words are ranked."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any, Literal

from mofang.image.layout.formats import Shape
from mofang.studio.errors import UserError
from mofang.studio.words import say

FIELDS = ("title", "subtitle", "text", "author", "note")
"""The words a page may have."""

Shares = tuple[float, float, float, float]
"""Left, top, width, height as shares of a page or of its safe area."""


@dataclass(frozen=True)
class Item:
    """One thing in a stack: a field's words, or a short `rule`. Sizes and gaps are in units of body text.

    `rows` is how many lines a title may take before its size falls. `highlight` lays a bar of that role behind each line,
    `numbered` puts a figure before every line of the text, `clauses` begins a line after each clause where the rows allow.
    """

    field: str
    face: str = "sans"
    size: float = 1.0
    colour: str = "ink"
    rows: int = 99
    gap: float = 0.6
    leading: float = 1.35
    highlight: str = ""
    numbered: bool = False
    width: float = 2.4
    clauses: bool = False


@dataclass(frozen=True)
class Part:
    """A fill, picture, frame, seal, mark, code or stack of words. `boxes` has the variant for each shape of page.

    `at` is what changes of it when the words stand at another of the template's places; for a shape of page without a box
    there, the template has no such place.

    Fills and pictures stand on the page, all else in its safe area, or with `of = "page"` in what is safe of such a box.
    """

    kind: Literal["fill", "picture", "frame", "seal", "qr", "stack", "mark"]
    boxes: Mapping[str, Shares]
    colour: str = "paper"
    radius: float = 0.0
    shape: Literal["rect", "circle"] = "rect"
    grain: float = 0.0
    thickness: float = 0.05
    when: Literal["", "picture", "plain"] = ""
    direction: Literal["across", "down"] = "across"
    anchor: Literal["start", "middle", "end"] = "start"
    align: Literal["left", "center", "right"] = "left"
    veil: Literal["around", "bottom", "top", "left", "right"] = "around"
    text: str = ""
    face: str = "serif-black"
    of: Literal["safe", "page"] = "safe"
    item: tuple[Item, ...] = field(default=())
    at: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def moved(self, place: str, shape: Shape) -> "Part | None":
        """The part as it is at a place of its template, None if it has no box there on pages of that shape."""
        change = self.at.get(place)
        if change is None:
            return self
        boxes = _boxes(change)
        if boxes and shape not in boxes and "tall" not in boxes:
            return None
        rest = {key: value for key, value in change.items() if not key.startswith("box")}
        return replace(self, boxes={**self.boxes, **boxes}, **rest)

    def box(self, shape: Shape) -> Shares:
        """Where it stands on a page of that shape."""
        return self.boxes.get(shape, self.boxes["tall"])


@dataclass(frozen=True)
class Template:
    """A page design. `palettes` are the colours of a page without a picture, one of which the seed picks.

    `picture` says that it wants one, `keep` that its own ink and accent stay whatever the picture's colours are. `place` is
    what the words' own place is called, if they have others.
    """

    name: str
    title: Mapping[str, str]
    palettes: tuple[Mapping[str, str], ...]
    parts: tuple[Part, ...]
    picture: bool = False
    keep: bool = False
    place: str = "only"

    def places(self, shape: Shape) -> dict[str, tuple[Part, ...]]:
        """The parts for each place that the words may stand at on a page of that shape, their own place first."""
        found = {self.place: self.parts}
        for name in dict.fromkeys(name for part in self.parts for name in part.at):
            moved = [part.moved(name, shape) for part in self.parts]
            if None not in moved:
                found[name] = tuple(part for part in moved if part is not None)
        return found


@cache
def templates() -> dict[str, Template]:
    """Every template by name."""
    found = {}
    for entry in sorted((resources.files("mofang.image.layout") / "templates").iterdir(), key=lambda each: each.name):
        if entry.name.endswith(".toml"):
            name = entry.name.removesuffix(".toml")
            found[name] = _template(name, tomllib.loads(entry.read_text("utf-8")))
    return found


def template_of(name: str) -> Template:
    """The template of that name. Raises `UserError` naming all of them."""
    found = templates().get(name.lower())
    if found is None:
        names = ", ".join(templates())
        raise UserError(say(f"there is no template '{name[:30]}'; choose one of: {names}", f"没有这种模板；可选：{names}"))
    return found


def _template(name: str, row: Mapping[str, Any]) -> Template:
    return Template(name, row["title"], tuple(row["palettes"]), tuple(_part(each) for each in row["part"]),
                    row.get("picture", False), row.get("keep", False), row.get("place", "only"))  # fmt: skip


def _part(row: Mapping[str, Any]) -> Part:
    rest = {key: value for key, value in row.items() if not key.startswith("box") and key != "item"}
    return Part(boxes=_boxes(row), item=tuple(Item(**each) for each in row.get("item", ())), **rest)


def _boxes(row: Mapping[str, Any]) -> dict[str, Shares]:
    """`box` is that of tall pages, and of all for which there is none of their own."""
    names = {"tall": "box", "square": "box_square", "wide": "box_wide"}
    return {shape: tuple(row[name]) for shape, name in names.items() if name in row}
