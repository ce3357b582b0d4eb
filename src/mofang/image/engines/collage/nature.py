"""What grows and what lies: hills, mountains, water, trees, grass, sand, snow."""

import math

from mofang.image.engines.collage.canvas import Canvas, rolling, smooth
from mofang.image.engines.collage.colour import mix, shift
from mofang.image.engines.collage.palette import Palette


def hills(canvas: Canvas, palette: Palette, level: float, swell: float, colour: str, depth: float, waves: float = 1.3) -> None:
    """One rolling ridge, lighter at its crest."""
    line = rolling(canvas, level, swell, waves)
    top, foot = palette.lit(colour, depth), palette.lit(shift(colour, -0.07), depth)
    canvas.ridge(line, canvas.down((0, shift(top, 0.035)), (0.5, top), (1, foot)))


def mountains(canvas: Canvas, palette: Palette, level: float, height: float, depth: float, snow: bool) -> None:
    """A range of peaks with a lit and a shaded side, and snow on the high ones."""
    rng = canvas.random
    rock = mix("#6f86a8", "#5c7a72", rng.random())
    lit, shade = palette.lit(rock, depth), palette.lit(shift(rock, -0.08), depth)
    x = -canvas.width * 0.15
    while x < canvas.width * 1.1:
        width = canvas.width * rng.uniform(0.32, 0.6)
        peak = height * rng.uniform(0.55, 1.0)
        top = (x + width * rng.uniform(0.42, 0.58), level - peak)
        canvas.polygon([(x, level + 4), top, (x + width, level + 4)], canvas.down((0, lit), (1, mix(lit, palette.haze, 0.5))))
        ridge = [(top[0] + width * k, level - peak * (1 - s)) for k, s in ((0.04, 0.22), (-0.03, 0.4), (0.06, 0.68), (0.02, 1.0))]
        canvas.polygon([top, *ridge, (x + width, level + 4)], shade, 0.55)
        if snow and peak > height * 0.62:
            cut = 0.3
            left = (top[0] - (top[0] - x) * cut, level - peak * (1 - cut))
            right = (top[0] + (x + width - top[0]) * cut, level - peak * (1 - cut))
            teeth = [(right[0] - (right[0] - left[0]) * k, right[1] + peak * dy) for k, dy in
                     ((0.2, -0.05), (0.4, 0.04), (0.6, -0.05), (0.8, 0.05))]  # fmt: skip
            canvas.polygon([top, right, *teeth, left], palette.lit("#ffffff", depth * 0.6), 0.95)
        x += width * rng.uniform(0.42, 0.68)


def water(canvas: Canvas, palette: Palette, top: float, bottom: float, colour: str = "#3f9bc9", shine_x: float | None = None) -> None:
    """Water from `top` to `bottom`, mirroring the sky at its far edge, with ripples and a path of light."""
    near = palette.lit(shift(colour, -0.1))
    far = mix(palette.lit(colour), palette.horizon, 0.55)
    canvas.rect(0, top, canvas.width, bottom - top, canvas.down((0, far), (0.25, palette.lit(colour)), (1, near)))
    if shine_x is not None:
        glint = "#fff2c8" if palette.dark else mix(palette.horizon, "#ffffff", 0.5)
        for number in range(14):
            y = top + (bottom - top) * (number + 0.5) / 14
            width = canvas.unit * (0.03 + 0.012 * number) * canvas.random.uniform(0.6, 1.2)
            x = shine_x + canvas.unit * canvas.random.uniform(-0.03, 0.03)
            canvas.ellipse(x, y, width, canvas.unit * 0.0035, glint, 0.5)
    d = ""
    for _ in range(46):
        share = canvas.random.random() ** 0.8
        y, x = top + (bottom - top) * share, canvas.random.uniform(-0.05, 1) * canvas.width
        length = canvas.unit * (0.02 + 0.09 * share)
        d += f"M{x:.0f} {y:.0f}q{length / 2:.1f} {-canvas.unit * 0.006 * share:.1f} {length:.1f} 0"
    canvas.path(d, stroke=mix(far, "#ffffff", 0.5), thick=canvas.unit * 0.0028, opacity=0.5)


