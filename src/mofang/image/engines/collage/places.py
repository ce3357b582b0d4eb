"""The places a scene can be in: each paints its backdrop and says where the ground is."""

from collections.abc import Callable
from dataclasses import dataclass

from mofang.image.engines.collage import built, nature
from mofang.image.engines.collage.canvas import Canvas, smooth
from mofang.image.engines.collage.colour import mix, shift
from mofang.image.engines.collage.palette import Palette
from mofang.image.engines.collage.scene import Scene
from mofang.image.engines.collage.sky import PAINTED, cloud, paint_sky

# What swims, floats or flies over open water.
AFLOAT = {
    "1F40B", "1F433", "1F988", "1F42C", "1F41F", "1F420", "1F421", "1F419", "1F980", "1F99E", "1F990", "1F991", "1F9AD", "26F5", "1F6A2", "1F6A3",
    "1F6F6", "1F6A4", "26F4-FE0F", "1F6E5-FE0F", "1F6F3-FE0F", "1F3C4", "1F3CA", "1F986", "1F9A2", "1FABC", "1F30A", "1FAB8", "1F41A", "1F426", "1F54A-FE0F",
    "1F985", "1F681", "2708-FE0F", "1F388", "2693", "1F6DF", "1F9DC", "1F9DC-200D-2640-FE0F",
}  # fmt: skip


@dataclass(frozen=True)
class Stage:
    """Where things may stand: `ground` is where a hero's feet are, `back` where things further off stand (y in pixels).

    `wet` says there is water to float on, `afloat` that there is nothing else; `front` paints the waves before what floats.
    `free` is no place at all: things may be arranged as on a page.
    """

    ground: float
    back: float
    wet: bool = False
    indoors: bool = False
    afloat: bool = False
    free: bool = False
    front: Callable[[], None] | None = None


