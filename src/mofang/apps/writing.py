"""Writing together with a model: it offers continuations, the writer takes, edits, undoes, and every step is kept.

A `Desk` is what lies on the table, without a screen: `mofang.cli.text.desk` shows it in a terminal. Each accepted step is an
asset of the studio whose parent is the step before it, so that a finished text says which words were whose.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from mofang import trust
from mofang.apps.export import part, public, release
from mofang.models import own
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.studio.atomic import write_atomic
from mofang.studio.credit import Credit
from mofang.studio.library import file_hash
from mofang.studio.recipe import Json, canonical
from mofang.text.engines import TextEngine
from mofang.text.evaluate import known
from mofang.text.language import language_of
from mofang.text.own import OwnModel
from mofang.text.sampling import Sampling
from mofang.trust.credentials import Nature

VERSION = 1
"""Of the session file."""
SUFFIXES = (".txt", ".md")
LONGEST = 4_000_000
"""Characters of a text; more is no work for a table."""


By = Literal["writer", "model"]


@dataclass(frozen=True)
class Wishes:
    """How continuations are to be: how many, at most how many tokens each, how daring. Raises `UserError`."""

    offers: int = 4
    length: int = 40
    temperature: float = 0.9
    top_p: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.offers <= 9:
            raise UserError(f"1 to 9 continuations fit on the desk, not {self.offers}")
        if not 1 <= self.length <= 4096:
            raise UserError(f"a continuation has 1 to 4096 tokens, not {self.length}")
        self.sampling()

    def sampling(self) -> Sampling:
        """The same for the model."""
        return Sampling(self.temperature, top_p=self.top_p)


class Writer(Protocol):
    """A model at the desk. `key` is name@sha256 of its weights; `engine` and `version` go into recipes."""

    key: str
    engine: str
    version: str
    credits: tuple[Credit, ...]

    def write(self, text: str, wishes: Wishes, seed: int) -> list[str]:
        """`wishes.offers` continuations of `text`; the i-th is what `seed` + i gives alone."""
        ...

    def warnings(self, text: str, start: int) -> Sequence[str]:
        """Lines of `text` beyond `start` that stand in the model's training works."""
        ...

    def unseen(self, text: str) -> int:
        """How many of the oldest tokens of `text` the model no longer sees."""
        ...


class OwnWriter:
    """A model of one's own at the desk, loaded once."""

    engine, version = "own", "1"

    def __init__(self, model: OwnModel, studio: Studio) -> None:
        card = model.card
        self.model = model
        self.key = f"{model.name}@{card.get('sha256') or file_hash(model.folder / own.WEIGHTS)}"
        name, author = str(card.get("title") or model.name), str(card.get("author") or "")
        self.credits: tuple[Credit, ...] = (Credit(name, author, str(card.get("licence") or "unknown")),)
        self._known = known(model.folder, studio.folder)

    def write(self, text: str, wishes: Wishes, seed: int) -> list[str]:
        """See `Writer`."""
        made = self.model.write(text, n=wishes.offers, max_tokens=wishes.length, sampling=wishes.sampling(), seed=seed)
        return [each.text for each in made]

    def warnings(self, text: str, start: int) -> Sequence[str]:
        """See `Writer`."""
        # What reaches back further than this is an old story.
        begin = max(0, start - 200)
        return self._known.warnings(text[begin:], start - begin) if self._known else ()

    def unseen(self, text: str) -> int:
        """See `Writer`."""
        return self.model.fit(text)[1]


class EngineWriter:
    """Any other engine at the desk. Nothing is known of the works it learned from."""

    version = "1"

    def __init__(self, name: str, engine: TextEngine, key: str, credits: tuple[Credit, ...] = ()) -> None:
        """`name` stands in recipes (`gguf`, `openai`, …), `key` is name@sha256 of the weights or the model's name."""
        self.engine, self.key, self.credits = name, key, credits
        self._engine = engine

    def write(self, text: str, wishes: Wishes, seed: int) -> list[str]:
        """See `Writer`."""
        return [self._engine.generate(text, max_tokens=wishes.length, temperature=wishes.temperature, top_p=wishes.top_p,
                                      seed=seed + at).text for at in range(wishes.offers)]  # fmt: skip

    def warnings(self, text: str, start: int) -> Sequence[str]:
        """See `Writer`."""
        return ()

    def unseen(self, text: str) -> int:
        """See `Writer`; how engines shorten a text is theirs to say."""
        return 0


@dataclass(frozen=True)
class Step:
    """An accepted step: whose words came in, and the key of the recipe of the asset that holds the text after it."""

    by: By
    recipe: str


@dataclass(frozen=True)
class Offer:
    """A continuation, the seed that writes it alone, and the lines in it that stand in the works."""

    text: str
    seed: int
    warnings: tuple[str, ...] = ()


