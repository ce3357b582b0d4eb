"""An asset made again from its recipe: the proof that the recipe is the whole of it."""

from collections.abc import Callable
from pathlib import Path

from mofang.apps import (
    audiobook,
    compose,
    edit,
    effect,
    generate,
    jukebox,
    layout,
    musicgen,
    paint,
    perform,
    product,
    project,
    reconstruct,
    recordings,
    sound_edit,
    verse,
    write,
    writing,
)
from mofang.apps.export import desk
from mofang.apps.make import music, pictures, standing, voices
from mofang.apps.make.storyboard import Picture, scene_from
from mofang.studio import Asset, Recipe, Studio, UserError
from mofang.studio.library import file_hash

PRODUCE: dict[str, Callable[[Studio, Recipe, Path], object]] = {
    room.ENGINE: room.produce
    for room in (layout, standing, compose, music, musicgen, jukebox, reconstruct, product, generate, project, edit, sound_edit,
                 verse, perform, audiobook)
}
"""What makes a recipe again, by its engine, where the recipe is enough."""


def remake(studio: Studio, asset: Asset) -> tuple[str, bool]:
    """Make the asset of a recipe again. Returns the SHA-256 of what came out, and whether a damaged asset was mended.

    Parents that are gone or damaged are made again before it. Own engines give the same bytes on the same versions.
    Raises `UserError` for what cannot be made alone.
    """
    recipe = studio.making(asset).recipe
    for parent in map(studio.asset, dict.fromkeys(recipe.parents)):
        if not _whole(parent) and not remake(studio, parent)[1]:
            raise UserError(f"{parent.id[:8]}, which went into it, is damaged and does not come out the same; make its piece again")
    with desk(studio) as place:
        target = place / ("again" + asset.path.suffix)
        _produce(studio, recipe, target)
        made = file_hash(target)
        broken = not _whole(asset)
        if broken and made == asset.id:
            asset.path.parent.mkdir(exist_ok=True)
            target.chmod(0o444)
            target.replace(asset.path)
        return made, broken and made == asset.id


def _whole(asset: Asset) -> bool:
    return asset.path.is_file() and file_hash(asset.path) == asset.id


def _produce(studio: Studio, recipe: Recipe, target: Path) -> None:
    if again := PRODUCE.get(recipe.engine):
        again(studio, recipe, target)
    elif recipe.engine == "collage":
        pictures.produce(recipe, Picture(scene_from(recipe.prompt), seed=recipe.seed), target)
    elif recipe.engine == "folder":
        if not Path(recipe.params["file"]).is_file():
            raise UserError(f"the picture it was cut from, {recipe.params['file']}, is gone; put it back")
        pictures.produce(recipe, Picture(file=recipe.params["file"]), target)
    elif paint.paints(recipe.engine):
        paint.produce(studio, recipe, target)
    elif recipe.engine == effect.ENGINE:
        effect.produce(recipe, target)
    elif recipe.engine == audiobook.COVERS:
        audiobook.produce_cover(recipe, target)
    elif recipe.engine in voices.ENGINES:
        voices.produce(recipe, target)
    elif recipe.engine == writing.WORDS:
        writing.produce(recipe, target)
    elif recipe.engine == write.ENGINE or recipe.engine.removesuffix("-text") in write.FOREIGN:
        write.produce(studio, recipe, target)
    elif recipe.engine == recordings.ENGINE:
        raise UserError(f"{recipe.params['name']} came from outside and is gone or damaged; give it to its command again")
    else:
        raise UserError(
            f"a '{recipe.engine}' asset is made with its piece; make the piece again: mofang make storyboard.json"
        )
