"""The recipe a made file carries, as the command that makes it again."""

import json
import shlex
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mofang import trust
from mofang.apps import (
    audiobook,
    compose,
    effect,
    jukebox,
    makers,
    musicgen,
    paint,
    perform,
    reconstruct,
    sound_edit,
    speak,
    stems,
)
from mofang.apps.make.voices import ENGINES as VOICES
from mofang.image.engines import ENGINES
from mofang.image.layout.template import FIELDS
from mofang.studio import Studio, UserError
from mofang.studio.given import given_file, is_there
from mofang.studio.recipe import Json, Recipe

Arguments = list[str]


@dataclass(frozen=True)
class Recalled:
    """A file's recipe, the arguments of `mofang` that make it again, and whether its signature vouches for them.

    `files` are what must be there, by its role; those the studio keeps are named where they lie. `maker` is the model that must be
    there, if one that somebody brought made the file.
    """

    recipe: Recipe
    arguments: Arguments
    signed: bool
    files: Mapping[str, str]
    maker: makers.Maker | None

    @property
    def command(self) -> str:
        """For a shell."""
        return shlex.join(["mofang", *self.arguments])


def recall(studio: Studio, path: Path, model: Path | None = None) -> Recalled:
    """What made the file, with the `model` at a place or as it is found here. Raises `UserError` for a file that carries no recipe,
    one that no single command follows, or another model than the one that made it."""
    given_file(path)
    report = trust.verify(path, studio.folder)
    lineage: Mapping[str, Any] = report.credentials.lineage if report.credentials else {}
    told = lineage.get("recipe")
    if not isinstance(told, str):
        raise UserError(f"{path.name} carries no recipe: it was made elsewhere, or what it carried was stripped by whoever sent it on")
    try:
        recipe = Recipe.from_json(json.loads(told))
        named = lineage.get("files") or {}
        # Files of one kind are told in a list, and known by their place in it.
        files = _files(studio, path, recipe, {str(at): name for at, name in enumerate(named)} if isinstance(named, list) else named)
        if recipe.engine not in COMMANDS:
            raise UserError(f"{path.name} was made by '{recipe.engine}' as part of a larger piece; see its recipe with --json")
        arguments = [str(each) for each in COMMANDS[recipe.engine](recipe, files, lineage, path.name)]
        if any(unicodedata.category(letter) == "Cc" and letter not in "\n\t" for each in arguments for letter in each):
            raise ValueError("a terminal would obey what it says")
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError) as error:
        raise UserError(f"the recipe in {path.name} makes no sense to this version ({type(error).__name__}); update Mofang") from error
    arguments, maker = makers.settle(studio, recipe, arguments, str(lineage.get("model", "")), model)
    return Recalled(recipe, arguments, report.signed, files, maker)


def _files(studio: Studio, path: Path, recipe: Recipe, named: Mapping[str, Json]) -> dict[str, str]:
    """Where each file that went in is: beside the made one, else where the studio keeps it, else by its name alone."""
    roles = recipe.params.get("parents") or (list(named) if "0" in named else ["picture"] * len(recipe.parents))
    kept = dict(zip(roles, recipe.parents, strict=False))
    found = {}
    for role, name in named.items():
        bare = Path(str(name)).name
        beside = path.parent / bare
        here = is_there(beside) and beside.is_file() and beside != path
        found[role] = str(beside) if here else _kept(studio, kept.get(role)) or bare
    for role, asset in kept.items():
        if role != "alpha" and role not in found and (place := _kept(studio, asset)):
            found[role] = place
    return found


def _kept(studio: Studio, asset: str | None) -> str:
    try:
        place = studio.asset(asset or "").path
    except UserError:
        return ""
    return str(place) if place.is_file() else ""


def _options(values: Mapping[str, Json]) -> Arguments:
    """`--name value` of each that is not empty."""
    return [text for name, value in values.items() if value not in ("", None) for text in ("--" + name.replace("_", "-"), str(value))]


def _last(*words: str) -> Arguments:
    """Words that are no options, however they begin."""
    return ["--", *words] if any(word.startswith("-") for word in words) else [*words]


def _make(recipe: Recipe, files: Mapping[str, str], lineage: Mapping[str, Any], name: str) -> Arguments:
    wide, high = recipe.params["size"]
    words = str(lineage["words"])
    options = {"size": f"{int(wide)}x{int(high)}", "style": recipe.params["style"], "seed": recipe.seed}
    return ["image", "make", *_options(options), *_last(words, name)]


def _words(recipe: Recipe) -> dict[str, Json]:
    """The words of a page. A recipe from elsewhere may have names that would be other options."""
    return {key: text for key, text in recipe.prompt.items() if key in FIELDS}


