"""A page set in type: its picture and words into an asset, and out as a file."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mofang import trust
from mofang.apps.export import generated, part, public, release
from mofang.apps.originals import keep, pixels
from mofang.image.engines.collage.read import read
from mofang.image.layout import compose, format_of, template_of
from mofang.image.layout.faces import credit
from mofang.image.layout.write import SUFFIXES, save
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.text.language import language_of
from mofang.trust.credentials import Nature

ENGINE, VERSION = "layout", "2"


@dataclass(frozen=True)
class Order:
    """What a page is made of. At most one of `picture` (a file) and `paint` (words to be painted). `place` is one of
    the template's for its words; without one they go where they cover least of the picture's subject."""

    template: str
    format: str
    words: Mapping[str, str]
    picture: Path | None = None
    paint: str = ""
    style: str = "noto"
    link: str = ""
    seed: int = 0
    place: str = ""


@dataclass(frozen=True)
class Laid:
    """The published file, and what its maker should know: contrasts, characters left out, fields cut short, the words' place."""

    path: Path
    facts: Mapping[str, object]


def layout_to(studio: Studio, order: Order, target: Path) -> Laid:
    """Set the page and publish it: labelled if its picture was generated, as the maker's own otherwise. Raises `UserError`."""
    if target.suffix.lower() not in SUFFIXES:
        raise UserError(f"cannot write a page as '{target.suffix[:12]}'; choose one of: {', '.join(SUFFIXES)}")
    if order.picture and order.paint:
        raise UserError("give --picture or --words, not both")
    template, where = template_of(order.template), format_of(order.format)
    picture = _picture(studio, order, where.size)
    nature = _nature(picture)
    params = {"template": template.name, "format": where.name, "link": order.link, "nature": nature}
    params |= {"place": order.place} if order.place else {}
    parents = (picture.asset.id,) if picture else ()
    recipe = Recipe(ENGINE, VERSION, prompt=dict(order.words), params=params, seed=order.seed, parents=parents)
    making = studio.make(recipe, ".png", lambda path: produce(studio, recipe, path))
    words = " ".join(" ".join(order.words.values()).split())
    credits = (*making.made.credits, *(picture.made.credits if picture else ()))
    claim = trust.Claim(words[:60], nature, language_of(words), parts=[part(each) for each in (making, picture) if each],
                        credits=tuple(dict.fromkeys(credits)), facts={"recipe": public(recipe), **_asked(order)})  # fmt: skip

    def convert(source: Path, path: Path) -> None:
        with Image.open(source) as image:
            save(np.asarray(image.convert("RGB")), where, path)

    return Laid(release(studio, making, target, claim, convert), making.made.facts)


def produce(studio: Studio, recipe: Recipe, target: Path) -> Made:
    """The sheet of a recipe, bleed included, as PNG. Raises `UserError`."""
    template, where = template_of(recipe.params["template"]), format_of(recipe.params["format"])
    picture = pixels(studio, recipe.parents[0]) if recipe.parents else None
    params = recipe.params
    page = compose(template, where, recipe.prompt, picture, link=params["link"], seed=recipe.seed, place=params.get("place", ""))
    save(page.image, replace(where, bleed=0), target)
    faces = dict.fromkeys(item.face for each in template.parts for item in each.item if recipe.prompt.get(item.field))
    return Made(tuple(dict.fromkeys(credit(name) for name in faces)),
                {"nature": recipe.params["nature"], "contrasts": page.contrasts, "missing": page.missing,
                 "shortened": list(page.shortened), "place": page.place})  # fmt: skip


def _asked(order: Order) -> dict[str, Any]:
    """What the recipe does not say: the picture's own name, or the words it was painted from."""
    if order.paint:
        return {"paint": order.paint, "style": order.style}
    return {"files": {"picture": order.picture.name}} if order.picture else {}


def _nature(picture: Making | None) -> Nature:
    """Words on paper are their writer's own; with a picture a machine made, the page is a composite."""
    if picture is None or (picture.recipe.engine == "original" and not generated(picture)):
        return "digitalCreation"
    return "compositeSynthetic" if picture.recipe.engine == "collage" else "compositeWithTrainedAlgorithmicMedia"


def _picture(studio: Studio, order: Order, size: tuple[int, int]) -> Making | None:
    if order.picture:
        return keep(studio, order.picture)
    if not order.paint:
        return None
    from mofang.apps.make import pictures
    from mofang.apps.make.storyboard import Picture
    from mofang.image.engines.collage.art import open_art
    from mofang.image.engines.collage.paint import VERSION as COLLAGE

    scene = read(order.paint, language_of(order.paint))
    scale = min(1.0, 1600 / max(size))
    params = {"size": [round(side * scale) for side in size], "style": order.style}
    recipe = Recipe("collage", COLLAGE, open_art(order.style).card.key, pictures.scene_json(scene), params, order.seed)
    return studio.make(recipe, ".png", lambda path: pictures.produce(recipe, Picture(scene, seed=order.seed), path))
