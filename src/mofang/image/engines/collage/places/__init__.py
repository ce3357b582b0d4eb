"""The places a scene can be in: each paints its backdrop and says where the ground is."""

from collections.abc import Callable

from mofang.image.engines.collage.canvas import Canvas
from mofang.image.engines.collage.palette import Palette
from mofang.image.engines.collage.places import elsewhere, indoors, outdoors, streets, waters
from mofang.image.engines.collage.places.ground import Stage
from mofang.image.engines.collage.scene import Place, Scene
from mofang.image.engines.collage.sky import PAINTED

# What swims, floats or flies over open water.
AFLOAT = {
    "1F40B", "1F433", "1F988", "1F42C", "1F41F", "1F420", "1F421", "1F419", "1F980", "1F99E", "1F990", "1F991", "1F9AD", "26F5", "1F6A2", "1F6A3",
    "1F6F6", "1F6A4", "26F4-FE0F", "1F6E5-FE0F", "1F6F3-FE0F", "1F3C4", "1F3CA", "1F986", "1F9A2", "1FABC", "1F30A", "1FAB8", "1F41A", "1F426", "1F54A-FE0F",
    "1F985", "1F681", "2708-FE0F", "1F388", "2693", "1F6DF", "1F9DC", "1F9DC-200D-2640-FE0F",
}  # fmt: skip

PLACES: dict[Place, Callable[[Canvas, Palette, Scene], Stage]] = {
    "meadow": outdoors.meadow, "hills": outdoors.hills, "mountains": outdoors.mountains, "sea": waters.sea, "beach": waters.beach, "river": waters.river, "lake": waters.lake,
    "waterfall": waters.waterfall, "forest": outdoors.forest, "bamboo": outdoors.bamboo, "desert": outdoors.desert, "snowfield": outdoors.snowfield, "farm": outdoors.farm,
    "garden": outdoors.garden, "village": streets.village, "town": streets.town, "city": streets.city, "road": streets.road, "bridge": waters.bridge, "market": streets.market,
    "temple": streets.temple, "room": indoors.room, "bedroom": indoors.bedroom, "kitchen": indoors.kitchen, "school": indoors.school, "library": indoors.library,
    "office": indoors.office, "stage": indoors.stage, "space": elsewhere.space, "underwater": waters.underwater, "cave": elsewhere.cave, "sky": elsewhere.sky, "plain": elsewhere.plain,
}  # fmt: skip


def paint_place(canvas: Canvas, palette: Palette, scene: Scene) -> Stage:
    """Paint the backdrop of the scene's place and return its stage."""
    dry = scene.place == "sea" and any(subject.glyph not in AFLOAT | PAINTED for subject in scene.subjects)
    # Who cannot swim is painted on the shore.
    return PLACES["beach" if dry else scene.place](canvas, palette, scene)


__all__ = ["AFLOAT", "PLACES", "Stage", "paint_place"]
