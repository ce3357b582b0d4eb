"""Curves as SVG, with nothing but strings: axes with round numbers, lines, a legend, dots worth looking at."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

PALETTE = ("#3f6fb5", "#c8553d", "#4f8f5b", "#8a63a8", "#b98a2e")
"""Told apart on white and on dark paper, and by people who see red and green alike (they differ in lightness too)."""

LEFT, RIGHT, TOP, BOTTOM = 58, 14, 34, 38


@dataclass(frozen=True)
class Curve:
    """A line through the points (x, y). `faint` is the raw data behind a smooth line, `dots` marks each point."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str = PALETTE[0]
    faint: bool = False
    dots: bool = False


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round numbers (1, 2 or 5 times a power of ten apart) within `low`..`high`.

    >>> ticks(0, 97)
    [0.0, 20.0, 40.0, 60.0, 80.0]
    """
    if not high > low:
        return [low]
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    # Rounding takes away the dust of binary fractions: 0.30000000000000004 is no label.
    return [round(number * step, 12) for number in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten within `low`..`high`, thinned to powers of ten if they would be many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1, 2, 5) if len(powers) <= 4 else (1,)
    marks = [factor * 10.0**power for power in powers for factor in factors]
    inside = [mark for mark in marks if low * 0.999 <= mark <= high * 1.001]
    return inside if len(inside) > 1 else ticks(low, high)


def label(value: float) -> str:
    """A number as an axis shows it.

    >>> [label(value) for value in (0, 0.25, 1500, 2_500_000, 0.00002)]
    ['0', '0.25', '1.5k', '2.5M', '2e-05']
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{letter}"
    return f"{value:.4g}"


def plot(
    curves: Sequence[Curve],
    title: str = "",
    x_label: str = "",
    *,
    log_y: bool = False,
    from_zero: bool = False,
    width: int = 720,
    height: int = 280,
) -> str:
    """One picture of several curves as an `<svg>` element of `width` × `height` pixels.

    Points that are not finite (or not positive on a logarithmic axis) are left out. Text takes the page's colour.
    """
    kept = [
        (curve, [(x, y) for x, y in zip(curve.x, curve.y, strict=True)
                 if math.isfinite(x) and math.isfinite(y) and (y > 0 or not log_y)])
        for curve in curves
    ]  # fmt: skip
    points = [point for _, drawn in kept for point in drawn]
    if not points:
        points = [(0.0, 1.0)]
    x0, x1 = _range([x for x, _ in points])
    y0, y1 = _y_range(points, log_y, from_zero)
    inner_width, inner_height = width - LEFT - RIGHT, height - TOP - BOTTOM

    def across(x: float) -> float:
        return LEFT + (x - x0) / (x1 - x0) * inner_width

    def up(y: float) -> float:
        share = math.log(y / y0) / math.log(y1 / y0) if log_y else (y - y0) / (y1 - y0)
        return TOP + (1 - min(max(share, 0.0), 1.0)) * inner_height

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" font-family="system-ui, sans-serif" font-size="11" fill="currentColor">'
        f"<title>{escape(title)}</title>"
        f'<text x="{LEFT}" y="18" font-size="13" font-weight="600">{escape(title)}</text>'
    ]
    for y in log_ticks(y0, y1) if log_y else ticks(y0, y1):
        parts.append(
            f'<path d="M{LEFT} {up(y):.1f}H{width - RIGHT}" stroke="currentColor" stroke-opacity=".13"/>'
            f'<text x="{LEFT - 6}" y="{up(y) + 4:.1f}" text-anchor="end">{label(y)}</text>'
        )
    for x in ticks(x0, x1, max(2, width // 110)):
        parts.append(
            f'<text x="{across(x):.1f}" y="{height - BOTTOM + 16}" text-anchor="middle">{label(x)}</text>'
        )
    parts.append(
        f'<text x="{width - RIGHT}" y="{height - 6}" text-anchor="end" opacity=".65">{escape(x_label)}</text>'
        f'<path d="M{LEFT} {height - BOTTOM}H{width - RIGHT}" stroke="currentColor" stroke-opacity=".5"/>'
    )
    for curve, drawn in kept:
        parts.append(_line(curve, [(across(x), up(y)) for x, y in drawn]))
    parts.append(_legend([curve for curve, _ in kept if not curve.faint], width))
    parts.append("</svg>")
    return "".join(parts)


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low, low + 1)


def _y_range(points: Sequence[tuple[float, float]], log_y: bool, from_zero: bool) -> tuple[float, float]:
    values = sorted(y for _, y in points)
    low, high = values[0], values[-1]
    if log_y:
        return (low / 1.05, high * 1.05)
    if from_zero:
        return (min(0.0, low), high * 1.08 if high > 0 else 1.0)
    margin = (high - low) * 0.05 or abs(high) * 0.1 or 1.0
    return (low - margin, high + margin)


def _line(curve: Curve, points: Sequence[tuple[float, float]]) -> str:
    if not points:
        return ""
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    weight, strength = ("1", ".3") if curve.faint else ("1.8", "1")
    drawn = (
        f'<path d="{path}" fill="none" stroke="{curve.colour}" stroke-width="{weight}" stroke-opacity="{strength}" '
        'stroke-linejoin="round"/>'
    )
    if curve.dots or len(points) == 1:
        drawn += "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.4" fill="{curve.colour}"/>' for x, y in points)
    return drawn


def _legend(curves: Sequence[Curve], width: int) -> str:
    if len(curves) < 2:
        return ""
    parts, right = [], float(width - RIGHT)
    for curve in reversed(curves):
        # A Chinese character takes an em, a Latin letter about half of one.
        room = sum(11.5 if ord(letter) > 0x2E80 else 6.2 for letter in curve.name)
        right -= room
        parts.append(
            f'<text x="{right:.1f}" y="18">{escape(curve.name)}</text>'
            f'<path d="M{right - 20:.1f} 14h14" stroke="{curve.colour}" stroke-width="2.5"/>'
        )
        right -= 34
    return "".join(parts)
