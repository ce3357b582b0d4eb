"""The signs of music as outlines, drawn by a broad pen. One unit is the space between two lines of a staff, y goes down.

What a font would bring is drawn here instead: a pen's path is a curve through points (Catmull–Rom), each with the width that the
stroke has there.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import skia
from numpy.typing import NDArray

Point = tuple[float, float, float]
"""x, y and the stroke's width."""
FINE = 14
"""Straight pieces between two points of a stroke."""


def pen(points: Sequence[Point]) -> Any:
    """The outline of a stroke."""
    line = _curve(np.array(points, np.float64))
    way = np.gradient(line[:, :2], axis=0)
    normal = np.stack((-way[:, 1], way[:, 0]), 1) / np.maximum(np.hypot(*way.T), 1e-9)[:, None]
    side = normal * line[:, 2:] / 2
    path = skia.Path()
    path.addPoly([skia.Point(float(x), float(y)) for x, y in np.concatenate((line[:, :2] + side, (line[:, :2] - side)[::-1]))], True)
    return path


def _curve(points: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.concatenate((points[:1], points, points[-1:]))
    t = np.linspace(0, 1, FINE, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.concatenate((*pieces, points[-1:]))


def together(*paths: Any) -> Any:
    """Several outlines as one sign: where they overlap there is no hole."""
    whole = paths[0]
    for path in paths[1:]:
        whole = skia.Op(whole, path, skia.PathOp.kUnion_PathOp)
    return whole


def oval(x: float, y: float, rx: float, ry: float, turn: float = 0.0) -> Any:
    """A full ellipse, turned by degrees."""
    path = skia.Path()
    path.addOval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry))
    path.transform(skia.Matrix.RotateDeg(turn, skia.Point(x, y)))
    return path


def poly(*points: tuple[float, float]) -> Any:
    """A polygon."""
    path = skia.Path()
    path.addPoly([skia.Point(*point) for point in points], True)
    return path


def box(left: float, top: float, right: float, bottom: float) -> Any:
    """A rectangle."""
    return poly((left, top), (right, top), (right, bottom), (left, bottom))


@lru_cache(maxsize=64)
def head(kind: str) -> Any:
    """A note head around (0, 0): `whole`, `half`, `black` or `cross`."""
    if kind == "cross":
        return together(pen(((-0.5, -0.45, 0.16), (0.5, 0.45, 0.16))), pen(((-0.5, 0.45, 0.16), (0.5, -0.45, 0.16))))
    if kind == "black":
        return oval(0, 0, 0.64, 0.44, -22)
    outer, inner = ((oval(0, 0, 0.86, 0.5), oval(0, 0, 0.36, 0.44, 58)) if kind == "whole"
                    else (oval(0, 0, 0.64, 0.46, -22), oval(0, 0, 0.56, 0.23, -34)))  # fmt: skip
    return skia.Op(outer, inner, skia.PathOp.kDifference_PathOp)


@lru_cache(maxsize=8)
def clef(kind: str) -> Any:
    """A clef with its left edge at x 0 and the staff's middle line at y 0."""
    if kind == "drums":
        return together(box(0.5, -1, 0.95, 1), box(1.35, -1, 1.8, 1))
    if kind == "F":
        ball = oval(0.5, -0.95, 0.42, 0.42)
        hook = pen(((0.12, -0.95, 0.06), (0.24, -1.55, 0.2), (0.86, -1.98, 0.22), (1.62, -1.75, 0.36), (1.94, -0.98, 0.44),
                    (1.78, -0.05, 0.36), (1.2, 0.75, 0.24), (0.05, 1.5, 0.06)))  # fmt: skip
        return together(ball, hook, oval(2.62, -1.5, 0.22, 0.22), oval(2.62, -0.5, 0.22, 0.22))
    bowl = pen(((1.12, 1.5, 0.05), (0.84, 1.12, 0.14), (0.9, 0.62, 0.2), (1.36, 0.22, 0.24), (1.98, 0.38, 0.34), (2.32, 1.02, 0.3),
                (2.08, 1.68, 0.2), (1.4, 1.97, 0.16), (0.66, 1.72, 0.28), (0.16, 1.0, 0.44), (0.28, 0.1, 0.42), (0.84, -0.72, 0.34),
                (1.52, -1.45, 0.24), (1.92, -2.25, 0.2), (1.98, -2.95, 0.26), (1.8, -3.5, 0.2), (1.62, -3.6, 0.12)))  # fmt: skip
    stem = pen(((1.66, -3.6, 0.12), (1.3, -3.2, 0.22), (1.08, -2.45, 0.22), (1.12, -1.5, 0.16), (1.34, -0.1, 0.13),
                (1.62, 1.6, 0.13), (1.74, 2.5, 0.14), (1.6, 3.12, 0.18), (1.12, 3.4, 0.14), (0.66, 3.16, 0.08)))  # fmt: skip
    return together(bowl, stem, oval(0.86, 2.88, 0.4, 0.38))


