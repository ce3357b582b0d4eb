"""Seas, shores, rivers and what lies under them."""

from mofang.image.engines.collage import built, nature
from mofang.image.engines.collage.canvas import Canvas
from mofang.image.engines.collage.colour import mix, shift
from mofang.image.engines.collage.palette import Palette
from mofang.image.engines.collage.places.ground import Stage, bordered, land, levels
from mofang.image.engines.collage.places.outdoors import mountains
from mofang.image.engines.collage.scene import Scene
from mofang.image.engines.collage.sky import paint_sky


def sea(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = levels(canvas)
    paint_sky(canvas, palette, scene, horizon)
    nature.water(canvas, palette, horizon, canvas.height, "#2f8fc4" if scene.weather != "storm" else "#3d6c86", canvas.width * 0.5)

    def front() -> None:
        nature.wave_front(canvas, palette, ground - canvas.unit * 0.02, "#2f8fc4" if scene.weather != "storm" else "#3d6c86")

    return Stage(ground, horizon + canvas.unit * 0.06, wet=True, afloat=True, front=front)


def beach(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = levels(canvas)
    paint_sky(canvas, palette, scene, horizon)
    shore = ground - canvas.unit * 0.1
    nature.water(canvas, palette, horizon, shore + canvas.unit * 0.08, "#3fa9cf", canvas.width * 0.6)
    nature.hills(canvas, palette, shore, canvas.unit * 0.012, "#f0d9a7", 0.0, 0.7)
    nature.surf(canvas, palette, shore)
    return Stage(ground, shore - canvas.unit * 0.06, wet=True)


def lake(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = land(canvas, palette, scene, peaks=0.3)
    shore = stage.ground - canvas.unit * 0.07
    nature.water(canvas, palette, stage.back - canvas.unit * 0.02, shore + canvas.unit * 0.06, "#4ea3bf", canvas.width * 0.7)
    nature.hills(canvas, palette, shore, canvas.unit * 0.015, palette.grass, 0.0, 0.8)
    for share in (0.05, 0.93):
        nature.reeds(canvas, palette, canvas.width * share, shore + canvas.unit * 0.03, canvas.unit * 0.2, 16)
    return bordered(canvas, palette, scene, Stage(stage.ground, stage.back + canvas.unit * 0.03, wet=True))


def river(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = land(canvas, palette, scene, peaks=0.26)
    colour, w, h = "#4f9fc4", canvas.width, canvas.height
    fill = canvas.down((0, mix(palette.lit(colour), palette.horizon, 0.5)), (1, palette.lit(shift(colour, -0.06))))
    top = stage.back - canvas.unit * 0.02
    canvas.path(f"M{w * 0.62:.0f} {top:.0f}C{w * 0.5:.0f} {top + (h - top) * 0.2:.0f} {w * 0.86:.0f} {top + (h - top) * 0.3:.0f} {w * 0.74:.0f} {top + (h - top) * 0.5:.0f}"
                f"S{w * 0.5:.0f} {h * 0.96:.0f} {w * 0.42:.0f} {h:.0f}H{w * 1.3:.0f}C{w * 1.2:.0f} {h * 0.9:.0f} {w * 1.06:.0f} {top + (h - top) * 0.5:.0f} "
                f"{w:.0f} {top + (h - top) * 0.4:.0f}S{w * 0.66:.0f} {top + (h - top) * 0.15:.0f} {w * 0.68:.0f} {top:.0f}Z", fill)  # fmt: skip
    nature.reeds(canvas, palette, w * 0.6, stage.ground + canvas.unit * 0.06, canvas.unit * 0.15, 12)
    return bordered(canvas, palette, scene, Stage(stage.ground, stage.back, wet=True))


def waterfall(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = mountains(canvas, palette, scene)
    x, top, width = canvas.width * 0.7, stage.back - canvas.unit * 0.42, canvas.unit * 0.12
    rock = palette.lit("#6d7f86", 0.2)
    canvas.polygon([(x - width * 1.6, stage.back), (x - width * 1.1, top), (x + width * 1.3, top - width * 0.2), (x + width * 2, stage.back)], rock)
    canvas.path(f"M{x - width / 2:.0f} {top:.0f}h{width:.0f}l{width * 0.2:.0f} {stage.back - top:.0f}h{-width * 1.4:.0f}Z",
                canvas.down((0, palette.lit("#d8eef7")), (1, palette.lit("#ffffff"))))  # fmt: skip
    for k in range(5):
        canvas.ellipse(x + width * (k - 2) * 0.45, stage.back, width * 0.5, width * 0.2, palette.lit("#ffffff"), 0.7)
    return Stage(stage.ground, stage.back, wet=True)


def bridge(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = land(canvas, palette, scene, peaks=0.24)
    nature.water(canvas, palette, stage.back, canvas.height, "#4ea3bf", canvas.width * 0.5)
    built.bridge(canvas, palette, stage.ground - canvas.unit * 0.03)
    return Stage(stage.ground - canvas.unit * 0.05, stage.back + canvas.unit * 0.04, wet=True)


def underwater(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    width, height, unit, rng = canvas.width, canvas.height, canvas.unit, canvas.random
    canvas.rect(0, 0, width, height, canvas.down((0, "#6fd3e6"), (0.4, "#2b94c6"), (1, "#0d4a86")))
    for _ in range(6):
        x = width * rng.uniform(-0.1, 1)
        canvas.polygon([(x, -5), (x + unit * 0.12, -5), (x + unit * 0.5, height * 0.9), (x + unit * 0.1, height * 0.9)], "#ffffff", 0.07)
    ground = levels(canvas)[1]
    nature.hills(canvas, palette, ground - unit * 0.02, unit * 0.03, "#3d7ea6", 0.3)
    nature.hills(canvas, palette, ground + unit * 0.03, unit * 0.02, "#e3cf9b", 0.12)
    for _ in range(12):
        x, tall = width * rng.uniform(0, 1), unit * rng.uniform(0.1, 0.3)
        colour = rng.choice(("#2f9e6e", "#58b368", "#e76f51", "#d65a8a", "#f4a261"))
        foot = ground + unit * rng.uniform(0.03, 0.16)
        for stem in (-1, 0, 1):
            canvas.path(f"M{x:.0f} {foot:.0f}q{stem * tall * 0.4:.0f} {-tall * 0.5:.0f} {stem * tall * 0.25:.0f} {-tall:.0f}", stroke=colour,
                        thick=unit * 0.014, opacity=0.9)  # fmt: skip
    for _ in range(26):
        radius = unit * rng.uniform(0.004, 0.014)
        canvas.path(f"M{rng.uniform(0, width):.0f} {rng.uniform(0, ground):.0f}m{-radius:.1f} 0a{radius:.1f} {radius:.1f} 0 1 0 {2 * radius:.1f} 0"
                    f"a{radius:.1f} {radius:.1f} 0 1 0 {-2 * radius:.1f} 0", stroke="#ffffff", thick=unit * 0.002, opacity=0.6)  # fmt: skip
    return Stage(ground - unit * 0.06, ground - unit * 0.16, wet=True, afloat=True)
