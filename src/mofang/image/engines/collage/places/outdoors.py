"""Fields, woods and mountains."""

from mofang.image.engines.collage import built, nature
from mofang.image.engines.collage.canvas import Canvas
from mofang.image.engines.collage.colour import shift
from mofang.image.engines.collage.palette import Palette
from mofang.image.engines.collage.places.ground import Stage, bordered, kinds, land, levels, snowy
from mofang.image.engines.collage.scene import Scene
from mofang.image.engines.collage.sky import paint_sky


def meadow(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = land(canvas, palette, scene)
    if not snowy(scene):
        nature.flowers(canvas, palette, stage.back + canvas.unit * 0.03, canvas.height, 46 if scene.season != "autumn" else 14)
    return bordered(canvas, palette, scene, stage)


def hills(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = land(canvas, palette, scene, peaks=0.16, swell=0.06)
    edge = canvas.random.choice((0.1, 0.9))
    nature.tree(canvas, palette, canvas.width * edge, stage.back + canvas.unit * 0.06, canvas.unit * 0.42, 0.08, kinds(scene)[0])
    return bordered(canvas, palette, scene, stage)


def mountains(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = land(canvas, palette, scene, peaks=0.52)
    nature.grove(canvas, palette, stage.back, canvas.unit * 0.2, 0.16, 7, ("pine",))
    return bordered(canvas, palette, scene, stage)


def forest(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = land(canvas, palette, scene, far_trees=False)
    unit = canvas.unit
    for row, (depth, size) in enumerate(((0.5, 0.45), (0.32, 0.62), (0.16, 0.8))):
        nature.grove(canvas, palette, stage.back - unit * (0.05 - 0.045 * row), unit * size, depth, 9 - row, kinds(scene))
    nature.hills(canvas, palette, stage.back + unit * 0.03, unit * 0.02, palette.grass, 0.04, 0.8)
    for share in (-0.01, 0.14, 0.88, 1.02):
        nature.tree(canvas, palette, canvas.width * share, stage.ground - unit * 0.03, unit * canvas.random.uniform(0.85, 1.1), 0.0,
                    canvas.random.choice(kinds(scene)))  # fmt: skip
    return bordered(canvas, palette, scene, stage)


def bamboo(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = land(canvas, palette, scene, far_trees=False)
    for depth, count in ((0.6, 22), (0.35, 14), (0.08, 10)):
        nature.bamboo(canvas, palette, stage.ground - canvas.unit * (0.1 * depth), depth, count)
    return bordered(canvas, palette, scene, stage)


def farm(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = land(canvas, palette, scene)
    colour = {"autumn": "#e3b23f", "winter": "#eef3f8"}.get(scene.season or "", "#9ecb5a")
    for row in range(7):
        y = stage.back + (canvas.height - stage.back) * (row / 7) ** 1.4
        nature.hills(canvas, palette, y, canvas.unit * 0.008, shift(colour, 0.035 * (-1) ** row), 0.1 * (1 - row / 7), 0.6)
    built.house(canvas, palette, canvas.width * 0.84, stage.back + canvas.unit * 0.01, canvas.unit * 0.2, 0.25, eastern=False)
    return bordered(canvas, palette, scene, stage)


def garden(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = land(canvas, palette, scene)
    unit = canvas.unit
    for share in (0.08, 0.3, 0.72, 0.93):
        nature.tree(canvas, palette, canvas.width * share, stage.back + unit * 0.03, unit * canvas.random.uniform(0.3, 0.46), 0.1, "round")
    path = palette.lit("#e9d9b8", 0.05)
    canvas.path(f"M{canvas.width * 0.42:.0f} {canvas.height}Q{canvas.width * 0.34:.0f} {stage.ground:.0f} {canvas.width * 0.52:.0f} {stage.back:.0f}"
                f"h{unit * 0.05:.0f}Q{canvas.width * 0.6:.0f} {stage.ground:.0f} {canvas.width * 0.8:.0f} {canvas.height}Z", path)  # fmt: skip
    nature.flowers(canvas, palette, stage.back + unit * 0.04, canvas.height, 80)
    return bordered(canvas, palette, scene, stage)


def desert(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = levels(canvas)
    paint_sky(canvas, palette, scene, horizon)
    for level, depth, colour in ((0.0, 0.5, "#e0b074"), (0.06, 0.28, "#e6b878"), (0.13, 0.08, "#edc486"), (0.3, 0.0, "#e4b673")):
        nature.hills(canvas, palette, horizon + canvas.unit * level, canvas.unit * 0.06, colour, depth, 0.8)
    return Stage(ground, horizon + canvas.unit * 0.14)


def snowfield(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = levels(canvas)
    paint_sky(canvas, palette, scene, horizon)
    nature.mountains(canvas, palette, horizon + canvas.unit * 0.03, canvas.unit * 0.36, 0.65, snow=True)
    nature.hills(canvas, palette, horizon, canvas.unit * 0.04, "#cfdff0", 0.4, 1.4)
    nature.grove(canvas, palette, horizon + canvas.unit * 0.07, canvas.unit * 0.2, 0.22, 9, ("pine", "pine", "bare"))
    nature.hills(canvas, palette, horizon + canvas.unit * 0.08, canvas.unit * 0.03, "#edf4fb", 0.1, 0.9)
    nature.hills(canvas, palette, ground + canvas.unit * 0.02, canvas.unit * 0.03, "#f9fcff", 0.0, 0.7)
    return Stage(ground, horizon + canvas.unit * 0.13)
