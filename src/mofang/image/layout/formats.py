"""Where a page is going: its size, what its frame must keep clear, what the printer cuts off."""

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, get_args

from mofang.studio.errors import UserError
from mofang.studio.words import say

Box = tuple[int, int, int, int]
"""Left, top, width, height in pixels."""
Shape = Literal["tall", "square", "wide"]
SHAPES: tuple[Shape, ...] = get_args(Shape)


@dataclass(frozen=True)
class Format:
    """A trimmed page of `size` (width, height) pixels at `dpi`, with `bleed` pixels more on every side.

    `safe` are shares (top, right, bottom, left) of the page that words and codes stay out of.
    """

    name: str
    title: dict[str, str]
    size: tuple[int, int]
    safe: tuple[float, float, float, float]
    bleed: int = 0
    dpi: int = 96

    @property
    def shape(self) -> Shape:
        """Which variant of a template's boxes applies."""
        ratio = self.size[0] / self.size[1]
        return "tall" if ratio < 0.9 else "square" if ratio < 1.2 else "wide"

    @property
    def unit(self) -> float:
        """Pixels of body text: the geometric mean of the sides keeps sizes alike on long and square pages."""
        return 0.0285 * math.sqrt(self.size[0] * self.size[1])

    @property
    def safe_box(self) -> Box:
        """What may hold words, on the trimmed page."""
        width, height = self.size
        top, right, bottom, left = self.safe
        return (round(width * left), round(height * top), round(width * (1 - left - right)), round(height * (1 - top - bottom)))


@cache
def formats() -> dict[str, Format]:
    """Every format by name."""
    text = resources.files("mofang.image.layout").joinpath("formats.toml").read_text("utf-8")
    return {
        name: Format(name, row["title"], tuple(row["size"]), tuple(row["safe"]), row.get("bleed", 0), row.get("dpi", 96))
        for name, row in tomllib.loads(text).items()
    }


def format_of(name: str) -> Format:
    """The format of that name. Raises `UserError` naming all of them."""
    found = formats().get(name.lower())
    if found is None:
        names = ", ".join(formats())
        raise UserError(say(f"there is no format '{name[:30]}'; choose one of: {names}", f"没有这种版式；可选：{names}"))
    return found