def surf(canvas: Canvas, palette: Palette, y: float) -> None:
    """A white edge of waves where water meets the sand."""
    line = [(canvas.width * t / 12, y + canvas.unit * 0.012 * math.sin(t * 1.7)) for t in range(-1, 14)]
    d = f"M{line[0][0]:.1f} {line[0][1]:.1f}{smooth(line)}"
    canvas.path(d, stroke=palette.lit("#ffffff"), thick=canvas.unit * 0.02, opacity=0.75)
    canvas.path(d, stroke=palette.lit("#ffffff"), thick=canvas.unit * 0.045, opacity=0.25)


def wave_front(canvas: Canvas, palette: Palette, y: float, colour: str = "#3f9bc9") -> None:
    """A swell in the foreground, behind which boats and whales are half hidden."""
    for layer in range(3):
        base = palette.lit(shift(colour, -0.05 - 0.045 * layer))
        swell = canvas.unit * (0.018 + 0.006 * layer)
        line = rolling(canvas, y + canvas.unit * 0.075 * layer, swell, 3 - 0.5 * layer)
        canvas.ridge(line, canvas.down((0, shift(base, 0.05)), (0.3, base), (1, shift(base, -0.08))))


def tree(canvas: Canvas, palette: Palette, x: float, foot: float, height: float, depth: float, kind: str = "round") -> None:
    """A tree standing at (x, foot). Kinds: round, pine, bare, blossom, palm-like `slim`."""
    rng = canvas.random
    trunk = palette.lit("#7a5238", depth)
    leaf = palette.lit(rng.choice(palette.leaves), depth)
    if kind == "pine":
        leaf = palette.lit(rng.choice(("#2f7d5b", "#3b8a5f", "#2b6d58")), depth)
        canvas.rect(x - height * 0.03, foot - height * 0.16, height * 0.06, height * 0.16, trunk)
        for tier in range(4):
            y, half = foot - height * (0.1 + 0.21 * tier), height * (0.27 - 0.05 * tier)
            canvas.polygon([(x - half, y), (x, y - height * 0.32), (x + half, y)], shift(leaf, 0.012 * tier))
            canvas.polygon([(x, y - height * 0.32), (x + half, y), (x + half * 0.2, y)], shift(leaf, -0.05), 0.45)
            if "#dfeaf4" in palette.leaves:
                canvas.polygon([(x - half * 0.5, y - height * 0.16), (x, y - height * 0.32), (x + half * 0.5, y - height * 0.16),
                                (x, y - height * 0.2)], palette.lit("#ffffff", depth), 0.9)  # fmt: skip
        return
    canvas.path(f"M{x - height * 0.035:.1f} {foot:.1f}Q{x - height * 0.012:.1f} {foot - height * 0.25:.1f} {x - height * 0.02:.1f} "
                f"{foot - height * 0.55:.1f}h{height * 0.04:.1f}Q{x + height * 0.014:.1f} {foot - height * 0.25:.1f} "
                f"{x + height * 0.04:.1f} {foot:.1f}Z", trunk)  # fmt: skip
    if kind == "bare":
        for side, rise, reach in ((-1, 0.4, 0.2), (1, 0.48, 0.24), (-1, 0.56, 0.16), (1, 0.6, 0.12)):
            y = foot - height * rise
            canvas.path(f"M{x:.1f} {y:.1f}q{side * height * reach * 0.6:.1f} {-height * 0.06:.1f} {side * height * reach:.1f} "
                        f"{-height * 0.24:.1f}", stroke=trunk, thick=height * 0.018)  # fmt: skip
        return
    crown, radius = foot - height * 0.68, height * 0.25
    spread = ((-0.6, 0.25, 0.72), (0.6, 0.22, 0.74), (0, -0.35, 0.86), (-0.32, -0.1, 0.8), (0.34, -0.08, 0.8), (0, 0.28, 0.8))
    for dx, dy, size in spread:
        canvas.ellipse(x + dx * radius, crown + dy * radius, radius * size, radius * size * 0.94, shift(leaf, -0.04 + 0.02 * (dx < 0)))
    for dx, dy, size in ((-0.35, -0.3, 0.5), (0.2, -0.55, 0.4), (-0.1, 0.05, 0.42)):
        canvas.ellipse(x + dx * radius, crown + dy * radius, radius * size, radius * size * 0.86, shift(leaf, 0.045), 0.7)


