"""What many places are built on: the stage, the horizon, land under a sky, paving."""

from collections.abc import Callable
from dataclasses import dataclass

from mofang.image.engines.collage import nature
from mofang.image.engines.collage.canvas import Canvas
from mofang.image.engines.collage.colour import mix, shift
from mofang.image.engines.collage.palette import Palette
from mofang.image.engines.collage.scene import Scene
from mofang.image.engines.collage.sky import paint_sky


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


def levels(canvas: Canvas) -> tuple[float, float]:
    """Horizon and the hero's ground line: captions take the lower part, more of it in tall pictures."""
    if canvas.height > canvas.width * 1.2:
        return canvas.height * 0.56, canvas.height * 0.7
    if canvas.width > canvas.height * 1.2:
        return canvas.height * 0.58, canvas.height * 0.79
    return canvas.height * 0.58, canvas.height * 0.76


def snowy(scene: Scene) -> bool:
    return scene.season == "winter" or scene.weather == "snow"


def kinds(scene: Scene) -> tuple[str, ...]:
    if snowy(scene):
        return ("pine", "bare", "pine")
    return {"spring": ("round", "round", "pine"), "autumn": ("round", "round", "round", "pine")}.get(scene.season or "", ("round", "pine"))


def land(canvas: Canvas, palette: Palette, scene: Scene, *, peaks: float = 0.0, far_trees: bool = True, swell: float = 0.03) -> Stage:
    """Sky, far range, rolling ground: what most outdoor places are built on."""
    horizon, ground = levels(canvas)
    unit = canvas.unit
    paint_sky(canvas, palette, scene, horizon)
    if peaks:
        nature.mountains(canvas, palette, horizon + unit * 0.04, unit * peaks * 1.15, 0.8, snow=True)
        nature.mountains(canvas, palette, horizon + unit * 0.05, unit * peaks * 0.7, 0.55, snow=snowy(scene))
    nature.hills(canvas, palette, horizon, unit * 0.07, mix(palette.grass_dark, "#5f86a0", 0.35), 0.62, 1.6)
    nature.hills(canvas, palette, horizon + unit * 0.045, unit * 0.05, palette.grass_dark, 0.36, 1.1)
    if far_trees:
        nature.grove(canvas, palette, horizon + unit * 0.075, unit * 0.12, 0.34, 12, kinds(scene))
    nature.hills(canvas, palette, horizon + unit * 0.09, unit * swell, palette.grass, 0.12, 0.9)
    return Stage(ground, horizon + unit * 0.12)


def bordered(canvas: Canvas, palette: Palette, scene: Scene, on: Stage) -> Stage:
    """Ground towards the viewer, and grass along the lower edge to look over."""
    nature.hills(canvas, palette, on.ground + canvas.unit * 0.06, canvas.unit * 0.02, shift(palette.grass, -0.02), 0.0, 0.7)
    if not snowy(scene):
        nature.grass(canvas, palette, on.ground + canvas.unit * 0.07)
        nature.grass(canvas, palette, canvas.height - canvas.unit * 0.06, 90)
        if canvas.height > canvas.width:
            nature.hills(canvas, palette, on.ground + canvas.unit * 0.24, canvas.unit * 0.02, shift(palette.grass, -0.05), 0.0, 0.5)
            nature.grass(canvas, palette, on.ground + canvas.unit * 0.26, 70)
        nature.bushes(canvas, palette, canvas.height - canvas.unit * 0.13, canvas.unit * 0.17)
    return on


def pavement(canvas: Canvas, palette: Palette, y: float, colour: str = "#c7c3bd") -> None:
    canvas.rect(0, y, canvas.width, canvas.height - y, canvas.down((0, palette.lit(colour, 0.25)), (1, palette.lit(shift(colour, -0.08)))))
    lines = ""
    for number in range(-9, 10):
        lines += f"M{canvas.width / 2 + number * canvas.width * 0.08:.0f} {y:.0f}L{canvas.width / 2 + number * canvas.width * 0.3:.0f} {canvas.height}"
    for row in range(6):
        level = y + (canvas.height - y) * (row / 6) ** 1.6
        lines += f"M0 {level:.0f}H{canvas.width}"
    canvas.path(lines, stroke=palette.lit(shift(colour, -0.1)), thick=canvas.unit * 0.0025, opacity=0.6)
