"""Rooms, and the stage of a theatre."""

from mofang.image.engines.collage import built
from mofang.image.engines.collage.canvas import Canvas
from mofang.image.engines.collage.colour import shift
from mofang.image.engines.collage.palette import Palette
from mofang.image.engines.collage.places.ground import Stage, levels
from mofang.image.engines.collage.scene import Scene


def room(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = levels(canvas)
    built.room(canvas, palette, horizon + canvas.unit * 0.06, "#f1dcc0", "#b98255")
    size = canvas.unit * 0.34
    built.window(canvas, palette, canvas.width * 0.1, horizon - canvas.unit * 0.52, size, size * 1.05, "#d98c6a")
    built.shelf(canvas, palette, canvas.width - canvas.unit * 0.34, horizon - canvas.unit * 0.34, canvas.unit * 0.3, canvas.unit * 0.4, 3)
    built.lamp(canvas, canvas.width * 0.56, horizon - canvas.unit * 0.62 if canvas.height > canvas.width else canvas.height * 0.12)
    return with_rug(canvas, palette, Stage(ground, horizon + canvas.unit * 0.08, indoors=True), "#c8705a")


def bedroom(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = levels(canvas)
    built.room(canvas, palette, horizon + canvas.unit * 0.06, "#cfd3e8", "#a57c5c")
    size = canvas.unit * 0.4
    built.window(canvas, palette, canvas.width * 0.52 - size / 2, horizon - canvas.unit * 0.56, size, size * 1.1, "#7f8fc4")
    x, y, length = canvas.width * 0.04, horizon + canvas.unit * 0.06, canvas.unit * 0.46
    dim = -0.16 if palette.dark else 0.0
    canvas.rect(x, y - length * 0.42, length * 0.1, length * 0.5, shift("#8a5a3c", dim), radius=8)
    canvas.rect(x + length * 0.06, y - length * 0.16, length * 0.94, length * 0.24, shift("#fdf3e7", dim), radius=18)
    canvas.rect(x + length * 0.34, y - length * 0.18, length * 0.68, length * 0.3, shift("#6f86c9", dim), radius=20)
    canvas.ellipse(x + length * 0.2, y - length * 0.18, length * 0.14, length * 0.08, shift("#ffffff", dim))
    return with_rug(canvas, palette, Stage(ground, horizon + canvas.unit * 0.08, indoors=True), "#8f9bd0")


def kitchen(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = levels(canvas)
    built.room(canvas, palette, horizon + canvas.unit * 0.06, "#e9efdc", "#c9a37b")
    built.window(canvas, palette, canvas.width * 0.1, horizon - canvas.unit * 0.5, canvas.unit * 0.3, canvas.unit * 0.3, "#e6a15c")
    built.lamp(canvas, canvas.width * 0.5, horizon - canvas.unit * 0.6 if canvas.height > canvas.width else canvas.height * 0.1)
    dim = -0.18 if palette.dark else 0.0
    for row in range(2):
        y = horizon - canvas.unit * (0.42 - 0.17 * row)
        canvas.rect(canvas.width - canvas.unit * 0.4, y, canvas.unit * 0.34, canvas.unit * 0.014, shift("#9c6a47", dim), radius=3)
        for jar in range(4):
            colour = shift(("#d1495b", "#edae49", "#66a182", "#2e86ab")[(jar + row) % 4], dim)
            canvas.rect(canvas.width - canvas.unit * (0.385 - 0.08 * jar), y - canvas.unit * 0.075, canvas.unit * 0.055, canvas.unit * 0.075, colour, radius=8)
    built.table(canvas, palette, ground - canvas.unit * 0.06, "#c98d5e")
    return Stage(ground, ground - canvas.unit * 0.05, indoors=True)


def school(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = levels(canvas)
    built.room(canvas, palette, horizon + canvas.unit * 0.06, "#f3e7c8", "#c79a6b")
    width, height = min(canvas.width * 0.78, canvas.unit * 1.1), canvas.unit * 0.4
    x, y = (canvas.width - width) / 2, horizon - canvas.unit * 0.5
    canvas.rect(x - 12, y - 12, width + 24, height + 24, "#8a5f3d", radius=10)
    canvas.rect(x, y, width, height, canvas.down((0, "#2f5d50"), (1, "#264d43")))
    d = ""
    for line in range(4):
        length = width * canvas.random.uniform(0.2, 0.42)
        d += f"M{x + width * 0.07:.0f} {y + height * (0.22 + 0.19 * line):.0f}q{length * 0.3:.0f} {-height * 0.03:.0f} {length:.0f} 0"
    canvas.path(d, stroke="#eef6ee", thick=canvas.unit * 0.006, opacity=0.65)
    canvas.path(f"M{x + width * 0.66:.0f} {y + height * 0.72:.0f}l{width * 0.1:.0f} {-height * 0.44:.0f}l{width * 0.12:.0f} {height * 0.44:.0f}Z", stroke="#ffe6a1",
                thick=canvas.unit * 0.006, opacity=0.75)  # fmt: skip
    return Stage(ground, horizon + canvas.unit * 0.08, indoors=True)


def library(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = levels(canvas)
    built.room(canvas, palette, horizon + canvas.unit * 0.06, "#e7d3b1", "#8f5f3f")
    step = canvas.unit * 0.36
    x = -canvas.unit * 0.08
    while x < canvas.width:
        built.shelf(canvas, palette, x, horizon - canvas.unit * 0.78, step * 0.94, canvas.unit * 0.85, 6)
        x += step
    return with_rug(canvas, palette, Stage(ground, horizon + canvas.unit * 0.08, indoors=True), "#7a4a5c")


def office(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = levels(canvas)
    built.room(canvas, palette, horizon + canvas.unit * 0.06, "#dfe6ec", "#b9a68e")
    width, height = min(canvas.width * 0.8, canvas.unit * 1.1), canvas.unit * 0.44
    x, y = (canvas.width - width) / 2, horizon - canvas.unit * 0.52
    canvas.rect(x, y, width, height, canvas.down((0, palette.zenith), (1, palette.horizon)))
    built.skyline(canvas, palette, y + height, height * 0.8, 0.45)
    wall = shift("#dfe6ec", -0.24, 0.8) if palette.dark else "#dfe6ec"
    for left, right in ((0.0, x), (x + width, float(canvas.width))):
        canvas.rect(left, y - canvas.unit * 0.02, right - left, height + canvas.unit * 0.06, wall)
    canvas.rect(0, y + height, canvas.width, canvas.unit * 0.06, wall)
    bars = "".join(f"M{x + width * k / 4:.0f} {y:.0f}v{height:.0f}" for k in range(5))
    canvas.path(bars + f"M{x:.0f} {y:.0f}h{width:.0f}M{x:.0f} {y + height:.0f}h{width:.0f}", stroke="#f8fafb", thick=canvas.unit * 0.014)
    built.table(canvas, palette, ground - canvas.unit * 0.06, "#a8795a")
    return Stage(ground, ground - canvas.unit * 0.05, indoors=True)


def stage(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = levels(canvas)
    w, h = canvas.width, canvas.height
    canvas.rect(0, 0, w, h, canvas.down((0, "#2a1230"), (1, "#5b1f45")))
    canvas.rect(0, ground - canvas.unit * 0.08, w, h, canvas.down((0, "#b9784a"), (1, "#6a3c28")))
    for share in (0.3, 0.7):
        canvas.polygon([(w * share - canvas.unit * 0.03, -5), (w * share + canvas.unit * 0.03, -5), (w * 0.5 + canvas.unit * 0.34, ground), (w * 0.5 - canvas.unit * 0.34, ground)],
                       "#fff1c9", 0.13)  # fmt: skip
    for side in (0, 1):
        for fold in range(4):
            a = canvas.unit * 0.075 * fold
            x = a if side == 0 else w - a - canvas.unit * 0.08
            canvas.path(f"M{x:.0f} 0h{canvas.unit * 0.08:.0f}q{canvas.unit * 0.02 * (1 - 2 * side):.0f} {ground * 0.5:.0f} {-canvas.unit * 0.01:.0f} {ground - canvas.unit * 0.04:.0f}h{-canvas.unit * 0.07:.0f}Z",
                        canvas.down((0, "#c32f45"), (1, "#861c38")))  # fmt: skip
    for number in range(int(w / (canvas.unit * 0.16)) + 1):
        canvas.ellipse(canvas.unit * 0.16 * number, 0, canvas.unit * 0.1, canvas.unit * 0.09, "#a8263f")
    return Stage(ground, horizon + canvas.unit * 0.1, indoors=True)


def with_rug(canvas: Canvas, palette: Palette, on: Stage, colour: str) -> Stage:
    tone = shift(colour, -0.16) if palette.dark else colour
    canvas.ellipse(canvas.width / 2, on.ground + canvas.unit * 0.02, canvas.unit * 0.5, canvas.unit * 0.1, tone, 0.9)
    canvas.ellipse(canvas.width / 2, on.ground + canvas.unit * 0.02, canvas.unit * 0.43, canvas.unit * 0.08, shift(tone, 0.06), 0.9)
    return on
