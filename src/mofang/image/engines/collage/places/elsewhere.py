"""Space, caves, the open sky, and no place at all."""

from mofang.image.engines.collage import nature
from mofang.image.engines.collage.canvas import Canvas, smooth
from mofang.image.engines.collage.colour import mix
from mofang.image.engines.collage.palette import Palette
from mofang.image.engines.collage.places.ground import Stage, land, levels
from mofang.image.engines.collage.scene import Scene
from mofang.image.engines.collage.sky import cloud, paint_sky


def space(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    width, height, unit, rng = canvas.width, canvas.height, canvas.unit, canvas.random
    canvas.rect(0, 0, width, height, canvas.down((0, "#0a0c2b"), (0.6, "#1b1a52"), (1, "#37246b")))
    for _ in range(4):
        colour = rng.choice(("#6a4bd0", "#2f6fc9", "#c04fa0", "#3aa7a3"))
        canvas.ellipse(rng.uniform(0, width), rng.uniform(0, height * 0.8), unit * 0.5, unit * 0.3, canvas.glow((0, colour, 0.34), (1, colour, 0)))
    for _ in range(220):
        radius = unit * rng.choice((0.001, 0.0014, 0.002, 0.003))
        canvas.ellipse(rng.uniform(0, width), rng.uniform(0, height), radius, radius, "#ffffff", rng.uniform(0.4, 1))
    x, y, size = width * rng.choice((0.2, 0.8)), height * 0.2, unit * 0.13
    canvas.ellipse(x, y, size, size, canvas.down((0, "#f3b27a"), (1, "#b05c6d")))
    canvas.path(f"M{x - size * 1.6:.0f} {y + size * 0.35:.0f}Q{x:.0f} {y + size * 0.9:.0f} {x + size * 1.6:.0f} {y - size * 0.35:.0f}", stroke="#f7d9b0",
                thick=size * 0.1, opacity=0.85)  # fmt: skip
    ground = levels(canvas)[1]
    canvas.ellipse(width / 2, height * 1.18, width * 0.9, height * 1.18 - ground + unit * 0.02, canvas.down((0, "#a9a6c4"), (0.5, "#5d5a86")))
    for _ in range(9):
        canvas.ellipse(rng.uniform(0.1, 0.9) * width, ground + unit * rng.uniform(0.06, 0.3), unit * 0.05, unit * 0.015, "#7a779f", 0.7)
    return Stage(ground, ground - unit * 0.02)


def cave(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = land(canvas, palette, scene, peaks=0.2)
    w, h, rng = canvas.width, canvas.height, canvas.random
    for inset, shade in ((0.0, "#2f2a35"), (-0.05, "#413a46")):
        jag = [(w * (0.14 + inset) + rng.uniform(-0.02, 0.02) * w, h * k / 9) for k in range(10)]
        top = [(w * k / 8, h * (0.16 + inset * 0.6) + rng.uniform(-0.03, 0.03) * h) for k in range(9)]
        for points in (
            [(-5, -5), *jag, (-5, h + 5)], [(w + 5, -5), *((w - x, y) for x, y in jag), (w + 5, h + 5)], [(-5, -5), *top, (w + 5, -5)],
        ):  # fmt: skip
            canvas.polygon(points, shade)
    nature.hills(canvas, palette, stage.ground - canvas.unit * 0.03, canvas.unit * 0.02, "#5a5160", 0.0, 0.8)
    return stage


def sky(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    paint_sky(canvas, palette, scene, canvas.height)
    ground = levels(canvas)[1]
    light = palette.lit("#ffffff", 0.1)
    for _ in range(9):
        cloud(canvas, canvas.width * canvas.random.random(), canvas.height * canvas.random.uniform(0.72, 1.02), canvas.unit * canvas.random.uniform(0.2, 0.36),
              light, mix(light, palette.middle, 0.3), 0.92)  # fmt: skip
    return Stage(ground - canvas.unit * 0.08, ground - canvas.unit * 0.2, afloat=True)


def plain(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    """No place at all: a calm ground of soft shapes, as for an article or a lesson."""
    w, h, unit, rng = canvas.width, canvas.height, canvas.unit, canvas.random
    tones = {"day": ("#fdf1dc", "#f6d8b8", "#f2b89a"), "dawn": ("#fdeee6", "#f6cfc4", "#e9a7a0"), "dusk": ("#f7d9c4", "#e6a58e", "#a8688c"),
             "night": ("#28336b", "#1b2452", "#3f4f96")}[scene.time]  # fmt: skip
    cool = scene.mood in ("calm", "sad", "mysterious", "lonely", "tense")
    if cool and scene.time != "night":
        tones = ("#e9f3f5", "#cbe3ea", "#9cc6d4")
    canvas.rect(0, 0, w, h, canvas.down((0, tones[0]), (1, tones[1])))
    for _ in range(5):
        x, y, size = w * rng.uniform(0, 1), h * rng.uniform(0.05, 0.95), unit * rng.uniform(0.16, 0.42)
        lumps = [(x + size * rng.uniform(0.75, 1.2) * c, y + size * rng.uniform(0.75, 1.2) * s) for c, s in
                 ((1, 0), (0.6, 0.75), (-0.2, 1), (-0.9, 0.5), (-0.95, -0.4), (-0.2, -1), (0.7, -0.7))]  # fmt: skip
        lumps.append(lumps[0])
        canvas.path(f"M{lumps[0][0]:.0f} {lumps[0][1]:.0f}{smooth(lumps)}Z", tones[2], opacity=rng.uniform(0.12, 0.3))
    ground = levels(canvas)[1]
    canvas.ellipse(w / 2, ground - unit * 0.24, unit * 0.46, unit * 0.46, "#ffffff", 0.22 if scene.time == "night" else 0.5)
    for _ in range(16):
        radius = unit * rng.uniform(0.004, 0.011)
        canvas.ellipse(w * rng.random(), h * rng.random() * 0.75, radius, radius, tones[2], 0.7)
    return Stage(ground, ground - unit * 0.1, free=True)
