"""A piece of music composed or arranged, as an asset and as a file: MIDI, MusicXML, a piano roll, or sound."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mofang import trust
from mofang.apps import sounds
from mofang.apps.export import part, public, release
from mofang.models import own
from mofang.sound.music import arrange, compose, copying, lyrics, midi, musicxml, notation, roll, sing
from mofang.sound.music.network import Network
from mofang.sound.music.score import Score
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.studio.atomic import write_atomic
from mofang.studio.library import file_hash
from mofang.studio.words import language

ENGINE, VERSION = "score", "1"
SCORES = (".mid", ".midi", ".musicxml", ".xml", ".svg", ".png")


@dataclass(frozen=True)
class Order:
    """What to compose, with which model (a folder or a name), after which beginning (a MIDI file); or what to make of that file:
    `verb` is one of `VERBS`, `gap` the first and last bar to fill, `lyrics` what is sung, with parts of the style `under` beneath."""

    wish: compose.Wish
    model: str = "score"
    beginning: Path | None = None
    soundfont: Path | None = None
    verb: str = "compose"
    gap: tuple[int, int] = (0, 0)
    lyrics: str = ""
    under: str = ""


def _sung(network: Network, known: list[str], order: Order, given: Score | None) -> Score:
    stanzas = lyrics.parse(order.lyrics)
    if given is None:
        return sing.sing(network, known, order.wish, stanzas, order.under)
    song = sing.set_to(given, stanzas)
    return sing.accompanied(network, known, order.wish, song, order.under) if order.under else song


VERBS: dict[str, Callable[[Network, list[str], Order, Any], Score]] = {
    "compose": lambda network, known, order, given: compose.compose(network, known, order.wish, given),
    "sing": _sung,
    "harmonise": lambda network, known, order, given: arrange.harmonise(network, known, order.wish, given),
    "vary": lambda network, known, order, given: arrange.vary(network, known, order.wish, replace(given, style=order.wish.style)),
    "restyle": lambda network, known, order, given: arrange.vary(network, known, order.wish, given),
    "fill": lambda network, known, order, given: arrange.fill(network, known, order.wish, given, *order.gap),
}
"""What is made, of a score that is given if it needs one."""


@dataclass(frozen=True)
class Composed:
    """The files written, and how much of the melody stands in the training scores."""

    paths: tuple[Path, ...]
    copied: copying.Copied


def compose_to(studio: Studio, order: Order, targets: tuple[Path, ...]) -> Composed:
    """Compose once and write the piece to every target, whose suffix chooses the form. Raises `UserError`."""
    for target in targets:
        if target.suffix.lower() not in (*sounds.SUFFIXES, *SCORES):
            raise UserError(f"cannot write music as '{target.suffix[:12]}'; choose one of: {', '.join((*SCORES, *sounds.SUFFIXES))}")
    making = piece(studio, order)
    score = midi.read(making.asset.path)
    paths = tuple(_written(studio, making, score, target, order) for target in targets)
    facts = making.made.facts
    return Composed(paths, copying.Copied(float(facts["copied"]), int(facts["copied_longest"])))


def piece(studio: Studio, order: Order) -> Making:
    """The piece of an order as a MIDI asset, composed once. Raises `UserError`."""
    folder = own.find(order.model, studio.folder)
    beginning = midi.read(order.beginning) if order.beginning else None
    # The weights are part of what made it; another model under the same name makes another piece.
    key = f"{folder.name}@{file_hash(folder / own.WEIGHTS)[:16]}"
    params = {**compose.facts(order.wish), "beginning": file_hash(order.beginning) if order.beginning else "",
              **({} if order.verb == "compose" else {"verb": order.verb, "gap": list(order.gap), "lyrics": order.lyrics,
                                                      "under": order.under})}  # fmt: skip
    recipe = Recipe(ENGINE, VERSION, key, prompt=order.wish.style, params=params, seed=order.wish.seed)
    return studio.make(recipe, ".mid", lambda target: _composed(folder, order, beginning, target))


def produce(studio: Studio, recipe: Recipe, target: Path) -> Made:
    """The piece of a recipe again. Raises `UserError` if its model is another by now, or it went on from a file."""
    folder = own.find_again(recipe.model, studio.folder)
    if recipe.params["beginning"]:
        raise UserError("the piece went on from a MIDI file; make it again with the same file: mofang music")
    told = recipe.params
    verb, words, under = (told.get(name, "") for name in ("verb", "lyrics", "under"))
    order = Order(compose.wish_from(told), verb=verb or "compose", lyrics=words, under=under)
    return _composed(folder, order, None, target)


def _composed(folder: Path, order: Order, given: Score | None, target: Path) -> Made:
    network, known = Network.open(folder), compose.styles(folder)
    score = VERBS[order.verb](network, known, order, given)
    copied = copying.open_index(folder).copied(score)
    midi.write(target, score)
    return Made((), {"copied": round(copied.share, 4), "copied_longest": copied.longest})


def _written(studio: Studio, making: Making, score: Score, target: Path, order: Order) -> Path:
    if target.suffix.lower() in sounds.SUFFIXES:
        return _played(studio, making, score, target, order.soundfont)

    def drawn(_: Path, desk: Path) -> None:
        if desk.suffix in (".mid", ".midi"):
            midi.write(desk, score)
        elif desk.suffix in (".musicxml", ".xml"):
            musicxml.write(desk, score)
        elif desk.suffix == ".svg":
            write_atomic(desk, notation.svg(score))
        else:
            # A picture is a piano roll unless its name says notation.
            write_atomic(desk, notation.png(score) if target.stem.endswith("notation") else roll.piano_roll(score))

    claim = trust.Claim(f"music: {score.style or making.recipe.prompt}", lang=language(), parts=(part(making),),
                        facts={"recipe": public(making.recipe)})  # fmt: skip
    return release(studio, making, target, claim, drawn)


def _played(studio: Studio, making: Making, score: Score, target: Path, soundfont: Path | None) -> Path:
    from mofang.models.card import card
    from mofang.sound.music import band

    samples = band.play(score, soundfont)
    credits = (*making.made.credits, *(() if soundfont else (card(band.SOUNDFONT).credit,)))
    claim = trust.Claim(f"music: {score.style or making.recipe.prompt}", parts=(part(making),), credits=credits)
    return release(studio, making, target, claim, lambda _, desk: sounds.write(desk, samples, band.RATE))
