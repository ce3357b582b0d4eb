"""Music as sound from a jukebox, and recordings as its codec hears them: as assets and as files."""

from dataclasses import asdict, dataclass
from pathlib import Path

from mofang import trust
from mofang.apps import sounds
from mofang.apps.export import part, release
from mofang.models import own
from mofang.sound import pcm
from mofang.sound.jukebox.codec import Codec, Floats
from mofang.sound.jukebox.sample import Jukebox, Wish, sample
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.studio.library import file_hash
from mofang.studio.progress import Progress, silent

ENGINE, CODEC, VERSION = "jukebox", "jukebox-codec", "1"


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
    params = {**asdict(order.wish), "beginning": file_hash(order.beginning) if order.beginning and order.beginning.is_file() else ""}
    recipe = Recipe(ENGINE, VERSION, own.key(folder), prompt=order.wish.style, params=params, seed=order.wish.seed)
    making = studio.make(recipe, ".wav", lambda desk: _made(folder, order.wish, order.beginning, desk, progress))
    return _released(studio, making, target, f"music: {order.wish.style}")


def reconstruct_to(studio: Studio, source: Path, model: str, level: int, target: Path) -> Path:
    """Publish a recording as it comes back from the codes of one level of a codec. Raises `UserError`."""
    sounds.check(target)
    folder = own.find(model, studio.folder)
    codec = Codec.open(folder)
    if not 0 <= level < len(codec.shape.hops):
        raise UserError(f"this codec has levels 0 (fine) to {len(codec.shape.hops) - 1} (coarse), no level {level}")
    sound = pcm.read(source, codec.shape.rate, longest=1200)
    recipe = Recipe(CODEC, VERSION, own.key(folder), prompt=source.name, params={"level": level, "recording": file_hash(source)})

    def made(desk: Path) -> Made:
        pcm.write_wav(desk, codec.decode(codec.encode(sound, level), level), codec.shape.rate)
        return Made((), {"rate": codec.shape.rate, "bits_per_second": codec.shape.bits_per_second(level)})

    return _released(studio, studio.make(recipe, ".wav", made), target, f"{source.stem} (level {level})")


def produce(studio: Studio, recipe: Recipe, target: Path) -> Made:
    """The music of a recipe again. Raises `UserError` if its model is another by now, or it went on from a recording."""
    folder = own.find_again(recipe.model, studio.folder)
    params = dict(recipe.params)
    if params.pop("beginning"):
        raise UserError("this went on from a recording; make it again with the same one: mofang jukebox continue")
    return _made(folder, Wish(**params), None, target, silent)


def _made(folder: Path, wish: Wish, beginning: Path | None, target: Path, progress: Progress) -> Made:
    jukebox = Jukebox.open(folder)
    rate = jukebox.codec.shape.rate
    given = pcm.read(beginning, rate, longest=600) if beginning else None
    pcm.write_wav(target, sample(jukebox, wish, given, progress), rate)
    return Made((), {"rate": rate})


def _released(studio: Studio, making: Making, target: Path, title: str) -> Path:
    rate = int(making.made.facts["rate"])
    samples: Floats = pcm.read(making.asset.path, rate)
    claim = trust.Claim(title, parts=(part(making),), credits=making.made.credits)
    return release(studio, making, target, claim, lambda _, desk: sounds.write(desk, samples, rate))