@lru_cache(maxsize=8)
def sign(alter: int) -> Any:
    """An accidental around (0, 0): −2 … 2; 0 is a natural."""
    if alter == 2:
        cross = together(pen(((-0.42, -0.42, 0.16), (0.42, 0.42, 0.16))), pen(((-0.42, 0.42, 0.16), (0.42, -0.42, 0.16))))
        return together(cross, *(box(x - 0.18, y - 0.18, x + 0.18, y + 0.18) for x in (-0.38, 0.38) for y in (-0.38, 0.38)))
    if alter == 1:
        bars = [poly((-0.5, y + 0.02), (0.5, y - 0.3), (0.5, y), (-0.5, y + 0.32)) for y in (-0.5, 0.48)]
        return together(box(-0.26, -1.28, -0.15, 1.42), box(0.15, -1.42, 0.26, 1.28), *bars)
    if alter == 0:
        bars = [poly((-0.34, y + 0.06), (0.34, y - 0.2), (0.34, y + 0.1), (-0.34, y + 0.36)) for y in (-0.55, 0.4)]
        return together(box(-0.34, -1.4, -0.23, 0.72), box(0.23, -0.72, 0.34, 1.4), *bars)
    bow = pen(((-0.37, -0.12, 0.1), (-0.05, -0.46, 0.2), (0.34, -0.4, 0.3), (0.34, -0.02, 0.3), (0.02, 0.42, 0.16),
               (-0.37, 0.66, 0.05)))  # fmt: skip
    flat = together(box(-0.42, -1.75, -0.31, 0.62), bow)
    if alter == -1:
        return flat
    second = skia.Path(flat)
    second.offset(0.78, 0)
    return together(flat, second)


@lru_cache(maxsize=16)
def rest(name: str) -> Any:
    """A rest around x 0, hung on a staff whose middle line is y 0."""
    if name in ("breve", "whole"):
        return box(-0.62, -1.0, 0.62, -0.45) if name == "whole" else box(-0.35, -1, 0.35, 0)
    if name == "half":
        return box(-0.62, -0.55, 0.62, 0.0)
    if name == "quarter":
        upper = poly((-0.3, -1.55), (0.42, -0.62), (0.12, -0.1), (0.44, 0.62), (0.3, 0.78), (-0.42, -0.22), (-0.06, -0.72),
                     (-0.42, -1.4))  # fmt: skip
        return together(upper, pen(((0.38, 0.72, 0.06), (-0.1, 0.52, 0.3), (-0.34, 0.86, 0.26), (0.04, 1.48, 0.05))))
    count = {"eighth": 1, "16th": 2}.get(name, 3)
    parts = []
    for number in range(count):
        x, y = 0.22 - 0.22 * number, -0.55 + number
        hook = pen(((x - 0.52, y + 0.16, 0.1), (x - 0.12, y + 0.2, 0.15), (x + 0.22, y - 0.16, 0.1)))
        parts += [oval(x - 0.48, y, 0.25, 0.25), hook]
    bottom = 1.0 + (count - 1) * 1.0
    return together(*parts, pen(((0.46, -0.75, 0.13), (0.46 - 0.22 * (bottom + 0.75), bottom, 0.13))))


@lru_cache(maxsize=8)
def flag(up: bool) -> Any:
    """The flag of an eighth, from the end of its stem at (0, 0); further ones hang below."""
    path = pen(((0.02, 0.0, 0.05), (0.08, 0.35, 0.4), (0.62, 1.05, 0.3), (0.88, 1.75, 0.2), (0.62, 2.75, 0.04)))
    if not up:
        path.transform(skia.Matrix.Scale(1, -1))
    return path


def tie(left: float, right: float, y: float, up: bool) -> Any:
    """An arc between two heads."""
    rise = min(0.9, 0.35 + 0.06 * (right - left)) * (-1 if up else 1)
    span = right - left
    return pen(((left, y, 0.05), (left + span * 0.25, y + rise * 0.8, 0.16), (left + span / 2, y + rise, 0.2),
                (left + span * 0.75, y + rise * 0.8, 0.16), (right, y, 0.05)))  # fmt: skip


def brace(height: float) -> Any:
    """The brace of a keyboard's staves, its point at x −1, from y 0 to `height`."""
    half = height / 2
    return pen(((0, 0, 0.06), (-0.46, half * 0.3, 0.5), (-0.36, half * 0.75, 0.42), (-0.95, half, 0.06), (-0.36, half * 1.25, 0.42),
                (-0.46, half * 1.7, 0.5), (0, height, 0.06)))  # fmt: skip
