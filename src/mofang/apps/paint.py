"""Pictures by an engine that is asked for: as assets, remade from their recipes, and out as files."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mofang import trust
from mofang.apps.edit import convert
from mofang.apps.export import nature_of, part, public, release
from mofang.apps.originals import keep, pixels
from mofang.image.edit import masks
from mofang.image.engines import ENGINES, PictureEngine, Request, open_engine
from mofang.image.engines.folder import focus_of, saliency
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.studio.progress import Progress, silent
from mofang.text.language import language_of

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
SETTINGS = ("negative", "steps", "guidance", "sampler", "style", "quality", "background", "strength")
"""Fields of an order that go into a request as they are."""
SUFFIX = "-picture"
"""Of the engines in recipes that are made here."""


@dataclass(frozen=True)
class Order:
    """Pictures by `engine` (`diffusers:PATH`, `openai:MODEL` …); the fields are those of `Request`, pictures being files."""

    engine: str
    words: str
    negative: str = ""
    size: tuple[int, int] | None = None
    seed: int = 0
    count: int = 1
    steps: int = 0
    guidance: float | None = None
    sampler: str = ""
    style: str = ""
    quality: str = ""
    background: str = ""
    strength: float | None = None
    image: Path | None = None
    mask: Path | None = None
    control: Path | None = None
    loras: tuple[str, ...] = ()
    controlnet: str = ""


@dataclass(frozen=True)
class Done:
    """The published files, and what the creator should know."""

    paths: tuple[Path, ...]
    notes: tuple[str, ...]


def paints(engine: str) -> bool:
    """Whether assets of a recipe's `engine` are made here."""
    return engine.endswith(SUFFIX) and engine.removesuffix(SUFFIX) in ENGINES


def numbered(target: Path, count: int) -> list[Path]:
    """`target`, or for several pictures `name-1.png`, `name-2.png` …"""
    return [target] if count == 1 else [target.with_name(f"{target.stem}-{n}{target.suffix}") for n in range(1, count + 1)]


def paint_to(studio: Studio, order: Order, target: Path, progress: Progress = silent) -> Done:
    """Paint and publish; several pictures under `numbered` names. Raises `UserError`."""
    if target.suffix.lower() not in SUFFIXES:
        raise UserError(f"cannot write a '{target.suffix[:12]}' picture; choose one of: {', '.join(SUFFIXES)}")
    engine = open_engine(order.engine, loras=order.loras, controlnet=order.controlnet, studio=studio.folder)
    try:
        made, parents, notes = painted(studio, engine, order, progress)
    finally:
        engine.close()
    names = {role: path.name for role in ("image", "mask", "control") if (path := getattr(order, role)) is not None}
    paths = []
    for making, place in zip(made, numbered(target, len(made)), strict=True):
        claim = trust.Claim(order.words[:60] or target.stem[:60], nature_of(making), language_of(order.words),
                            parts=[part(each) for each in (making, *parents)], credits=making.made.credits,
                            facts={"recipe": public(_elsewhere(making.recipe)), "words": order.words, "files": names})  # fmt: skip
        paths.append(release(studio, making, place, claim, convert))
    return Done(tuple(paths), tuple(notes))