def paint_place(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    """Paint the backdrop of the scene's place and return its stage."""
    dry = scene.place == "sea" and any(subject.glyph not in AFLOAT | PAINTED for subject in scene.subjects)
    # Who cannot swim is painted on the shore.
    return PLACES["beach" if dry else scene.place](canvas, palette, scene)


def _levels(canvas: Canvas) -> tuple[float, float]:
    """Horizon and the hero's ground line: captions take the lower part, more of it in tall pictures."""
    if canvas.height > canvas.width * 1.2:
        return canvas.height * 0.56, canvas.height * 0.7
    if canvas.width > canvas.height * 1.2:
        return canvas.height * 0.58, canvas.height * 0.79
    return canvas.height * 0.58, canvas.height * 0.76


def _snowy(scene: Scene) -> bool:
    return scene.season == "winter" or scene.weather == "snow"


def _kinds(scene: Scene) -> tuple[str, ...]:
    if _snowy(scene):
        return ("pine", "bare", "pine")
    return {"spring": ("round", "round", "pine"), "autumn": ("round", "round", "round", "pine")}.get(scene.season or "", ("round", "pine"))


def _land(canvas: Canvas, palette: Palette, scene: Scene, *, peaks: float = 0.0, far_trees: bool = True, swell: float = 0.03) -> Stage:
    """Sky, far range, rolling ground: what most outdoor places are built on."""
    horizon, ground = _levels(canvas)
    unit = canvas.unit
    paint_sky(canvas, palette, scene, horizon)
    if peaks:
        nature.mountains(canvas, palette, horizon + unit * 0.04, unit * peaks * 1.15, 0.8, snow=True)
        nature.mountains(canvas, palette, horizon + unit * 0.05, unit * peaks * 0.7, 0.55, snow=_snowy(scene))
    nature.hills(canvas, palette, horizon, unit * 0.07, mix(palette.grass_dark, "#5f86a0", 0.35), 0.62, 1.6)
    nature.hills(canvas, palette, horizon + unit * 0.045, unit * 0.05, palette.grass_dark, 0.36, 1.1)
    if far_trees:
        nature.grove(canvas, palette, horizon + unit * 0.075, unit * 0.12, 0.34, 12, _kinds(scene))
    nature.hills(canvas, palette, horizon + unit * 0.09, unit * swell, palette.grass, 0.12, 0.9)
    return Stage(ground, horizon + unit * 0.12)


def meadow(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = _land(canvas, palette, scene)
    if not _snowy(scene):
        nature.flowers(canvas, palette, stage.back + canvas.unit * 0.03, canvas.height, 46 if scene.season != "autumn" else 14)
    return _bordered(canvas, palette, scene, stage)


def hills(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = _land(canvas, palette, scene, peaks=0.16, swell=0.06)
    edge = canvas.random.choice((0.1, 0.9))
    nature.tree(canvas, palette, canvas.width * edge, stage.back + canvas.unit * 0.06, canvas.unit * 0.42, 0.08, _kinds(scene)[0])
    return _bordered(canvas, palette, scene, stage)


def mountains(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = _land(canvas, palette, scene, peaks=0.52)
    nature.grove(canvas, palette, stage.back, canvas.unit * 0.2, 0.16, 7, ("pine",))
    return _bordered(canvas, palette, scene, stage)


def forest(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = _land(canvas, palette, scene, far_trees=False)
    unit = canvas.unit
    for row, (depth, size) in enumerate(((0.5, 0.45), (0.32, 0.62), (0.16, 0.8))):
        nature.grove(canvas, palette, stage.back - unit * (0.05 - 0.045 * row), unit * size, depth, 9 - row, _kinds(scene))
    nature.hills(canvas, palette, stage.back + unit * 0.03, unit * 0.02, palette.grass, 0.04, 0.8)
    for share in (-0.01, 0.14, 0.88, 1.02):
        nature.tree(canvas, palette, canvas.width * share, stage.ground - unit * 0.03, unit * canvas.random.uniform(0.85, 1.1), 0.0,
                    canvas.random.choice(_kinds(scene)))  # fmt: skip
    return _bordered(canvas, palette, scene, stage)


def bamboo(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = _land(canvas, palette, scene, far_trees=False)
    for depth, count in ((0.6, 22), (0.35, 14), (0.08, 10)):
        nature.bamboo(canvas, palette, stage.ground - canvas.unit * (0.1 * depth), depth, count)
    return _bordered(canvas, palette, scene, stage)


def farm(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = _land(canvas, palette, scene)
    colour = {"autumn": "#e3b23f", "winter": "#eef3f8"}.get(scene.season or "", "#9ecb5a")
    for row in range(7):
        y = stage.back + (canvas.height - stage.back) * (row / 7) ** 1.4
        nature.hills(canvas, palette, y, canvas.unit * 0.008, shift(colour, 0.035 * (-1) ** row), 0.1 * (1 - row / 7), 0.6)
    built.house(canvas, palette, canvas.width * 0.84, stage.back + canvas.unit * 0.01, canvas.unit * 0.2, 0.25, eastern=False)
    return _bordered(canvas, palette, scene, stage)


def garden(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = _land(canvas, palette, scene)
    unit = canvas.unit
    for share in (0.08, 0.3, 0.72, 0.93):
        nature.tree(canvas, palette, canvas.width * share, stage.back + unit * 0.03, unit * canvas.random.uniform(0.3, 0.46), 0.1, "round")
    path = palette.lit("#e9d9b8", 0.05)
    canvas.path(f"M{canvas.width * 0.42:.0f} {canvas.height}Q{canvas.width * 0.34:.0f} {stage.ground:.0f} {canvas.width * 0.52:.0f} {stage.back:.0f}"
                f"h{unit * 0.05:.0f}Q{canvas.width * 0.6:.0f} {stage.ground:.0f} {canvas.width * 0.8:.0f} {canvas.height}Z", path)  # fmt: skip
    nature.flowers(canvas, palette, stage.back + unit * 0.04, canvas.height, 80)
    return _bordered(canvas, palette, scene, stage)


def village(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = _land(canvas, palette, scene, peaks=0.2)
    built.street(canvas, palette, stage.back + canvas.unit * 0.01, canvas.unit * 0.17, 0.3, eastern=True)
    for share in (0.06, 0.95):
        nature.tree(canvas, palette, canvas.width * share, stage.back + canvas.unit * 0.06, canvas.unit * 0.38, 0.05, _kinds(scene)[0])
    return _bordered(canvas, palette, scene, stage)


def town(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = _land(canvas, palette, scene, far_trees=False)
    built.street(canvas, palette, stage.back - canvas.unit * 0.03, canvas.unit * 0.2, 0.45, eastern=False)
    built.street(canvas, palette, stage.back + canvas.unit * 0.04, canvas.unit * 0.3, 0.12, eastern=False)
    _pavement(canvas, palette, stage.back + canvas.unit * 0.04)
    return stage


def city(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = _levels(canvas)
    paint_sky(canvas, palette, scene, horizon)
    built.skyline(canvas, palette, horizon + canvas.unit * 0.05, canvas.unit * 0.62, 0.6)
    built.skyline(canvas, palette, horizon + canvas.unit * 0.08, canvas.unit * 0.44, 0.25)
    nature.grove(canvas, palette, horizon + canvas.unit * 0.1, canvas.unit * 0.11, 0.1, 9, ("round",))
    _pavement(canvas, palette, horizon + canvas.unit * 0.085)
    return Stage(ground, horizon + canvas.unit * 0.12)


def road(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = _land(canvas, palette, scene, peaks=0.18)
    middle, far = canvas.width / 2, stage.back - canvas.unit * 0.03
    canvas.polygon([(middle - canvas.unit * 0.03, far), (middle + canvas.unit * 0.03, far), (middle + canvas.unit * 0.75, canvas.height),
                    (middle - canvas.unit * 0.75, canvas.height)], canvas.down((0, palette.lit("#8b8f98", 0.3)), (1, palette.lit("#5d626d"))))  # fmt: skip
    for dash in range(6):
        y, y2 = (far + (canvas.height - far) * (t / 6) ** 1.7 for t in (dash + 0.15, dash + 0.6))
        half, half2 = (canvas.unit * 0.016 * (p - far) / (canvas.height - far) for p in (y, y2))
        canvas.polygon([(middle - half, y), (middle + half, y), (middle + half2, y2), (middle - half2, y2)], palette.lit("#fdf6e3"), 0.85)
    return stage


def desert(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = _levels(canvas)
    paint_sky(canvas, palette, scene, horizon)
    for level, depth, colour in ((0.0, 0.5, "#e0b074"), (0.06, 0.28, "#e6b878"), (0.13, 0.08, "#edc486"), (0.3, 0.0, "#e4b673")):
        nature.hills(canvas, palette, horizon + canvas.unit * level, canvas.unit * 0.06, colour, depth, 0.8)
    return Stage(ground, horizon + canvas.unit * 0.14)


def snowfield(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = _levels(canvas)
    paint_sky(canvas, palette, scene, horizon)
    nature.mountains(canvas, palette, horizon + canvas.unit * 0.03, canvas.unit * 0.36, 0.65, snow=True)
    nature.hills(canvas, palette, horizon, canvas.unit * 0.04, "#cfdff0", 0.4, 1.4)
    nature.grove(canvas, palette, horizon + canvas.unit * 0.07, canvas.unit * 0.2, 0.22, 9, ("pine", "pine", "bare"))
    nature.hills(canvas, palette, horizon + canvas.unit * 0.08, canvas.unit * 0.03, "#edf4fb", 0.1, 0.9)
    nature.hills(canvas, palette, ground + canvas.unit * 0.02, canvas.unit * 0.03, "#f9fcff", 0.0, 0.7)
    return Stage(ground, horizon + canvas.unit * 0.13)


def sea(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = _levels(canvas)
    paint_sky(canvas, palette, scene, horizon)
    nature.water(canvas, palette, horizon, canvas.height, "#2f8fc4" if scene.weather != "storm" else "#3d6c86", canvas.width * 0.5)

    def front() -> None:
        nature.wave_front(canvas, palette, ground - canvas.unit * 0.02, "#2f8fc4" if scene.weather != "storm" else "#3d6c86")

    return Stage(ground, horizon + canvas.unit * 0.06, wet=True, afloat=True, front=front)


def beach(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = _levels(canvas)
    paint_sky(canvas, palette, scene, horizon)
    shore = ground - canvas.unit * 0.1
    nature.water(canvas, palette, horizon, shore + canvas.unit * 0.08, "#3fa9cf", canvas.width * 0.6)
    nature.hills(canvas, palette, shore, canvas.unit * 0.012, "#f0d9a7", 0.0, 0.7)
    nature.surf(canvas, palette, shore)
    return Stage(ground, shore - canvas.unit * 0.06, wet=True)


def lake(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = _land(canvas, palette, scene, peaks=0.3)
    shore = stage.ground - canvas.unit * 0.07
    nature.water(canvas, palette, stage.back - canvas.unit * 0.02, shore + canvas.unit * 0.06, "#4ea3bf", canvas.width * 0.7)
    nature.hills(canvas, palette, shore, canvas.unit * 0.015, palette.grass, 0.0, 0.8)
    for share in (0.05, 0.93):
        nature.reeds(canvas, palette, canvas.width * share, shore + canvas.unit * 0.03, canvas.unit * 0.2, 16)
    return _bordered(canvas, palette, scene, Stage(stage.ground, stage.back + canvas.unit * 0.03, wet=True))


def river(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = _land(canvas, palette, scene, peaks=0.26)
    colour, w, h = "#4f9fc4", canvas.width, canvas.height
    fill = canvas.down((0, mix(palette.lit(colour), palette.horizon, 0.5)), (1, palette.lit(shift(colour, -0.06))))
    top = stage.back - canvas.unit * 0.02
    canvas.path(f"M{w * 0.62:.0f} {top:.0f}C{w * 0.5:.0f} {top + (h - top) * 0.2:.0f} {w * 0.86:.0f} {top + (h - top) * 0.3:.0f} {w * 0.74:.0f} {top + (h - top) * 0.5:.0f}"
                f"S{w * 0.5:.0f} {h * 0.96:.0f} {w * 0.42:.0f} {h:.0f}H{w * 1.3:.0f}C{w * 1.2:.0f} {h * 0.9:.0f} {w * 1.06:.0f} {top + (h - top) * 0.5:.0f} "
                f"{w:.0f} {top + (h - top) * 0.4:.0f}S{w * 0.66:.0f} {top + (h - top) * 0.15:.0f} {w * 0.68:.0f} {top:.0f}Z", fill)  # fmt: skip
    nature.reeds(canvas, palette, w * 0.6, stage.ground + canvas.unit * 0.06, canvas.unit * 0.15, 12)
    return _bordered(canvas, palette, scene, Stage(stage.ground, stage.back, wet=True))


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
    stage = _land(canvas, palette, scene, peaks=0.24)
    nature.water(canvas, palette, stage.back, canvas.height, "#4ea3bf", canvas.width * 0.5)
    built.bridge(canvas, palette, stage.ground - canvas.unit * 0.03)
    return Stage(stage.ground - canvas.unit * 0.05, stage.back + canvas.unit * 0.04, wet=True)


def temple(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = _land(canvas, palette, scene, peaks=0.3)
    built.temple(canvas, palette, canvas.width * 0.5, stage.back + canvas.unit * 0.07, canvas.unit * 0.62, 0.12)
    for share in (0.04, 0.97):
        nature.tree(canvas, palette, canvas.width * share, stage.back + canvas.unit * 0.08, canvas.unit * 0.45, 0.04, "pine")
    return _bordered(canvas, palette, scene, stage)


def market(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = _land(canvas, palette, scene, far_trees=False)
    built.street(canvas, palette, stage.back, canvas.unit * 0.24, 0.4, eastern=True)
    _pavement(canvas, palette, stage.back + canvas.unit * 0.01, "#d8c6a6")
    built.stalls(canvas, palette, stage.ground - canvas.unit * 0.1)
    return stage


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
    ground = _levels(canvas)[1]
    canvas.ellipse(width / 2, height * 1.18, width * 0.9, height * 1.18 - ground + unit * 0.02, canvas.down((0, "#a9a6c4"), (0.5, "#5d5a86")))
    for _ in range(9):
        canvas.ellipse(rng.uniform(0.1, 0.9) * width, ground + unit * rng.uniform(0.06, 0.3), unit * 0.05, unit * 0.015, "#7a779f", 0.7)
    return Stage(ground, ground - unit * 0.02)


def underwater(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    width, height, unit, rng = canvas.width, canvas.height, canvas.unit, canvas.random
    canvas.rect(0, 0, width, height, canvas.down((0, "#6fd3e6"), (0.4, "#2b94c6"), (1, "#0d4a86")))
    for _ in range(6):
        x = width * rng.uniform(-0.1, 1)
        canvas.polygon([(x, -5), (x + unit * 0.12, -5), (x + unit * 0.5, height * 0.9), (x + unit * 0.1, height * 0.9)], "#ffffff", 0.07)
    ground = _levels(canvas)[1]
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


def cave(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    stage = _land(canvas, palette, scene, peaks=0.2)
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
    ground = _levels(canvas)[1]
    light = palette.lit("#ffffff", 0.1)
    for _ in range(9):
        cloud(canvas, canvas.width * canvas.random.random(), canvas.height * canvas.random.uniform(0.72, 1.02), canvas.unit * canvas.random.uniform(0.2, 0.36),
              light, mix(light, palette.middle, 0.3), 0.92)  # fmt: skip
    return Stage(ground - canvas.unit * 0.08, ground - canvas.unit * 0.2, afloat=True)


def room(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = _levels(canvas)
    built.room(canvas, palette, horizon + canvas.unit * 0.06, "#f1dcc0", "#b98255")
    size = canvas.unit * 0.34
    built.window(canvas, palette, canvas.width * 0.1, horizon - canvas.unit * 0.52, size, size * 1.05, "#d98c6a")
    built.shelf(canvas, palette, canvas.width - canvas.unit * 0.34, horizon - canvas.unit * 0.34, canvas.unit * 0.3, canvas.unit * 0.4, 3)
    built.lamp(canvas, canvas.width * 0.56, horizon - canvas.unit * 0.62 if canvas.height > canvas.width else canvas.height * 0.12)
    return _with_rug(canvas, palette, Stage(ground, horizon + canvas.unit * 0.08, indoors=True), "#c8705a")


def bedroom(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = _levels(canvas)
    built.room(canvas, palette, horizon + canvas.unit * 0.06, "#cfd3e8", "#a57c5c")
    size = canvas.unit * 0.4
    built.window(canvas, palette, canvas.width * 0.52 - size / 2, horizon - canvas.unit * 0.56, size, size * 1.1, "#7f8fc4")
    x, y, length = canvas.width * 0.04, horizon + canvas.unit * 0.06, canvas.unit * 0.46
    dim = -0.16 if palette.dark else 0.0
    canvas.rect(x, y - length * 0.42, length * 0.1, length * 0.5, shift("#8a5a3c", dim), radius=8)
    canvas.rect(x + length * 0.06, y - length * 0.16, length * 0.94, length * 0.24, shift("#fdf3e7", dim), radius=18)
    canvas.rect(x + length * 0.34, y - length * 0.18, length * 0.68, length * 0.3, shift("#6f86c9", dim), radius=20)
    canvas.ellipse(x + length * 0.2, y - length * 0.18, length * 0.14, length * 0.08, shift("#ffffff", dim))
    return _with_rug(canvas, palette, Stage(ground, horizon + canvas.unit * 0.08, indoors=True), "#8f9bd0")


def kitchen(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = _levels(canvas)
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
    horizon, ground = _levels(canvas)
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
    horizon, ground = _levels(canvas)
    built.room(canvas, palette, horizon + canvas.unit * 0.06, "#e7d3b1", "#8f5f3f")
    step = canvas.unit * 0.36
    x = -canvas.unit * 0.08
    while x < canvas.width:
        built.shelf(canvas, palette, x, horizon - canvas.unit * 0.78, step * 0.94, canvas.unit * 0.85, 6)
        x += step
    return _with_rug(canvas, palette, Stage(ground, horizon + canvas.unit * 0.08, indoors=True), "#7a4a5c")


def office(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    horizon, ground = _levels(canvas)
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
    horizon, ground = _levels(canvas)
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
    ground = _levels(canvas)[1]
    canvas.ellipse(w / 2, ground - unit * 0.24, unit * 0.46, unit * 0.46, "#ffffff", 0.22 if scene.time == "night" else 0.5)
    for _ in range(16):
        radius = unit * rng.uniform(0.004, 0.011)
        canvas.ellipse(w * rng.random(), h * rng.random() * 0.75, radius, radius, tones[2], 0.7)
    return Stage(ground, ground - unit * 0.1, free=True)


def _pavement(canvas: Canvas, palette: Palette, y: float, colour: str = "#c7c3bd") -> None:
    canvas.rect(0, y, canvas.width, canvas.height - y, canvas.down((0, palette.lit(colour, 0.25)), (1, palette.lit(shift(colour, -0.08)))))
    lines = ""
    for number in range(-9, 10):
        lines += f"M{canvas.width / 2 + number * canvas.width * 0.08:.0f} {y:.0f}L{canvas.width / 2 + number * canvas.width * 0.3:.0f} {canvas.height}"
    for row in range(6):
        level = y + (canvas.height - y) * (row / 6) ** 1.6
        lines += f"M0 {level:.0f}H{canvas.width}"
    canvas.path(lines, stroke=palette.lit(shift(colour, -0.1)), thick=canvas.unit * 0.0025, opacity=0.6)


def _with_rug(canvas: Canvas, palette: Palette, on: Stage, colour: str) -> Stage:
    tone = shift(colour, -0.16) if palette.dark else colour
    canvas.ellipse(canvas.width / 2, on.ground + canvas.unit * 0.02, canvas.unit * 0.5, canvas.unit * 0.1, tone, 0.9)
    canvas.ellipse(canvas.width / 2, on.ground + canvas.unit * 0.02, canvas.unit * 0.43, canvas.unit * 0.08, shift(tone, 0.06), 0.9)
    return on


def _bordered(canvas: Canvas, palette: Palette, scene: Scene, on: Stage) -> Stage:
    """Ground towards the viewer, and grass along the lower edge to look over."""
    nature.hills(canvas, palette, on.ground + canvas.unit * 0.06, canvas.unit * 0.02, shift(palette.grass, -0.02), 0.0, 0.7)
    if not _snowy(scene):
        nature.grass(canvas, palette, on.ground + canvas.unit * 0.07)
        nature.grass(canvas, palette, canvas.height - canvas.unit * 0.06, 90)
        if canvas.height > canvas.width:
            nature.hills(canvas, palette, on.ground + canvas.unit * 0.24, canvas.unit * 0.02, shift(palette.grass, -0.05), 0.0, 0.5)
            nature.grass(canvas, palette, on.ground + canvas.unit * 0.26, 70)
        nature.bushes(canvas, palette, canvas.height - canvas.unit * 0.13, canvas.unit * 0.17)
    return on


PLACES: dict[str, Callable[[Canvas, Palette, Scene], Stage]] = {
    "meadow": meadow, "hills": hills, "mountains": mountains, "sea": sea, "beach": beach, "river": river, "lake": lake,
    "waterfall": waterfall, "forest": forest, "bamboo": bamboo, "desert": desert, "snowfield": snowfield, "farm": farm,
    "garden": garden, "village": village, "town": town, "city": city, "road": road, "bridge": bridge, "market": market,
    "temple": temple, "room": room, "bedroom": bedroom, "kitchen": kitchen, "school": school, "library": library,
    "office": office, "stage": stage, "space": space, "underwater": underwater, "cave": cave, "sky": sky, "plain": plain,
}  # fmt: skip
