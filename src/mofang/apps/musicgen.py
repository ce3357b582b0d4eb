"""Music from words by a pretrained model, as an asset and as a file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from mofang import trust
from mofang.apps import sounds
from mofang.apps.export import nature_of, part, public, release
from mofang.apps.recordings import heard, keep
from mofang.models.licences import warning
from mofang.sound import pcm
from mofang.sound.edit.source import Sound, open_sound
from mofang.sound.engines import musical_words
from mofang.sound.engines.base import Samples
from mofang.sound.engines.musicgen import MusicGen, Wish, check_kind, reads
from mofang.sound.engines.transformers_files import Checkpoint, find
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.studio.credit import Credit
from mofang.studio.progress import Progress, silent
from mofang.studio.recipe import Json
from mofang.studio.words import language, say
from mofang.trust.credentials import Nature

ENGINE, VERSION = "transformers-music", "1"
PREFIX = "transformers:"


@dataclass(frozen=True)
class Order:
    """What to make, by which `engine` (`transformers:FOLDER` or `transformers:OWNER/MODEL`), after which `beginning` (a recording,
    kept as it is) and along which `melody` (a recording)."""

    wish: Wish
    engine: str
    beginning: Path | None = None
    melody: Path | None = None


@dataclass(frozen=True)
class Done:
    """The file, and what the creator should know."""

    path: Path
    notes: tuple[str, ...]


def make_to(studio: Studio, order: Order, target: Path, progress: Progress = silent) -> Done:
    """Make the music and publish it to `target`, whose suffix chooses the form. Raises `UserError`."""
    sounds.check(target)
    making, originals = made(studio, order, progress)
    recipe = making.recipe
    files = {role: path.name for role, path in _given(order).items()}
    told = replace(recipe, params={**recipe.params, "name": PREFIX + Path(place(order.engine)).name}) if _is_here(order) else recipe
    claim = trust.Claim(" ".join(order.wish.prompt.split())[:60], nature_of(making), language(), credits=making.made.credits,
                        parts=[part(each) for each in (making, *originals)],
                        facts={"recipe": public(told), "files": files})  # fmt: skip
    path = release(studio, making, target, claim, _written)
    return Done(path, notes(making))


def notes(making: Making) -> tuple[str, ...]:
    """What the creator should know: what the model was told for words that it does not read, and its terms."""
    terms = (text for credit in making.made.credits if (text := warning(credit.title, credit.licence)))
    return tuple(filter(None, (_told(making.recipe.params), *terms)))


def _told(params: Mapping[str, Json]) -> str:
    if "told" not in params:
        return ""
    lost = "、".join(params["left_out"])[:80]
    return say(f"the model reads English; it was told: {params['told']}" + (f" (left out: {lost})" if lost else ""),
               f"模型只懂英文，已译为：{params['told']}" + (f"（未译：{lost}）" if lost else ""))  # fmt: skip


def made(studio: Studio, order: Order, progress: Progress = silent) -> tuple[Making, list[Making]]:
    """The music of an order as an asset (WAV, 16 bits), made once, and the recordings that went in. Raises `UserError`."""
    order.wish.check()
    checkpoint = check(order.engine)
    originals = {role: keep(studio, path) for role, path in _given(order).items()}
    params: dict[str, Json] = {key: value for key, value in asdict(order.wish).items() if key not in ("prompt", "seed")}
    params |= {"name": order.engine, "parents": list(originals), **_english(checkpoint, order.wish.prompt)}
    recipe = Recipe(ENGINE, VERSION, checkpoint.key(), order.wish.prompt, params, order.wish.seed,
                    tuple(each.asset.id for each in originals.values()))  # fmt: skip
    making = studio.make(recipe, ".wav", lambda target: _made(studio, checkpoint, recipe, target, progress))
    return making, list(originals.values())


def _english(checkpoint: Checkpoint, prompt: str) -> dict[str, Json]:
    """What a model that reads no Chinese is told instead: in the recipe, for the table of words may grow. Raises `UserError`."""
    if not musical_words.is_chinese(prompt) or reads(checkpoint, prompt):
        return {}
    told = musical_words.in_english(prompt)
    return {"told": told.english, "left_out": list(told.left_out)}


def produce(studio: Studio, recipe: Recipe, target: Path) -> Made:
    """The music of a recipe again. Raises `UserError` if its model is another by now."""
    checkpoint = find(place(recipe.params["name"]))
    if checkpoint.key() != recipe.model:
        raise UserError(f"{checkpoint.name} is another than the one that made this ({recipe.model[:60]}); put that one back")
    return _made(studio, checkpoint, recipe, target, silent)


def check(engine: str) -> Checkpoint:
    """The checkpoint of an engine. Raises `UserError` for one that is not there, or makes no music."""
    checkpoint = find(place(engine))
    check_kind(checkpoint)
    return checkpoint


def credit(checkpoint: Checkpoint) -> Credit:
    """Whose model it is, and on what terms."""
    return Credit(checkpoint.name, "", checkpoint.licence)


def place(engine: str) -> str:
    """The folder or name of the hub in `transformers:…`. Raises `UserError` for another engine."""
    if not engine.startswith(PREFIX) or not engine.removeprefix(PREFIX).strip():
        raise UserError(f"'{engine[:40]}' is no engine for music; use {PREFIX}FOLDER or {PREFIX}facebook/musicgen-small")
    return engine.removeprefix(PREFIX).strip()


def arguments(recipe: Recipe, files: Mapping[str, str], name: str) -> list[str]:
    """The arguments of `mofang` that make a recipe's music again, from the words that the model was told."""
    params = recipe.params
    options = {"engine": params["name"], "seconds": params["seconds"], "guidance": params["guidance"],
               "temperature": params["temperature"], "top-k": params["top_k"], "seed": recipe.seed,
               **{role: files[role] for role in params["parents"]}}  # fmt: skip
    flat = [text for key, value in options.items() for text in (f"--{key}", str(value))]
    return ["music", "make", *flat, "--", str(params.get("told", recipe.prompt)), name]


