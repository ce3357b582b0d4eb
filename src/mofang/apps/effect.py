"""A sound effect, as an asset and as a file."""

from collections.abc import Mapping
from pathlib import Path

from mofang import trust
from mofang.apps import sounds
from mofang.apps.export import part, public, release
from mofang.apps.sound_edit import convert
from mofang.sound import pcm
from mofang.sound.effects import effect
from mofang.sound.effects.ring import RATE
from mofang.studio import Made, Making, Recipe, Studio
from mofang.studio.words import language

ENGINE, VERSION = "effect", "1"


def recipe_of(name: str, seconds: float, seed: int) -> Recipe:
    """How an effect is made."""
    return Recipe(ENGINE, VERSION, prompt=name, params={"seconds": seconds}, seed=seed)


def made(studio: Studio, recipe: Recipe) -> Making:
    """The effect of a recipe, made once. Raises `UserError`."""
    return studio.make(recipe, ".wav", lambda target: produce(recipe, target))


def produce(recipe: Recipe, target: Path) -> Made:
    """The effect of a recipe again. Raises `UserError`."""
    pcm.write_wav(target, effect(str(recipe.prompt), recipe.params["seconds"], recipe.seed), RATE, bits=24)
    # A synthesiser played by a person, as a typeset page is: nothing in it was learned from anybody's recordings, and no
    # AI made it, so that the law asks for no label; the signature and the recipe say how it came about.
    return Made(facts={"nature": "digitalCreation"})


def arguments(recipe: Recipe, files: Mapping[str, str], name: str) -> list[str]:
    """The arguments of `mofang` that make a recipe's effect again."""
    told = ["--seconds", str(recipe.params["seconds"]), "--seed", str(recipe.seed)]
    return ["sound", "effect", *told, "--", str(recipe.prompt), name]


def effect_to(studio: Studio, name: str, seconds: float, seed: int, target: Path) -> Path:
    """Make an effect and publish it to `target`, whose suffix chooses the format. Raises `UserError`."""
    sounds.check(target)
    making = made(studio, recipe_of(name, seconds, seed))
    claim = trust.Claim(f"sound effect: {name}", "digitalCreation", language(), parts=(part(making),),
                        facts={"recipe": public(making.recipe)})  # fmt: skip
    return release(studio, making, target, claim, lambda source, desk: convert(source, desk, label=False))
