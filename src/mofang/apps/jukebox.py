"""Music as sound from a jukebox, as an asset and as a file."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from mofang import trust
from mofang.apps import sounds
from mofang.apps.export import nature_of, part, public, release
from mofang.apps.recordings import heard, keep
from mofang.models import own
from mofang.sound import pcm
from mofang.sound.jukebox.codec import Floats
from mofang.sound.jukebox.sample import Jukebox, Wish, sample
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.studio.credit import Credit
from mofang.studio.progress import Progress, silent
from mofang.studio.words import language

ENGINE, VERSION = "jukebox", "1"


@dataclass(frozen=True)
class Order:
    """What to make, with which model (a folder or a name), after which beginning (a recording, kept as it is)."""

    wish: Wish
    model: str
    beginning: Path | None = None


def make_to(studio: Studio, order: Order, target: Path, progress: Progress = silent) -> Path:
    """Make the music and publish it to `target`, whose suffix chooses the form. Raises `UserError`."""
    sounds.check(target)
    folder = own.find(order.model, studio.folder)
    given = {"beginning": order.beginning} if order.beginning else {}
    originals = {role: keep(studio, path) for role, path in given.items()}
    ids = tuple(each.asset.id for each in originals.values())
    params = {**asdict(order.wish), "beginning": "".join(ids), **({"parents": list(originals)} if originals else {})}
    recipe = Recipe(ENGINE, VERSION, own.key(folder), order.wish.style, params, order.wish.seed, ids)
    making = studio.make(recipe, ".wav", lambda desk: produce(studio, recipe, desk, folder, progress))
    return released(studio, making, given, target, f"music: {order.wish.style}", originals.values())


def produce(studio: Studio, recipe: Recipe, target: Path, model: Path | None = None, progress: Progress = silent) -> Made:
    """The music of a recipe, by the model of that name or the one in the folder `model`. Raises `UserError` if that is another by
    now, or a recording it went on from was not kept."""
    params = dict(recipe.params)
    params.pop("parents", None)
    if params.pop("beginning") and not recipe.parents:  # Made before recordings were kept.
        raise UserError("this went on from a recording; make it again with the same one: mofang jukebox continue")
    folder = model or own.find_again(recipe.model, studio.folder)
    jukebox = Jukebox.open(folder)
    rate = jukebox.codec.shape.rate
    given = given_to(studio, recipe, rate, 600) if recipe.parents else None
    pcm.write_wav(target, sample(jukebox, Wish(**params), given, progress), rate)
    nature = "compositeWithTrainedAlgorithmicMedia" if recipe.parents else "trainedAlgorithmicMedia"
    return Made((credit(folder),), {"rate": rate, "nature": nature})


def arguments(recipe: Recipe, files: Mapping[str, str], name: str) -> list[str]:
    """The arguments of `mofang` that make a recipe's music again."""
    told = recipe.params
    given = [files.get("beginning", "beginning.wav")] if told["beginning"] else []
    options = {"model": recipe.model.partition("@")[0], "style": told["style"], "seconds": told["seconds"], "lyrics": told["lyrics"],
               "seed": recipe.seed, "temperature": told["temperature"], "top-p": told["top_p"]}  # fmt: skip
    flat = [text for key, value in options.items() if value != "" for text in (f"--{key}", str(value))]
    return ["jukebox", "continue" if given else "sample", *flat, "--", *given, name]


def given_to(studio: Studio, recipe: Recipe, rate: int, longest: float) -> Floats:
    """The recording (n,) that a recipe's model was given, at its `rate`. Raises `UserError`."""
    sound = heard(studio, recipe.parents[0], longest)
    return pcm.resample(sound.mono(), sound.rate, rate)


def credit(folder: Path) -> Credit:
    """Whose model it is: the creator's own, on the terms of what it learned from."""
    return Credit(own.title(folder), "", str(own.read_card(folder).get("licence") or "unknown"))


def released(studio: Studio, making: Making, given: Mapping[str, Path], target: Path, title: str, originals: Iterable[Making]) -> Path:
    """Publish what a jukebox or its codec made, with the recordings it was `given` by their roles. Raises `UserError`."""
    rate = int(making.made.facts["rate"])
    samples: Floats = pcm.read(making.asset.path, rate)
    claim = trust.Claim(title, nature_of(making), language(), parts=[part(each) for each in (making, *originals)],
                        credits=making.made.credits,
                        facts={"recipe": public(making.recipe), "files": {role: path.name for role, path in given.items()},
                               "model": next((each.title for each in making.made.credits), "")})  # fmt: skip
    return release(studio, making, target, claim, lambda _, desk: sounds.write(desk, samples, rate))
