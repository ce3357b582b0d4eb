"""Where people live and trade, outside."""

from mofang.image.engines.collage import built, nature
from mofang.image.engines.collage.canvas import Canvas
from mofang.image.engines.collage.palette import Palette
from mofang.image.engines.collage.places.ground import Stage, bordered, kinds, land, levels, pavement
from mofang.image.engines.collage.scene import Scene
from mofang.image.engines.collage.sky import paint_sky


def village(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = land(canvas, palette, scene, peaks=0.2)
    built.street(canvas, palette, stage.back + canvas.unit * 0.01, canvas.unit * 0.17, 0.3, eastern=True)
    for share in (0.06, 0.95):
        nature.tree(canvas, palette, canvas.width * share, stage.back + canvas.unit * 0.06, canvas.unit * 0.38, 0.05, kinds(scene)[0])
    return bordered(canvas, palette, scene, stage)


def town(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = land(canvas, palette, scene, far_trees=False)
    built.street(canvas, palette, stage.back - canvas.unit * 0.03, canvas.unit * 0.2, 0.45, eastern=False)
    built.street(canvas, palette, stage.back + canvas.unit * 0.04, canvas.unit * 0.3, 0.12, eastern=False)
    pavement(canvas, palette, stage.back + canvas.unit * 0.04)
    return stage


def city(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = levels(canvas)
    paint_sky(canvas, palette, scene, horizon)
    built.skyline(canvas, palette, horizon + canvas.unit * 0.05, canvas.unit * 0.62, 0.6)
    built.skyline(canvas, palette, horizon + canvas.unit * 0.08, canvas.unit * 0.44, 0.25)
    nature.grove(canvas, palette, horizon + canvas.unit * 0.1, canvas.unit * 0.11, 0.1, 9, ("round",))
    pavement(canvas, palette, horizon + canvas.unit * 0.085)
    return Stage(ground, horizon + canvas.unit * 0.12)


def road(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = land(canvas, palette, scene, peaks=0.18)
    middle, far = canvas.width / 2, stage.back - canvas.unit * 0.03
    canvas.polygon([(middle - canvas.unit * 0.03, far), (middle + canvas.unit * 0.03, far), (middle + canvas.unit * 0.75, canvas.height),
                    (middle - canvas.unit * 0.75, canvas.height)], canvas.down((0, palette.lit("#8b8f98", 0.3)), (1, palette.lit("#5d626d"))))  # fmt: skip
    for dash in range(6):
        y, y2 = (far + (canvas.height - far) * (t / 6) ** 1.7 for t in (dash + 0.15, dash + 0.6))
        half, half2 = (canvas.unit * 0.016 * (p - far) / (canvas.height - far) for p in (y, y2))
        canvas.polygon([(middle - half, y), (middle + half, y), (middle + half2, y2), (middle - half2, y2)], palette.lit("#fdf6e3"), 0.85)
    return stage


def market(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = land(canvas, palette, scene, far_trees=False)
    built.street(canvas, palette, stage.back, canvas.unit * 0.24, 0.4, eastern=True)
    pavement(canvas, palette, stage.back + canvas.unit * 0.01, "#d8c6a6")
    built.stalls(canvas, palette, stage.ground - canvas.unit * 0.1)
    return stage


def temple(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = land(canvas, palette, scene, peaks=0.3)
    built.temple(canvas, palette, canvas.width * 0.5, stage.back + canvas.unit * 0.07, canvas.unit * 0.62, 0.12)
    for share in (0.04, 0.97):
        nature.tree(canvas, palette, canvas.width * share, stage.back + canvas.unit * 0.08, canvas.unit * 0.45, 0.04, "pine")
    return bordered(canvas, palette, scene, stage)