def grove(canvas: Canvas, palette: Palette, foot: float, height: float, depth: float, count: int, kinds: tuple[str, ...]) -> None:
    """Trees in a row along the whole width, none in the very middle, where the hero stands."""
    places = sorted(canvas.random.uniform(0, 1) for _ in range(count))
    for share in places:
        size = height * canvas.random.uniform(0.72, 1.2)
        lift = canvas.random.uniform(-0.02, 0.02) * canvas.unit
        tree(canvas, palette, canvas.width * share, foot + lift, size, depth, canvas.random.choice(kinds))


def grass(canvas: Canvas, palette: Palette, y: float, count: int = 60) -> None:
    """Blades and small flowers along the foreground."""
    blades = {True: "", False: ""}
    for _ in range(count):
        x, height = canvas.random.uniform(-0.02, 1.02) * canvas.width, canvas.unit * canvas.random.uniform(0.02, 0.06)
        foot = y + canvas.unit * canvas.random.uniform(0, 0.12)
        lean = canvas.random.uniform(-0.4, 0.4) * height
        half = canvas.unit * 0.0035
        blades[canvas.random.random() < 0.5] += (f"M{x - half:.1f} {foot:.1f}Q{x + lean * 0.2:.1f} {foot - height * 0.6:.1f} {x + lean:.1f} "
                                                  f"{foot - height:.1f}Q{x + lean * 0.4 + half:.1f} {foot - height * 0.5:.1f} {x + half:.1f} {foot:.1f}Z")  # fmt: skip
    canvas.path(blades[True], palette.lit(palette.grass_dark))
    canvas.path(blades[False], palette.lit(shift(palette.grass_dark, 0.06)))


def bushes(canvas: Canvas, palette: Palette, foot: float, size: float) -> None:
    """Leafy clumps in the lower corners, nearer than everything else: something to look past."""
    for side in (-1, 1):
        x = canvas.width * (0.5 + side * 0.5)
        dark = palette.lit(shift(palette.grass_dark, -0.07))
        for lump in range(5):
            radius = size * canvas.random.uniform(0.5, 0.85)
            cx, cy = x - side * size * (lump * 0.42 - 0.3), foot + size * (0.1 + 0.13 * lump)
            canvas.ellipse(cx, cy, radius, radius * 0.9, shift(dark, 0.014 * lump))
        for _ in range(9):
            angle = canvas.random.uniform(0.15, 1.2)
            length = size * canvas.random.uniform(0.5, 0.95)
            ax, ay = x - side * size * canvas.random.uniform(0, 0.9), foot + size * canvas.random.uniform(0.0, 0.35)
            tip = (ax - side * length * math.cos(angle), ay - length * math.sin(angle))
            bend = length * 0.22
            canvas.path(f"M{ax:.1f} {ay:.1f}Q{(ax + tip[0]) / 2:.1f} {(ay + tip[1]) / 2 - bend:.1f} {tip[0]:.1f} {tip[1]:.1f}"
                        f"Q{(ax + tip[0]) / 2 - side * bend:.1f} {(ay + tip[1]) / 2 + bend * 0.6:.1f} {ax:.1f} {ay:.1f}Z",
                        shift(dark, canvas.random.uniform(0.02, 0.08)))  # fmt: skip