def _given(order: Order) -> dict[str, Path]:
    return {role: path for role, path in (("continue", order.beginning), ("melody", order.melody)) if path is not None}


def _is_here(order: Order) -> bool:
    """Whether the engine names a folder, whose place is nobody else's business."""
    return Path(place(order.engine)).expanduser().is_dir()


def _made(studio: Studio, checkpoint: Checkpoint, recipe: Recipe, target: Path, progress: Progress) -> Made:
    params, parents = recipe.params, dict(zip(recipe.params["parents"], recipe.parents, strict=True))
    model = MusicGen(checkpoint)
    given = {role: _fitting(heard(studio, parent), model.rate, model.channels if role == "continue" else 1)
             for role, parent in parents.items()}  # fmt: skip
    words = params.get("told", recipe.prompt)
    wish = Wish(words, params["seconds"], recipe.seed, params["guidance"], params["temperature"], params["top_k"])
    samples = model.make(wish, given.get("continue"), given.get("melody"), progress)
    pcm.write_wav(target, samples, model.rate)
    nature: Nature = "compositeWithTrainedAlgorithmicMedia" if "continue" in parents else "trainedAlgorithmicMedia"
    return Made((credit(checkpoint),), {"seconds": len(samples) / model.rate, "nature": nature})


def _fitting(sound: Sound, rate: int, channels: int) -> Samples:
    """A recording (n, channels) as a model hears it."""
    samples = pcm.resample(sound.samples, sound.rate, rate)
    if channels == 1:
        return np.asarray(samples.mean(1), np.float32)
    return samples if samples.shape[1] == 2 else samples.repeat(2, 1)


def _written(source: Path, desk: Path) -> None:
    sound = open_sound(source)
    sounds.write(desk, sound.samples if sound.samples.shape[1] == 2 else sound.samples[:, 0], sound.rate)
