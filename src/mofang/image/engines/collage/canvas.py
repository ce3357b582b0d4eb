"""A scene's SVG as it grows: shapes written in order, gradients collected, numbers kept short."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True)
class Nested:
    """A piece of art set into the scene: its SVG body, its own box, and where it goes."""

    body: str
    box: tuple[float, float]
    x: float
    y: float
    side: float

    def svg(self, at_origin: bool = False) -> str:
        """As an `svg` element in place, or as a document of its own."""
        place = "" if at_origin else f'x="{self.x:.2f}" y="{self.y:.2f}" '
        space = ' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"' if at_origin else ""
        side = f"{self.side:.0f}" if at_origin else f"{self.side:.2f}"
        return f'<svg{space} {place}width="{side}" height="{side}" viewBox="0 0 {self.box[0]} {self.box[1]}">{self.body}</svg>'


class Canvas:
    """An SVG of `width` by `height` user units (pixels); `unit` is its shortest side."""

    def __init__(self, width: int, height: int, seed: int) -> None:
        self.width, self.height, self.unit = width, height, min(width, height)
        self.random = random.Random(seed)
        self._defs: list[str] = []
        self._body: list[str | Nested] = []

    def add(self, markup: str) -> None:
        """Raw markup on top of what is there."""
        self._body.append(markup)

    def nest(self, art: Nested) -> None:
        """A piece of art on top of what is there."""
        self._body.append(art)

    def define(self, markup: str) -> str:
        """A definition with `{id}` where its id goes. Returns `url(#id)`."""
        name = f"d{len(self._defs)}"
        self._defs.append(markup.replace("{id}", name))
        return f"url(#{name})"

    def down(self, *stops: tuple[float, str] | tuple[float, str, float], slant: float = 0.0) -> str:
        """A gradient from the top of a shape to its bottom; stops are (share, colour[, opacity])."""
        return self.define(f'<linearGradient id="{{id}}" x1="{slant}" y1="0" x2="0" y2="1">{_stops(stops)}</linearGradient>')

    def glow(self, *stops: tuple[float, str] | tuple[float, str, float]) -> str:
        """A gradient from the middle of a shape outward."""
        return self.define(f'<radialGradient id="{{id}}" cx="0.5" cy="0.5" r="0.5">{_stops(stops)}</radialGradient>')

    def rect(self, x: float, y: float, width: float, height: float, fill: str, radius: float = 0, opacity: float = 1) -> None:
        """A rectangle, with round corners if asked."""
        round_ = f' rx="{radius:.1f}"' if radius else ""
        self.add(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"{round_} fill="{fill}"{_faint(opacity)}/>')

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: str, opacity: float = 1) -> None:
        """An ellipse around (x, y)."""
        if fill.startswith("url"):
            # Skia does not know an ellipse's bounding box, which gradients are measured in; it knows a path's.
            arcs = f"a{rx:.1f} {ry:.1f} 0 1 0 {2 * rx:.1f} 0a{rx:.1f} {ry:.1f} 0 1 0 {-2 * rx:.1f} 0Z"
            self.path(f"M{x - rx:.1f} {y:.1f}{arcs}", fill, opacity=opacity)
            return
        self.add(f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{rx:.1f}" ry="{ry:.1f}" fill="{fill}"{_faint(opacity)}/>')

    def polygon(self, points: Sequence[Point], fill: str, opacity: float = 1) -> None:
        """Straight edges through the points."""
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.add(f'<polygon points="{text}" fill="{fill}"{_faint(opacity)}/>')

    def path(self, d: str, fill: str = "none", stroke: str = "", thick: float = 0, opacity: float = 1) -> None:
        """A path by its data."""
        line = f' stroke="{stroke}" stroke-width="{thick:.1f}" stroke-linecap="round" stroke-linejoin="round"' if stroke else ""
        self.add(f'<path d="{d}" fill="{fill}"{line}{_faint(opacity)}/>')

    def ridge(self, heights: Sequence[Point], fill: str, floor: float | None = None, opacity: float = 1) -> None:
        """Everything under a smooth line through the points, down to `floor` (default: the bottom)."""
        floor = self.height + 2 if floor is None else floor
        first, last = heights[0], heights[-1]
        self.path(f"M{first[0]:.1f} {floor:.1f}L{first[0]:.1f} {first[1]:.1f}{smooth(heights)}L{last[0]:.1f} {floor:.1f}Z",
                  fill, opacity=opacity)  # fmt: skip

    def svg(self) -> str:
        """The finished document."""
        return self._document("".join(part.svg() if isinstance(part, Nested) else part for part in self._body))

    def layers(self) -> list[str | Nested]:
        """The same in order of painting: documents of our own shapes, and the art between them."""
        out: list[str | Nested] = []
        markup = ""
        for part in self._body:
            if isinstance(part, Nested):
                out += [self._document(markup), part] if markup else [part]
                markup = ""
            else:
                markup += part
        return [*out, self._document(markup)] if markup else out

    def _document(self, body: str) -> str:
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
            f'viewBox="0 0 {self.width} {self.height}"><defs>{"".join(self._defs)}</defs>{body}</svg>'
        )


def smooth(points: Sequence[Point]) -> str:
    """Cubic segments through the points after the first (Catmull–Rom with tension ½)."""
    out = []
    for i in range(len(points) - 1):
        before, a, b = points[max(i - 1, 0)], points[i], points[i + 1]
        after = points[min(i + 2, len(points) - 1)]
        c1 = (a[0] + (b[0] - before[0]) / 6, a[1] + (b[1] - before[1]) / 6)
        c2 = (b[0] - (after[0] - a[0]) / 6, b[1] - (after[1] - a[1]) / 6)
        out.append(f"C{c1[0]:.1f} {c1[1]:.1f} {c2[0]:.1f} {c2[1]:.1f} {b[0]:.1f} {b[1]:.1f}")
    return "".join(out)


def rolling(canvas: Canvas, level: float, swell: float, waves: float) -> list[Point]:
    """A hilly line across the picture around `level`, rising and falling by `swell`, with about so many hills."""
    phases = [canvas.random.uniform(0, 2 * math.pi) for _ in range(3)]
    points = []
    for step in range(25):
        t = step / 24
        wave = sum(math.sin(2 * math.pi * waves * (k + 1) * t + phases[k]) / (k + 1) ** 1.4 for k in range(3))
        points.append((-4 + t * (canvas.width + 8), level - swell * wave * 0.6))
    return points


def _stops(stops: Sequence[tuple[float, str] | tuple[float, str, float]]) -> str:
    return "".join(
        f'<stop offset="{stop[0]}" stop-color="{stop[1]}"' + (f' stop-opacity="{stop[2]}"' if len(stop) > 2 else "") + "/>"
        for stop in stops
    )


def _faint(opacity: float) -> str:
    return f' opacity="{opacity:.2f}"' if opacity < 1 else ""
