"""A recording as a jukebox's codec gives it back, as an asset and as a file."""

from collections.abc import Mapping
from pathlib import Path

from mofang.apps import sounds
from mofang.apps.jukebox import credit, given_to, released
from mofang.apps.recordings import keep
from mofang.models import own
from mofang.sound import pcm
from mofang.sound.jukebox.codec import Codec
from mofang.studio import Made, Recipe, Studio, UserError

ENGINE, VERSION = "jukebox-codec", "1"
LONGEST = 1200.0
"""Seconds of a recording."""


def reconstruct_to(studio: Studio, source: Path, model: str, level: int, target: Path) -> Path:
    """Publish a recording as it comes back from the codes of one level of a codec. Raises `UserError`."""
    sounds.check(target)
    folder = own.find(model, studio.folder)
    levels = len(Codec.open(folder).shape.hops)
    if not 0 <= level < levels:
        raise UserError(f"this codec has levels 0 (fine) to {levels - 1} (coarse), no level {level}")
    original = keep(studio, source)
    recipe = Recipe(ENGINE, VERSION, own.key(folder), source.name, {"level": level, "parents": ["recording"]},
                    parents=(original.asset.id,))  # fmt: skip
    making = studio.make(recipe, ".wav", lambda desk: produce(studio, recipe, desk, folder))
    return released(studio, making, {"recording": source}, target, f"{source.stem} (level {level})", [original])


def produce(studio: Studio, recipe: Recipe, target: Path, model: Path | None = None) -> Made:
    """The recording of a recipe given back again, by the codec of that name or the one in the folder `model`. Raises `UserError` if
    that is another by now, or the recording was not kept."""
    if not recipe.parents:  # Made before recordings were kept.
        raise UserError("this was made of a recording; make it again with the same one: mofang jukebox reconstruct")
    folder, level = model or own.find_again(recipe.model, studio.folder), int(recipe.params["level"])
    codec = Codec.open(folder)
    rate = codec.shape.rate
    pcm.write_wav(target, codec.decode(codec.encode(given_to(studio, recipe, rate, LONGEST), level), level), rate)
    facts = {"rate": rate, "bits_per_second": codec.shape.bits_per_second(level), "nature": "compositeWithTrainedAlgorithmicMedia"}
    return Made((credit(folder),), facts)


def arguments(recipe: Recipe, files: Mapping[str, str], name: str) -> list[str]:
    """The arguments of `mofang` that make a recipe's reconstruction again."""
    options = ["--model", recipe.model.partition("@")[0], "--level", str(recipe.params["level"])]
    return ["jukebox", "reconstruct", *options, "--", files["recording"], name]