def painted(studio: Studio, engine: PictureEngine, order: Order, progress: Progress = silent, *, again: bool = True
            ) -> tuple[list[Making], list[Making], tuple[str, ...]]:  # fmt: skip
    """The pictures of an order as assets, the originals that went in, and notes. Made before, they are not made again,
    unless `again` and the engine is one that answers otherwise every time. Raises `UserError`."""
    originals = {role: keep(studio, path) for role in ("image", "mask", "control") if (path := getattr(order, role)) is not None}
    params: dict[str, Any] = {"name": order.engine, "parents": list(originals)}
    params |= {name: value for name in SETTINGS if (value := getattr(order, name)) not in ("", None, 0)}
    params |= {"size": list(order.size)} if order.size else {}
    params |= {"loras": list(order.loras)} if order.loras else {}
    params |= {"controlnet": order.controlnet} if order.controlnet else {}
    kind = order.engine.partition(":")[0] + SUFFIX
    parents = tuple(each.asset.id for each in originals.values())
    recipes = [Recipe(kind, engine.version, engine.model, order.words, params, order.seed + at, parents) for at in range(order.count)]
    request = _request(studio, recipes[0], order.count)
    known = [making for recipe in recipes if (making := studio.find(recipe))]
    if (engine.exact or not again) and len(known) == len(recipes):
        return known, list(originals.values()), ()
    result = engine.paint(request, progress)
    mixed = "compositeWithTrainedAlgorithmicMedia" if "image" in originals else "trainedAlgorithmicMedia"
    # The creator's own pictures, cut to size, are labelled as `mofang make` labels them.
    nature = "algorithmicMedia" if kind.startswith(("collage", "folder")) else mixed

    def keeping(image: Any) -> Callable[[Path], Made]:
        # Where the eye goes: a film's camera moves there.
        focus = [round(side, 4) for side in focus_of(saliency(np.ascontiguousarray(image[..., :3])))]
        return lambda path: _saved(image, path, Made(result.credits, {"focus": focus, **result.facts, "nature": nature}))

    makings = [studio.make(recipe, ".png", keeping(image), fresh=not engine.exact)
               for recipe, image in zip(recipes, result.images, strict=True)]  # fmt: skip
    return makings, list(originals.values()), result.notes


def produce(studio: Studio, recipe: Recipe, target: Path) -> None:
    """The picture of a recipe again. Raises `UserError` if what made it is gone or another."""
    params = recipe.params
    engine = open_engine(params["name"], loras=params.get("loras", ()), controlnet=params.get("controlnet", ""), studio=studio.folder)
    try:
        if engine.model != recipe.model:
            raise UserError(f"{params['name']} is no longer what made the picture ({recipe.model[:60]}); put that back")
        result = engine.paint(_request(studio, recipe, 1))
    finally:
        engine.close()
    _saved(result.images[0], target, Made())


def arguments(recipe: Recipe, files: Any, name: str) -> list[str]:
    """The arguments of `mofang` that make a recipe's picture again."""
    params = recipe.params
    options: list[tuple[str, Any]] = [("engine", params["name"]), *((key, params[key]) for key in SETTINGS if key in params)]
    if "size" in params:
        options.append(("size", f"{int(params['size'][0])}x{int(params['size'][1])}"))
    options += [("lora", each) for each in params.get("loras", ())]
    options += [("controlnet", params["controlnet"])] if "controlnet" in params else []
    options += [(role, files[role]) for role in params["parents"]]
    flat = [text for key, value in (*options, ("seed", recipe.seed)) for text in (f"--{key}", str(value))]
    return ["image", "make", *flat, "--", str(recipe.prompt), name]


def _elsewhere(recipe: Recipe) -> Recipe:
    """The recipe with the bare name of what lies on this computer: `diffusers:/home/me/sd15` is `diffusers:sd15`."""
    kind, colon, rest = recipe.params["name"].partition(":")
    bare = Path(rest).name if kind != "openai" and _here(rest) else rest
    return replace(recipe, params={**recipe.params, "name": kind + colon + bare})


def _here(rest: str) -> bool:
    try:
        return bool(rest) and Path(rest).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False


def _request(studio: Studio, recipe: Recipe, count: int) -> Request:
    """What an engine is asked, from the recipe alone: it is the whole of a picture."""
    params = recipe.params
    given = dict(zip(params["parents"], recipe.parents, strict=True))
    image = pixels(studio, given["image"]) if "image" in given else None
    mask = None
    if "mask" in given:
        if image is None:
            raise UserError("a mask says where to paint a picture anew; give the picture with --image")
        mask = masks.from_file(studio.asset(given["mask"]).path, image.shape)
    size = (int(params["size"][0]), int(params["size"][1])) if "size" in params else None
    return Request(recipe.prompt, size=size, seed=recipe.seed, count=count, image=image, mask=mask,
                   control=pixels(studio, given["control"]) if "control" in given else None,
                   **{name: params[name] for name in SETTINGS if name in params})  # fmt: skip


def _saved(image: np.ndarray[Any, np.dtype[np.uint8]], target: Path, made: Made) -> Made:
    Image.fromarray(np.ascontiguousarray(image)).save(target, "PNG", compress_level=3)
    return made
