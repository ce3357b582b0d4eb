"""A piece of music composed or arranged, as an asset and as a file: MIDI, MusicXML, a piano roll, or sound."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mofang import trust
from mofang.apps import scores, sounds
from mofang.apps.export import part, public, release
from mofang.models import own
from mofang.sound.music import arrange, compose, copying, lyrics, midi, musicxml, notation, roll, sing
from mofang.sound.music.network import Network
from mofang.sound.music.score import Score
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.studio.atomic import write_atomic
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
    score = replace(midi.read(making.asset.path), title=targets[0].stem)
    paths = tuple(_written(studio, making, score, target, order) for target in targets)
    facts = making.made.facts
    return Composed(paths, copying.Copied(float(facts["copied"]), int(facts["copied_longest"])))


def piece(studio: Studio, order: Order) -> Making:
    """The piece of an order as a MIDI asset, composed once; the file it goes on from is kept. Raises `UserError`."""
    folder = own.find(order.model, studio.folder)
    given = [scores.keep(studio, order.beginning).asset.id] if order.beginning else []
    params = {**compose.facts(order.wish), "beginning": "".join(given), **({"parents": ["beginning"]} if given else {}),
              **({} if order.verb == "compose" else {"verb": order.verb, "gap": list(order.gap), "lyrics": order.lyrics,
                                                      "under": order.under})}  # fmt: skip
    recipe = Recipe(ENGINE, VERSION, own.key(folder), order.wish.style, params, order.wish.seed, tuple(given))
    return studio.make(recipe, ".mid", lambda target: produce(studio, recipe, target, folder))


def produce(studio: Studio, recipe: Recipe, target: Path, model: Path | None = None) -> Made:
    """The piece of a recipe, by the model of that name or the one in the folder `model`. Raises `UserError` if that is another by
    now, or a file it went on from was not kept."""
    told = recipe.params
    if told["beginning"] and not recipe.parents:  # Composed before files were kept.
        raise UserError("the piece went on from a MIDI file; make it again with the same file: mofang music")
    folder = model or own.find_again(recipe.model, studio.folder)
    given = scores.kept(studio, told["beginning"]) if told["beginning"] else None
    first, last = told.get("gap") or (0, 0)
    order = Order(compose.wish_from(told), verb=_verb(recipe), gap=(first, last), lyrics=told.get("lyrics", ""),
                  under=told.get("under", ""))  # fmt: skip
    network, known = Network.open(folder), compose.styles(folder)
    score = VERBS[order.verb](network, known, order, given)
    copied = copying.open_index(folder).copied(score)
    midi.write(target, score)
    return Made((), {"copied": round(copied.share, 4), "copied_longest": copied.longest})


def _verb(recipe: Recipe) -> str:
    return str(recipe.params.get("verb", "compose"))


def arguments(recipe: Recipe, files: Mapping[str, str], name: str) -> list[str]:
    """The arguments of `mofang` that make a recipe's piece again."""
    told, verb = recipe.params, _verb(recipe)
    options = {"model": recipe.model.partition("@")[0], "style": told["style"], "seed": recipe.seed,
               "temperature": told["temperature"], "top-p": told["top_p"], "soundfont": files.get("soundfont"),
               **{key: told[key] or None for key in ("tempo", "scale", "mood", "key", "metre")}}  # fmt: skip
    given = files.get("beginning", "beginning.mid") if told["beginning"] else None
    if verb == "compose":
        # An empty form is a wish too: nothing returns.
        options |= {"bars": told["bars"], "form": told["form"], "continue": given}
    elif verb == "fill":
        options["bars"] = f"{told['gap'][0]}-{told['gap'][1]}"
    elif verb == "sing":
        options |= {"accompany": told["under"] or None, "melody": given}
    first = [] if verb == "compose" else [told["lyrics"]] if verb == "sing" else [given]
    flat = [text for key, value in options.items() if value is not None for text in (f"--{key}", str(value))]
    return ["music", verb, *flat, "--", *map(str, first), name]


def _facts(studio: Studio, making: Making, order: Order) -> dict[str, Any]:
    """What a file tells of how it was made, for `mofang recall`."""
    given = {"beginning": order.beginning, "soundfont": order.soundfont}
    model = own.title(own.find(order.model, studio.folder))
    return {"recipe": public(making.recipe), "files": {role: path.name for role, path in given.items() if path}, "model": model}


def _written(studio: Studio, making: Making, score: Score, target: Path, order: Order) -> Path:
    if target.suffix.lower() in sounds.SUFFIXES:
        return _played(studio, making, score, target, order)

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

    claim = trust.Claim(f"music: {making.recipe.prompt}", lang=language(), parts=(part(making),), facts=_facts(studio, making, order))
    return release(studio, making, target, claim, drawn)


def _played(studio: Studio, making: Making, score: Score, target: Path, order: Order) -> Path:
    from mofang.models.card import card
    from mofang.sound.music import band

    samples = band.play(score, order.soundfont)
    credits = (*making.made.credits, *(() if order.soundfont else (card(band.SOUNDFONT).credit,)))
    claim = trust.Claim(f"music: {making.recipe.prompt}", parts=(part(making),), credits=credits, facts=_facts(studio, making, order))
    return release(studio, making, target, claim, lambda _, desk: sounds.write(desk, samples, band.RATE))