@dataclass
class Session:
    """What is kept in the session file: all steps, which of them is on the table (undone ones come after it), what is offered
    and which seed comes next."""

    steps: list[Step] = field(default_factory=list)
    at: int = -1
    offers: list[Offer] = field(default_factory=list)
    wishes: Wishes = field(default_factory=Wishes)
    seed: int = 0


def produce(studio: Studio, recipe: Recipe, target: Path) -> None:
    """Write the text of a step's recipe to `target` again. Raises `UserError` if its model is not on a shelf any more."""
    if recipe.engine == "words":
        (text,) = recipe.prompt.values()
    else:
        assert recipe.engine == OwnWriter.engine, recipe.engine
        name, _, sha256 = recipe.model.partition("@")
        runs = [path.parent for path in (studio.folder / "runs").glob(f"*/model/{own.CARD}")]
        shelved = [*runs, *own.names(studio.folder).values()]
        folder = next((each for each in shelved if own.read_card(each).get("sha256") == sha256), None)
        if folder is None:
            raise UserError(f"the model {name} that wrote it is not in the studio any more; put it back under models/")
        wishes = Wishes(1, recipe.params["length"], recipe.params["temperature"], recipe.params["top_p"])
        text = recipe.prompt + OwnWriter(OwnModel.open(folder), studio).write(recipe.prompt, wishes, recipe.seed)[0]
    target.write_bytes(text.encode())