def _layout(recipe: Recipe, files: Mapping[str, str], lineage: Mapping[str, Any], name: str) -> Arguments:
    options: dict[str, Json] = {**_words(recipe), "format": recipe.params["format"], "qr": recipe.params["link"], "seed": recipe.seed,
                                "place": recipe.params.get("place", "")}  # fmt: skip
    if painted := lineage.get("paint"):
        options |= {"words": painted, "style": lineage["style"]}
    elif recipe.parents:
        options["picture"] = files.get("picture", "picture.png")
    return ["image", "layout", *_options({**options, "out": name}), *_last(str(recipe.params["template"]))]


def _edit(recipe: Recipe, files: Mapping[str, str], lineage: Mapping[str, Any], name: str) -> Arguments:
    params = recipe.params
    verb = str(params["verb"])
    known = ("method", "grow", "strength", "sigma", "blur", "size", "sensitivity", "factor", "sharpness", "mode", "key", "box")
    options: dict[str, Json] = {key: params[key] for key in known if key in params}
    if "sides" in params:
        options["sides"] = ",".join(str(int(side)) for side in params["sides"])
    if "other" in files:
        options["like" if verb == "style" else str(params["by"])] = files["other"]
    options |= {role: files[role] for role in ("mask", "model") if role in files}
    if "engine" in params:
        options["engine"] = f"{params['engine']}:{options.pop('model')}"
    return ["image", "edit", verb, *_options({**options, "seed": recipe.seed}), *_last(files["picture"], name)]


def _product(recipe: Recipe, files: Mapping[str, str], lineage: Mapping[str, Any], name: str) -> Arguments:
    params = recipe.params
    behind = params["colour"] or params["backdrop"]
    options: dict[str, Json] = {"format": params["format"], "backdrop": files["backdrop"] if behind == "picture" else behind,
                                "box": params["box"], "mask": files.get("mask", ""), "as": Path(name).suffix[1:]}  # fmt: skip
    options |= {"price" if key == "note" else key: text for key, text in _words(recipe).items()}
    shadow = [] if params["shadow"] else ["--no-shadow"]
    return ["image", "product", *_options({**options, "out": "product"}), *shadow, *_last(files["picture"])]


def _stems(recipe: Recipe, files: Mapping[str, str], lineage: Mapping[str, Any], name: str) -> Arguments:
    return ["sound", "edit", "stems", *_options({"soundfont": files.get("soundfont")}), *_last(files["score"], "stems")]


def _restyle(recipe: Recipe, files: Mapping[str, str], lineage: Mapping[str, Any], name: str) -> Arguments:
    options = {"like": files["other"], "mode": recipe.params["mode"], "strength": recipe.params["strength"], "seed": recipe.seed}
    return ["image", "edit", "style", *_options(options), *_last(files["picture"], name)]


def _performance(recipe: Recipe, files: Mapping[str, str], lineage: Mapping[str, Any], name: str) -> Arguments:
    wish = json.loads(lineage["wish"])
    casts = [text for speaker, voice in wish["cast"].items() for text in ("--cast", f"{speaker or 'narrator'}={voice}")]
    options = {"room": recipe.params["room"], "gap": wish["gap"], "speed": wish["speed"]}
    return ["speech", "perform", *casts, *_options(options), *_last(files["script"], name)]


def _audiobook(recipe: Recipe, files: Mapping[str, str], lineage: Mapping[str, Any], name: str) -> Arguments:
    options = {**json.loads(lineage["wish"]), "cover": files.get("cover")}
    return ["speech", "book", *_options(options), *_last(files["book"], name)]


Command = Callable[[Recipe, Mapping[str, str], Mapping[str, Any], str], Arguments]


def _by(arguments: Callable[[Recipe, Mapping[str, str], str], Arguments]) -> Command:
    """What an app knows itself, from the recipe and the files."""
    return lambda recipe, files, lineage, name: arguments(recipe, files, name)


COMMANDS: dict[str, Command] = {
    "collage": _make, "layout": _layout, "edit": _edit, "product": _product, "restyle": _restyle, perform.ENGINE: _performance,
    audiobook.ENGINE: _audiobook, stems.ENGINE: _stems,
    **{each.ENGINE: _by(each.arguments) for each in (musicgen, compose, jukebox, reconstruct, sound_edit, effect)},
    **{engine: _by(speak.arguments) for engine in VOICES},
    **{kind + paint.SUFFIX: _by(paint.arguments) for kind in ENGINES},
}  # fmt: skip
"""Engine → the arguments that make its asset again, from the recipe, the files, all of the lineage and the file's name."""