def flowers(canvas: Canvas, palette: Palette, top: float, bottom: float, count: int) -> None:
    """Small five-petalled flowers scattered over a meadow, larger towards the front."""
    colours = ("#ffffff", "#ffd95a", "#f58fb4", "#b48be8", "#ff9a5a")
    for _ in range(count):
        share = canvas.random.random()
        x, y = canvas.random.uniform(0, 1) * canvas.width, top + (bottom - top) * share
        size, colour = canvas.unit * (0.004 + 0.007 * share), palette.lit(canvas.random.choice(colours))
        canvas.path(f"M{x:.1f} {y:.1f}v{size * 3:.1f}", stroke=palette.lit(palette.grass_dark), thick=size * 0.4)
        for petal in range(5):
            angle = 2 * math.pi * petal / 5
            canvas.ellipse(x + math.cos(angle) * size, y + math.sin(angle) * size, size * 0.75, size * 0.75, colour)
        canvas.ellipse(x, y, size * 0.6, size * 0.6, palette.lit("#f7b733"))


def bamboo(canvas: Canvas, palette: Palette, foot: float, depth: float, count: int) -> None:
    """Stems over the whole height, with joints and leaves."""
    for _ in range(count):
        share = canvas.random.random()
        # Thick at the sides and thin in the middle: a clearing.
        x = canvas.width * (share * 0.36 if canvas.random.random() < 0.5 else 1 - share * 0.36)
        thick = canvas.unit * canvas.random.uniform(0.012, 0.024) * (1 - 0.45 * depth)
        colour = palette.lit(canvas.random.choice(("#6fae4f", "#4f9a4c", "#83b85a")), depth)
        canvas.rect(x - thick / 2, -5, thick, foot + 5, canvas.define(
            f'<linearGradient id="{{id}}"><stop offset="0" stop-color="{shift(colour, -0.06)}"/><stop offset="0.4" stop-color='
            f'"{shift(colour, 0.06)}"/><stop offset="1" stop-color="{shift(colour, -0.08)}"/></linearGradient>'))  # fmt: skip
        y = canvas.random.uniform(0, canvas.unit * 0.12)
        while y < foot:
            canvas.rect(x - thick * 0.6, y, thick * 1.2, thick * 0.2, shift(colour, -0.1), radius=thick * 0.1)
            if canvas.random.random() < 0.55:
                side, length = canvas.random.choice((-1, 1)), canvas.unit * canvas.random.uniform(0.05, 0.1)
                for fan in range(3):
                    drop = length * (0.1 + 0.35 * fan)
                    canvas.path(f"M{x:.1f} {y:.1f}q{side * length * 0.5:.1f} {drop * 0.2:.1f} {side * length:.1f} {drop:.1f}"
                                f"q{-side * length * 0.6:.1f} {-drop * 0.1 - length * 0.06:.1f} {-side * length:.1f} {-drop:.1f}Z",
                                shift(colour, -0.02 * fan), opacity=0.92)  # fmt: skip
            y += canvas.unit * canvas.random.uniform(0.1, 0.17)


def reeds(canvas: Canvas, palette: Palette, x: float, foot: float, height: float, count: int) -> None:
    """A clump of reeds or tall grass at a water's edge."""
    colour = palette.lit(mix(palette.grass_dark, "#6b7a3a", 0.35))
    d = ""
    for _ in range(count):
        dx, tall = canvas.random.uniform(-0.5, 0.5) * height * 0.7, height * canvas.random.uniform(0.6, 1.1)
        lean = canvas.random.uniform(-0.25, 0.25) * tall
        d += f"M{x + dx:.1f} {foot:.1f}q{lean * 0.2:.1f} {-tall * 0.6:.1f} {lean:.1f} {-tall:.1f}"
    canvas.path(d, stroke=colour, thick=canvas.unit * 0.006)
