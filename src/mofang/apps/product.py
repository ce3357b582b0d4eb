"""A product picture in several sizes at once: cut out, on its ground, perhaps with its name and price."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mofang import trust
from mofang.apps.edit import Order as Edit
from mofang.apps.edit import edited
from mofang.apps.export import generated, part, public, release
from mofang.apps.originals import keep, pixels
from mofang.image.layout import compose, format_of, template_of
from mofang.image.layout.faces import credit
from mofang.image.layout.formats import Format
from mofang.image.layout.write import SUFFIXES, save
from mofang.image.product import KINDS, Scene, stage
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.studio.credit import Credit
from mofang.studio.words import language
from mofang.trust.credentials import Nature

ENGINE, VERSION = "product", "1"


@dataclass(frozen=True)
class Order:
    """A product's picture, where it goes (formats of `mofang image layout`), what stands behind it, and its words.

    `backdrop` is `gradient`, `plain`, a colour `#rrggbb`, or the path of a picture; `box` and `mask` say where the product is.
    """

    picture: Path
    formats: Sequence[str] = ("square",)
    backdrop: str = "gradient"
    shadow: bool = True
    words: Mapping[str, str] = field(default_factory=dict)
    box: str = ""
    mask: Path | None = None
    suffix: str = ".jpg"


def product_to(studio: Studio, order: Order, folder: Path) -> list[Path]:
    """Publish one picture for each format into `folder` as NAME-FORMAT.jpg. Raises `UserError`; those finished stay."""
    if order.suffix not in SUFFIXES:
        raise UserError(f"cannot write a product picture as '{order.suffix[:12]}'; choose one of: {', '.join(SUFFIXES)}")
    places = [format_of(name) for name in dict.fromkeys(order.formats)]
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; give a folder for the pictures")
    kind, colour, behind = _backdrop(studio, order.backdrop)
    cut, originals = edited(studio, Edit("cutout", order.picture, mask=order.mask, box=order.box), ".png")
    parents = [cut, *([behind] if behind else [])]
    nature = _nature([*originals, *parents])
    words = {name: text for name, text in order.words.items() if text.strip()}
    names = {"picture": order.picture.name, **({"mask": order.mask.name} if order.mask else {}),
             **({"backdrop": Path(order.backdrop).name} if behind else {})}  # fmt: skip
    made = []
    for where in places:
        params = {"format": where.name, "backdrop": kind, "colour": colour, "shadow": order.shadow, "nature": nature, "box": order.box,
                  "parents": ["picture", "backdrop"][: len(parents)]}  # fmt: skip
        recipe = Recipe(ENGINE, VERSION, prompt=words, params=params, parents=tuple(each.asset.id for each in parents))
        making = studio.make(recipe, ".png", lambda path, recipe=recipe: produce(studio, recipe, path))  # type: ignore[misc]
        claim = trust.Claim(words.get("title") or f"{order.picture.stem[:48]} · product", nature, language(),
                            parts=[part(each) for each in (making, *parents)], credits=making.made.credits,
                            facts={"recipe": public(recipe), "files": names})  # fmt: skip

        def convert(source: Path, target: Path, where: Format = where) -> None:
            with Image.open(source) as image:
                save(np.asarray(image.convert("RGB")), where, target)

        made.append(release(studio, making, folder / f"{order.picture.stem}-{where.name}{order.suffix}", claim, convert))
    return made


def produce(studio: Studio, recipe: Recipe, target: Path) -> Made:
    """The sheet of a recipe, bleed included, as PNG. Raises `UserError`."""
    where = format_of(recipe.params["format"])
    with Image.open(studio.asset(recipe.parents[0]).path) as image:
        cut = np.asarray(image.convert("RGBA"), np.float32) / np.float32(255)
    behind = (pixels(studio, recipe.parents[1]) / np.float32(255)).astype(np.float32) if len(recipe.parents) > 1 else None
    scene = Scene(recipe.params["backdrop"], recipe.params["colour"], behind, recipe.params["shadow"], bool(recipe.prompt))
    size = (where.size[0] + 2 * where.bleed, where.size[1] + 2 * where.bleed)
    picture = (stage(cut[..., :3], cut[..., 3], size, scene) * 255).round().astype(np.uint8)
    credits: tuple[Credit, ...] = ()
    facts: dict[str, Any] = {"nature": recipe.params["nature"]}
    if recipe.prompt:
        template = template_of("product")
        page = compose(template, where, recipe.prompt, picture, place=template.place)  # `stage` keeps it free.
        picture, facts = page.image, {**facts, "contrasts": page.contrasts, "missing": page.missing, "shortened": list(page.shortened)}
        faces = dict.fromkeys(item.face for each in template.parts for item in each.item if recipe.prompt.get(item.field))
        credits = tuple(dict.fromkeys(credit(name) for name in faces))
    save(picture, replace(where, bleed=0), target)
    return Made(credits, facts)


def _backdrop(studio: Studio, text: str) -> tuple[str, str, Making | None]:
    """The kind of ground, its colour, and the picture behind."""
    if text in KINDS[:2]:
        return text, "", None
    if re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        return "plain", text.lower(), None
    if text.startswith("#"):
        raise UserError(f"'{text[:20]}' is no colour; write it as #f2efe9")
    return "picture", "", keep(studio, Path(text))


def _nature(makings: Sequence[Making]) -> Nature:
    """A maker's own product before paper is theirs; with anything generated in it, it says so."""
    return "compositeWithTrainedAlgorithmicMedia" if any(map(generated, makings)) else "algorithmicallyEnhanced"
