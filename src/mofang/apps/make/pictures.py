"""Third stage: a picture for every shot, painted from its words or cut from the creator's own."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.apps.make.standing import place, standing
from mofang.apps.make.storyboard import SIZES, Picture, Storyboard
from mofang.apps.paint import Order, painted
from mofang.image.engines import PictureEngine, open_engine
from mofang.image.engines.collage import paint as collage
from mofang.image.engines.collage.art import open_art
from mofang.image.engines.collage.scene import Scene
from mofang.image.engines.folder import VERSION as FOLDER_VERSION
from mofang.image.engines.folder import fit
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.studio.library import file_hash
from mofang.studio.progress import Progress, silent

MARGIN = 1.14
"""How much larger than the film pictures are, so that the camera can move in without enlarging pixels."""


def canvas_size(aspect: str) -> tuple[int, int]:
    """Width and height of a film's pictures, both even."""
    width, height = (round(side * MARGIN / 2) * 2 for side in SIZES[aspect])
    return width, height


def recipe(picture: Picture, style: str, size: tuple[int, int], base: Path) -> Recipe:
    """How a shot's picture is made."""
    if picture.file:
        path = base / picture.file
        if not path.is_file():
            raise UserError(f"there is no picture {picture.file}; put it there, or change it in the storyboard")
        return Recipe("folder", FOLDER_VERSION, prompt=file_hash(path), params={"size": list(size), "file": str(path)})
    assert picture.scene is not None, "a storyboard's picture has a scene or a file"
    params = {"size": list(size), "style": style}
    return Recipe("collage", collage.VERSION, open_art(style).card.key, scene_json(picture.scene), params, picture.seed)


def scene_json(scene: Scene) -> dict[str, Any]:
    """A scene as recipes keep it: nothing that is empty."""
    return {name: value for name, value in asdict(scene).items() if value is not None}


def produce(made_by: Recipe, picture: Picture, target: Path) -> Made:
    """Make the picture of a recipe and write it to `target` as PNG."""
    size = (made_by.params["size"][0], made_by.params["size"][1])
    if picture.file:
        fitted = fit(Path(made_by.params["file"]), size)
        write_png(target, fitted.image)
        return Made(facts={"focus": list(fitted.focus)})
    assert picture.scene is not None
    painting = collage.paint(picture.scene, size, style=made_by.params["style"], seed=picture.seed)
    write_png(target, painting.image)
    return Made(painting.credits, {"focus": [round(side, 4) for side in painting.focus]})


def write_png(target: Path, image: NDArray[np.uint8]) -> None:
    """Write (rows, columns, 3) losslessly and fast: level 1 costs a tenth of the time of level 6 for a third more bytes."""
    import cv2

    ok, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert ok
    target.write_bytes(data.tobytes())


def pictures(studio: Studio, board: Storyboard, base: Path, progress: Progress = silent) -> list[Making]:
    """A picture for every shot, in order; those made before are not made again."""
    size = canvas_size(board.aspect)
    done = 0
    if not board.image_engine and any(_worded(shot.picture) for shot in board.shots):
        raise UserError("the storyboard has pictures in words and names no image_engine to paint them; add one, as diffusers:PATH")
    engine = open_engine(board.image_engine, studio=studio.folder) if board.image_engine else None

    def one(picture: Picture) -> Making:
        nonlocal done
        if engine and _worded(picture):
            making = _engine_picture(studio, engine, board, picture, size)
        else:
            made_by = recipe(picture, board.style, size, base)
            making = studio.make(made_by, ".png", lambda target: produce(made_by, picture, target))
        done += 1
        progress(done / len(board.shots), f"{done}/{len(board.shots)}")
        return making

    # An engine is one model in memory, and takes the whole machine for each picture.
    try:
        with ThreadPoolExecutor(1 if engine else 2, "paint") as pool:
            return list(pool.map(one, [shot.picture for shot in board.shots]))
    finally:
        if engine:
            engine.close()


def _worded(picture: Picture) -> bool:
    return bool(picture.words) and picture.scene is None and not picture.file


def _engine_picture(studio: Studio, engine: PictureEngine, board: Storyboard, picture: Picture, size: tuple[int, int]) -> Making:
    """What the film's engine makes of a picture's words, kept once it is made: services would paint it anew every time."""
    if engine.cut_out:
        where = place(picture)
        made_by = recipe(where, board.style, size, Path())
        behind = studio.make(made_by, ".png", lambda target: produce(made_by, where, target))
        return standing(studio, engine, board.image_engine, picture, behind, size)
    order = Order(board.image_engine, picture.words, size=size, seed=picture.seed)
    return painted(studio, engine, order, again=False)[0][0]