class Desk:
    """One text in the making. Every method that changes something has saved it when it returns; all raise `UserError`."""

    def __init__(self, studio: Studio, writer: Writer, prompt: str, wishes: Wishes | None = None, seed: int = 0,
                 fresh: bool = False) -> None:  # fmt: skip
        """Go on where an earlier desk with the same model, prompt and seed was left, or start over if `fresh`."""
        self._studio, self._writer = studio, writer
        name = hashlib.sha256(canonical([writer.key, prompt, seed]).encode("utf-8", "surrogatepass")).hexdigest()[:16]
        self.path = studio.folder / "runs" / f"desk-{name}.json"
        self.resumed = self.path.is_file() and not fresh
        self._session = _load(self.path) if self.resumed else Session(wishes=wishes or Wishes(), seed=seed)
        if self.resumed and wishes is not None:
            self._session.wishes = wishes
        self._text = self._written(self._session.steps[self._session.at]) if self.resumed else ""
        if not self._session.steps:
            self._accept(_clean(prompt), "writer", self._words({"begin": _clean(prompt)}, ()))

    # -- what is on the table ----------------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The text as it stands."""
        return self._text

    @property
    def offers(self) -> Sequence[Offer]:
        """What the model offers to go on with; empty until `again` is called."""
        return self._session.offers

    @property
    def wishes(self) -> Wishes:
        """How continuations are asked for."""
        return self._session.wishes

    @property
    def steps(self) -> Sequence[Step]:
        """The steps that led to the text as it stands."""
        return self._session.steps[: self._session.at + 1]

    @property
    def undone(self) -> int:
        """How many steps `redo` could take."""
        return len(self._session.steps) - self._session.at - 1

    @property
    def unseen(self) -> int:
        """How many of the oldest tokens the model no longer sees."""
        return self._writer.unseen(self.text)

    def offer(self, number: int) -> Offer:
        """Continuation `number`, counted from 1."""
        if not 1 <= number <= len(self.offers):
            raise UserError(f"there is no continuation {number}; choose from 1 to {len(self.offers)}" if self.offers else
                            "nothing is offered yet; ask for continuations first")  # fmt: skip
        return self.offers[number - 1]

    # -- what the writer does ----------------------------------------------------------------------------------------------

    def again(self) -> Sequence[Offer]:
        """Ask for other continuations."""
        session, text = self._session, self.text
        made = self._writer.write(text, session.wishes, session.seed)
        session.offers = [Offer(each, session.seed + at, tuple(self._writer.warnings(text + each, len(text))))
                          for at, each in enumerate(made)]  # fmt: skip
        session.seed += len(made)
        self._save()
        return session.offers

    def pick(self, number: int) -> None:
        """Take continuation `number`, counted from 1."""
        offer, before = self.offer(number), self.text
        if not offer.text:
            raise UserError("that continuation is empty: the model would end the text here; take another, or be done")
        wishes = self.wishes
        params = {"length": wishes.length, "temperature": wishes.temperature, "top_p": wishes.top_p}
        recipe = Recipe(self._writer.engine, self._writer.version, self._writer.key, before, params, offer.seed, self._parents())
        self._accept(before + offer.text, "model", recipe)

    def edit(self, text: str, number: int = 0) -> None:
        """Put `text` in place of the whole text, or, with a `number`, take that continuation as `text` has it."""
        if number:
            self.offer(number)
            # The words are the model's, changed by the writer: first one step, then the other.
            before = self.text
            self.pick(number)
            text = before + text
        if _clean(text) != self.text:
            self._accept(_clean(text), "writer", self._words({"text": _clean(text)}, self._parents()))

    def add(self, words: str) -> None:
        """Go on with words of one's own."""
        if words:
            self.edit(self.text + words)

    def replace(self, old: str, new: str) -> None:
        """Put `new` in place of the last `old`."""
        before, found, after = self.text.rpartition(old)
        if not old or not found:
            raise UserError(f"'{old[:40]}' does not stand in the text; write it exactly as it does")
        self.edit(before + new + after)

    def undo(self) -> None:
        """Back to the step before."""
        if self._session.at == 0:
            raise UserError("there is nothing to undo")
        self._move(-1)

    def redo(self) -> None:
        """The step that was undone."""
        if not self.undone:
            raise UserError("there is nothing to redo")
        self._move(1)

    def wish(self, **changes: Any) -> None:
        """Change how continuations are asked for."""
        self._session.wishes = replace(self._session.wishes, **changes)
        self._changed()

    # -- what comes of it --------------------------------------------------------------------------------------------------

    def making(self) -> Making:
        """The asset of the text as it stands, with its recipe."""
        return self._making(self.steps[-1])

    def publish(self, target: Path) -> Path:
        """Publish the text as it stands, labelled as what it is: the writer's own, or written with a model."""
        if target.suffix.lower() not in SUFFIXES:
            raise UserError(f"a text is written to a {' or '.join(SUFFIXES)} file, not '{target.suffix}'; name it {target.stem}.txt")
        if not self.text.strip():
            raise UserError("there is no text yet; take a continuation or write some words first")
        makings = [self._making(step) for step in self.steps]
        by_model = [making for making, step in zip(makings, self.steps, strict=True) if step.by == "model"]
        credits = tuple(dict.fromkeys(credit for making in by_model for credit in making.made.credits))
        claim = trust.Claim(" ".join(self.text.split())[:60], _nature(self.steps), language_of(self.text),
                            parts=[part(making) for making in makings], credits=credits,
                            facts={"steps": [{"by": step.by, **public(making.recipe)} for making, step
                                             in zip(makings, self.steps, strict=True)][-20:]})  # fmt: skip
        return release(self._studio, makings[-1], target, claim)

    # -- keeping it --------------------------------------------------------------------------------------------------------

    def _parents(self) -> tuple[str, ...]:
        return (self.making().asset.id,)

    def _words(self, prompt: Json, parents: tuple[str, ...]) -> Recipe:
        return Recipe("words", "1", prompt=prompt, parents=parents)

    def _accept(self, text: str, by: By, recipe: Recipe) -> None:
        if len(text) > LONGEST:
            raise UserError(f"the text is longer than {LONGEST:,} characters; go on in a new one")
        steps = [*self.steps, Step(by, recipe.key)]

        def produce(path: Path) -> Made:
            path.write_text(text, "utf-8", newline="")
            return Made(self._writer.credits if by == "model" else (), {"nature": _nature(steps)})

        self._studio.make(recipe, ".txt", produce)
        self._session.steps, self._session.at, self._text = steps, len(steps) - 1, text
        self._changed()

    def _move(self, by: int) -> None:
        self._text = self._written(self._session.steps[self._session.at + by])
        self._session.at += by
        self._changed()

    def _making(self, step: Step) -> Making:
        making = self._studio.made_by(step.recipe)
        if making is None:
            raise UserError(f"a step of this text is missing in {self._studio.folder}; run: mofang doctor")
        return making

    def _written(self, step: Step) -> str:
        path = self._making(step).asset.path
        try:
            return path.read_bytes().decode()
        except (OSError, ValueError) as error:
            raise UserError(f"a step of this text, {path}, cannot be read; run: mofang doctor") from error

    def _changed(self) -> None:
        self._session.offers = []
        self._save()

    def _save(self) -> None:
        write_atomic(self.path, json.dumps({"version": VERSION, **asdict(self._session)}, ensure_ascii=False) + "\n")


def _nature(steps: Sequence[Step]) -> Nature:
    """The prompt is a person's too, so what a model had a part in is a composite."""
    return "compositeWithTrainedAlgorithmicMedia" if any(step.by == "model" for step in steps) else "digitalCreation"


def _clean(text: str) -> str:
    """Text as it can be written: a terminal's broken bytes come as lone surrogates."""
    return text.encode("utf-8", "replace").decode()


def _load(path: Path) -> Session:
    try:
        value = json.loads(path.read_text("utf-8"))
        steps = [Step(step["by"], str(step["recipe"])) for step in value["steps"]]
        offers = [Offer(str(offer["text"]), int(offer["seed"]), tuple(offer["warnings"])) for offer in value["offers"]]
        session = Session(steps, int(value["at"]), offers, Wishes(**value["wishes"]), int(value["seed"]))
        known_hands = all(step.by in get_args(By) for step in steps)
        if value["version"] != VERSION or not known_hands or not 0 <= session.at < len(steps):
            raise ValueError("not a session of this version")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{path} is damaged ({error}); what was written is in the studio (mofang list), start over with --fresh"
                        ) from error
    return session
