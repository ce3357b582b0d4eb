"""A photograph repaired or changed: the picture, what it was made with, and the file that goes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mofang import trust
from mofang.apps import edit_verbs
from mofang.apps.export import generated, part, public, release
from mofang.apps.originals import keep, pixels
from mofang.image.edit import masks
from mofang.image.edit.engines import key, read_engine
from mofang.image.safe import alpha_of
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.studio.library import file_hash
from mofang.studio.words import language
from mofang.trust.credentials import PERSONAL, Nature

ENGINE, VERSION = "edit", "2"
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
CLEAR = (".png", ".webp")


@dataclass(frozen=True)
class Order:
    """What is to be done to `picture`. `params` are the verb's own settings; the mask is all of file, colour key and box
    together; `other` is the picture a style, colours or strokes come from; `model` a network of one's own, `engine` one of
    anybody's as `onnx:FILE_OR_FOLDER` or `ncnn:PARAM`."""

    verb: str
    picture: Path
    params: Mapping[str, Any] = field(default_factory=dict)
    mask: Path | None = None
    key: str = ""
    box: str = ""
    other: Path | None = None
    model: Path | None = None
    engine: str = ""
    seed: int = 0


def edit_to(studio: Studio, order: Order, target: Path) -> Path:
    """Do it and publish the result: labelled where something was invented, as the maker's own otherwise. Raises `UserError`."""
    making, originals = edited(studio, order, target.suffix)
    nature = _nature(making, originals)
    names = {"picture": order.picture.name} | {
        name: path.name for name in ("mask", "other", "model") if (path := getattr(order, name)) is not None
    }
    if "engine" in making.recipe.params:
        names["model"] = Path(making.recipe.params["model"]).name
    claim = trust.Claim(f"{order.picture.stem[:48]} · {order.verb}", nature, language(),
                        parts=[part(each) for each in (making, *originals)], credits=making.made.credits,
                        facts={"recipe": public(making.recipe), "files": names})  # fmt: skip
    return release(studio, making, target, claim, convert)


def edited(studio: Studio, order: Order, suffix: str) -> tuple[Making, list[Making]]:
    """The result as an asset, and the originals it was made from. Raises `UserError`."""
    if suffix.lower() not in SUFFIXES:
        raise UserError(f"cannot write a picture as '{suffix[:12]}'; choose one of: {', '.join(SUFFIXES)}")
    if order.verb == "cutout" and suffix.lower() not in CLEAR:
        raise UserError(f"a cut-out needs a format with transparency; choose one of: {', '.join(CLEAR)}")
    if order.box:
        masks.read_box(order.box)
    parents = {"picture": keep(studio, order.picture, edit_verbs.LARGEST)}
    if (alpha := alpha_of(order.picture)) is not None:
        parents["alpha"] = _kept_alpha(studio, order.picture, alpha)
    if order.mask is not None:
        parents["mask"] = keep(studio, order.mask)
    if order.other is not None:
        parents["other"] = keep(studio, order.other)
    params = {**order.params, **edit_verbs.seen(order.verb, order.picture), "verb": order.verb, "parents": list(parents)}
    params |= {name: value for name in ("key", "box") if (value := getattr(order, name))}
    params |= _asked(order)
    found = edit_verbs.network(order.verb, params)
    if found and "model" in params:
        # A graph of a factor is found by its file; a model that repairs, by its folder.
        file = "engine" in params or order.verb == "enlarge"
        params |= {"model": str((found[1] if file else found[1].parent).absolute())}
    kept = tuple(each.asset.id for each in parents.values())
    recipe = Recipe(ENGINE, VERSION, _key(found), params=params, seed=order.seed, parents=kept)
    made = studio.make(recipe, ".png", lambda path: produce(studio, recipe, path))
    return made, list(parents.values())


def _asked(order: Order) -> dict[str, str]:
    """The network that was asked for. Raises `UserError`."""
    if order.model and order.engine:
        raise UserError("give --model or --engine, not both")
    if order.engine:
        kind, place = read_engine(order.engine)
        return {"engine": kind, "model": str(place)}
    return {"model": str(order.model)} if order.model else {}


def _key(network: tuple[str, Path] | None) -> str:
    return key(*network) if network else ""


def produce(studio: Studio, recipe: Recipe, target: Path) -> Made:
    """The picture of a recipe as PNG. Raises `UserError`."""
    given = {name: pixels(studio, asset) for name, asset in zip(recipe.params["parents"], recipe.parents, strict=True)}
    image = given["picture"]
    alpha = (given["alpha"][..., 0] / np.float32(255)).astype(np.float32) if "alpha" in given else None
    other = (given["other"] / np.float32(255)).astype(np.float32) if "other" in given else None
    work = edit_verbs.Work(image, _mask(studio, recipe, image), alpha, other, recipe.params, recipe.seed)
    if recipe.model != _key(edit_verbs.network(recipe.params["verb"], recipe.params)):
        raise UserError(f"it was made with {recipe.model.partition('@')[0] or 'no network'}, and here is another; put that one back")
    result, nature = edit_verbs.do(recipe.params["verb"], work)
    Image.fromarray((np.clip(result, 0, 1) * 255).round().astype(np.uint8)).save(target, compress_level=3)
    return Made(facts={"nature": nature})


def convert(source: Path, target: Path) -> None:
    """The PNG in the format of the target's suffix; JPEG gets white where the picture is clear."""
    options: dict[str, dict[str, Any]] = {".png": {"compress_level": 6}, ".webp": {"lossless": True}}
    with Image.open(source) as opened:
        image: Image.Image = opened
        if image.mode == "RGBA" and target.suffix.lower() not in CLEAR:
            white = Image.new("RGBA", image.size, (255, 255, 255, 255))
            image = Image.alpha_composite(white, image).convert("RGB")
        image.save(target, **options.get(target.suffix.lower(), {"quality": 95, "subsampling": 0}))


def _mask(studio: Studio, recipe: Recipe, image: NDArray[np.uint8]) -> masks.Mask | None:
    found = []
    if "mask" in recipe.params["parents"]:
        asset = recipe.parents[recipe.params["parents"].index("mask")]
        found.append(masks.from_file(studio.asset(asset).path, image.shape))
    if "key" in recipe.params:
        found.append(masks.keyed(image, recipe.params["key"]))
    if "box" in recipe.params:
        found.append(masks.box(masks.read_box(recipe.params["box"]), image.shape))
    return masks.union(found) if found else None


def _kept_alpha(studio: Studio, path: Path, alpha: NDArray[np.uint8]) -> Making:
    """The transparency of an original, as a picture of its own."""
    recipe = Recipe("original", "1", prompt=file_hash(path), params={"name": path.name, "channel": "alpha"})

    def save(target: Path) -> Made:
        Image.fromarray(alpha).save(target, compress_level=3)
        return Made()

    return studio.make(recipe, ".png", save)


def _nature(making: Making, originals: list[Making]) -> Nature:
    """A photograph repaired is its maker's own; what was invented, or was generated before, is said."""
    own: Nature = making.made.facts["nature"]
    if any(generated(each) for each in originals) and own in (*PERSONAL, "compositeSynthetic"):
        return "compositeWithTrainedAlgorithmicMedia"
    return own


