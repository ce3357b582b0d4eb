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
from mofang.apps.export import part, release
from mofang.apps.write import SUFFIXES, Order, foreign_recipe, own_recipe, require_common
from mofang.models import own
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.studio.atomic import write_atomic
from mofang.studio.credit import Credit
from mofang.studio.library import file_hash
from mofang.studio.progress import Progress, silent
from mofang.studio.recipe import Json, canonical
from mofang.studio.words import say
from mofang.text.engines import TextEngine
from mofang.text.evaluate import known
from mofang.text.language import language_of
from mofang.text.own import OwnModel
from mofang.trust.credentials import Nature

VERSION = 1
"""Of the session file."""
LONGEST = 4_000_000
"""Characters of a text; more is no work for a table."""


WORDS = "words"
"""The engine of steps whose words are the writer's."""
USUAL = Order("", tokens=40, n=4)
"""How continuations are asked for if nothing else is said."""

By = Literal["writer", "model"]


class Writer(Protocol):
    """A model at the desk. `key` says which, `credits` whose it is, `about` what it is asked for beside going on with the text."""

    key: str
    about: str
    credits: tuple[Credit, ...]

    def write(self, order: Order) -> list[str]:
        """`order.n` continuations of `order.prompt`; the i-th is what `order.seed` + i gives alone. Raises `UserError`."""
        ...

    def recipe(self, order: Order) -> Recipe:
        """The recipe of the one text of an order."""
        ...

    def warnings(self, text: str, start: int) -> Sequence[str]:
        """Lines of `text` beyond `start` that stand in the model's training works."""
        ...

    def note(self, text: str) -> str:
        """What the writer should know of the text as it stands, in a line; empty for nothing."""
        ...


class OwnWriter:
    """A model of one's own at the desk, loaded once."""

    about = ""

    def __init__(self, model: OwnModel, studio: Studio, progress: Progress = silent) -> None:
        card = model.card
        self.model = model
        self.key = f"{model.name}@{file_hash(model.folder / own.WEIGHTS)}"
        name, author = str(card.get("title") or model.name), str(card.get("author") or "")
        self.credits: tuple[Credit, ...] = (Credit(name, author, str(card.get("licence") or "unknown")),)
        self._known = known(model.folder, studio.folder, progress)

    def write(self, order: Order) -> list[str]:
        """See `Writer`."""
        made = self.model.write(order.prompt, n=order.n, max_tokens=order.tokens, sampling=order.sampling(), seed=order.seed,
                                stop=order.stop, words=order.words())  # fmt: skip
        return [each.text for each in made]

    def recipe(self, order: Order) -> Recipe:
        """See `Writer`."""
        return own_recipe(self.key, self.model.folder, order)

    def warnings(self, text: str, start: int) -> Sequence[str]:
        """See `Writer`."""
        # What reaches back further than this is an old story.
        begin = max(0, start - 200)
        return self._known.warnings(text[begin:], start - begin) if self._known else ()

    def note(self, text: str) -> str:
        """See `Writer`."""
        if unseen := self.model.fit(text)[1]:
            return say(f"(the model no longer sees the first {unseen} tokens)", f"（模型已看不到最前面的 {unseen} 个词元）")
        return ""


class EngineWriter:
    """Any other engine that goes on with a text. Nothing is known of the works it learned from."""

    about = ""

    def __init__(self, name: str, engine: TextEngine) -> None:
        """`name` as `mofang text write` takes it. Raises `UserError` for a model that answers instead."""
        if engine.chats:
            raise UserError(f"{name} answers and does not go on with a text; leave -i out, or take a base model")
        self.key = name
        self.credits: tuple[Credit, ...] = (Credit(name, "", "unknown"),)
        self._engine = engine

    def write(self, order: Order) -> list[str]:
        """See `Writer`."""
        require_common(self.key, order)
        return [self._engine.generate(order.prompt, max_tokens=order.tokens, temperature=order.temperature, top_p=order.top_p,
                                      seed=order.seed + at, stop=order.stop).text for at in range(order.n)]  # fmt: skip

    def recipe(self, order: Order) -> Recipe:
        """See `Writer`."""
        return foreign_recipe(self.key, order)

    def warnings(self, text: str, start: int) -> Sequence[str]:
        """See `Writer`."""
        return ()

    def note(self, text: str) -> str:
        """See `Writer`; how engines shorten a text is theirs to say."""
        return ""


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
    """What is kept in the session file: all steps, which of them is on the table (undone ones come after it), what is offered,
    and how continuations are asked for (without a prompt; its seed is the next one)."""

    order: Order
    steps: list[Step] = field(default_factory=list)
    at: int = -1
    offers: list[Offer] = field(default_factory=list)


def produce(recipe: Recipe, target: Path) -> None:
    """Write the words of a step by the writer to `target` again."""
    (text,) = recipe.prompt.values()
    target.write_bytes(text.encode())


