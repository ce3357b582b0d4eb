"""The creator's own pictures as assets: kept in the studio, so that what is made of them can be made again."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mofang import trust
from mofang.image.safe import MOST_PIXELS, open_picture
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.studio.library import file_hash

ENGINE = "original"


def keep(studio: Studio, path: Path, most: int = MOST_PIXELS) -> Making:
    """The picture as an asset: upright RGB as `open_picture` reads it. Raises `UserError` for one that cannot be read, or is
    of more than `most` pixels."""
    image = open_picture(path, most)
    marked = trust.verify(path, studio.folder).generated
    recipe = Recipe(ENGINE, "1", prompt=file_hash(path), params={"name": path.name, "generated": marked})
    nature = "compositeWithTrainedAlgorithmicMedia" if marked else "digitalCreation"

    def produce(target: Path) -> Made:
        Image.fromarray(image).save(target, compress_level=3)
        return Made(facts={"nature": nature})

    return studio.make(recipe, ".png", produce)


def pixels(studio: Studio, asset: str) -> NDArray[np.uint8]:
    """(rows, columns, 3) of a picture asset. Raises `UserError` if it is gone."""
    path = studio.asset(asset).path
    if not path.is_file():
        raise UserError(f"the picture it was made from is gone from {studio.folder}; run: mofang doctor")
    return open_picture(path)