class Desk:
    """One text in the making. Every method that changes something has saved it when it returns; all raise `UserError`."""

    def __init__(self, studio: Studio, writer: Writer, order: Order, fresh: bool = False) -> None:
        """Begin with `order.prompt`, or, unless `fresh`, go on where an earlier desk with the same model, prompt and seed was
        left; wishes that are `USUAL` are then the earlier ones. `order.n` continuations of `order.tokens` are offered."""
        _check(order)
        self._studio, self._writer = studio, writer
        prompt, order = _clean(order.prompt), replace(order, prompt="")
        name = hashlib.sha256(canonical([writer.key, writer.about, prompt, order.seed]).encode()).hexdigest()[:16]
        self.path = studio.folder / "runs" / f"desk-{name}.json"
        self.resumed = self.path.is_file() and not fresh
        if self.resumed:
            self._session = _load(self.path)
            self._text = self._written(self._session.steps[self._session.at])
            if order != replace(USUAL, seed=order.seed):
                # What was offered under other wishes would get the wrong recipe.
                self._session.order, self._session.offers = replace(order, seed=self._session.order.seed), []
        else:
            self._session, self._text = Session(order), ""
            self._accept(prompt, "writer", self._words({"begin": prompt}, ()))

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
    def order(self) -> Order:
        """How continuations are asked for; its prompt is empty."""
        return self._session.order

    @property
    def steps(self) -> Sequence[Step]:
        """The steps that led to the text as it stands."""
        return self._session.steps[: self._session.at + 1]

    @property
    def undone(self) -> int:
        """How many steps `redo` could take."""
        return len(self._session.steps) - self._session.at - 1

    @property
    def note(self) -> str:
        """What the model has to say of the text as it stands."""
        return self._writer.note(self.text)

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
        made = self._writer.write(replace(session.order, prompt=text))
        seed = session.order.seed
        session.offers = [Offer(each, seed + at, tuple(self._writer.warnings(text + each, len(text)))) for at, each in enumerate(made)]
        session.order = replace(session.order, seed=seed + len(made))
        self._save()
        return session.offers

    def pick(self, number: int) -> None:
        """Take continuation `number`, counted from 1."""
        offer, before = self.offer(number), self.text
        if not offer.text:
            raise UserError("that continuation is empty: the model would end the text here; take another, or be done")
        recipe = self._writer.recipe(replace(self.order, prompt=before, n=1, seed=offer.seed))
        self._accept(before + offer.text, "model", replace(recipe, parents=self._parents()))

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
        order = replace(self.order, **changes)
        _check(order)
        self._session.order = order
        self._changed()

    # -- what comes of it --------------------------------------------------------------------------------------------------

    def making(self) -> Making:
        """The asset of the text as it stands, with its recipe."""
        return self._making(self.steps[-1])

    def publish(self, target: Path) -> Path:
        """Publish the text as it stands, labelled as what it is: the writer's own, or written with a model.

        The file says who took which step, not what stood in the text on the way: that is the writer's business.
        """
        if target.suffix.lower() not in SUFFIXES:
            raise UserError(f"a text is written to a {' or '.join(SUFFIXES)} file, not '{target.suffix}'; name it {target.stem}.txt")
        if not self.text.strip():
            raise UserError("there is no text yet; take a continuation or write some words first")
        makings = [self._making(step) for step in self.steps]
        by_model = [making for making, step in zip(makings, self.steps, strict=True) if step.by == "model"]
        credits = tuple(dict.fromkeys(credit for making in by_model for credit in making.made.credits))
        claim = trust.Claim(" ".join(self.text.split())[:60], _nature(self.steps), language_of(self.text),
                            parts=[part(making) for making in makings], credits=credits,
                            facts={"steps": [{"by": step.by, "model": making.recipe.model, "seed": making.recipe.seed}
                                             for making, step in zip(makings, self.steps, strict=True)]})  # fmt: skip
        return release(self._studio, makings[-1], target, claim)

    # -- keeping it --------------------------------------------------------------------------------------------------------

    def _parents(self) -> tuple[str, ...]:
        return (self.making().asset.id,)

    def _words(self, prompt: Json, parents: tuple[str, ...]) -> Recipe:
        return Recipe(WORDS, "1", prompt=prompt, parents=parents)

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


def _check(order: Order) -> None:
    if order.beams or order.form:
        raise UserError("at the desk a text is written without --beams and --form; leave them out")
    if not 1 <= order.n <= 9:
        raise UserError(f"1 to 9 continuations fit on the desk, not {order.n}")
    if not 1 <= order.tokens <= 4096:
        raise UserError(f"a continuation has 1 to 4096 tokens, not {order.tokens}")
    order.sampling()


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
        asked: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in value["order"].items()}
        order = Order(**asked)
        session = Session(order, steps, int(value["at"]), offers)
        _check(order)
        known_hands = all(step.by in get_args(By) for step in steps)
        if value["version"] != VERSION or not known_hands or not 0 <= session.at < len(steps):
            raise ValueError("not a session of this version")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{path} is damaged ({error}); what was written is in the studio (mofang list), start over with --fresh"
                        ) from error
    return session
