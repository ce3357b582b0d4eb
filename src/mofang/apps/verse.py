"""A model of regulated verse at the writing desk: it offers the next couplet, in form with what stands."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mofang.apps.write import Order, folder_of, own_recipe, refuse
from mofang.apps.writing import OwnWriter
from mofang.studio import Recipe, Studio
from mofang.studio.progress import Progress, silent
from mofang.studio.words import say
from mofang.text.forms.automaton import State, walk
from mofang.text.forms.combined import Combined
from mofang.text.forms.tokens import FormConstraint, vocabulary_of
from mofang.text.forms.unrepeated import Unrepeated
from mofang.text.forms.verse import after_lines, opened
from mofang.text.own import OwnModel
from mofang.text.poem import FORM, SAMPLING, wish
from mofang.text.sampling import Constraint, Sampling

ENGINE, VERSION = "own-verse", "1"
DRAFTS = 4
"""Drafts of a couplet; the likeliest is offered."""


def is_poet(model: OwnModel) -> bool:
    """Whether a model writes poems under a heading."""
    return dict(model.card.get("format") or {}).get("form") == FORM


class PoemWriter(OwnWriter):
    """Offers couplets that keep form, rhyme and tones with the lines before them, whoever wrote those.

    The text on the table is the title, an empty line, and the poem so far.
    """

    def __init__(self, model: OwnModel, studio: Studio, ask: str, form: str = "", progress: Progress = silent) -> None:
        """`ask` and `form` as `mofang.text.poem.wish` reads them. Raises `UserError`."""
        super().__init__(model, studio, progress)
        self._ask, self.wish = ask, wish(ask, form)
        self.about = self.wish.prompt
        self._vocabulary = vocabulary_of(model.tokenizer)

    @property
    def start(self) -> str:
        """The text before the first couplet."""
        title = self.wish.title or "·".join(self.wish.words)
        return (title + "\n\n" if title else "") + (self.wish.line + "，" if self.wish.line else "")

    def write(self, order: Order) -> list[str]:
        """See `Writer`. Under lines that break the form, what is offered is free."""
        refuse(order, ("beams", "stop", "bias", "ban", "form"), f"{self.model.name} at the desk is not told")
        body = _body(order.prompt)
        state = self.place(body)
        if state is not None and state.accepting:
            return [""] * order.n
        # After a couplet comes a line break, and the next couplet is offered with it.
        between = "\n" if body.endswith("。") else ""
        body += between
        rule = self._rule(walk(state, between), body) if state is not None else None
        sampling = SAMPLING if order.sampling() == Sampling() else order.sampling()
        form, offers = self.wish.form, []
        for at in range(order.n):
            drafts = self.model.write(self.wish.prompt + body, n=DRAFTS, max_tokens=8 * (form.width + 1), sampling=sampling,
                                      seed=(order.seed + at) % 2**50 * 1000, stop=("\n",), constraint=rule)  # fmt: skip
            offers.append(between + max(drafts, key=lambda draft: draft.logprob).text)
        return offers

    def recipe(self, order: Order) -> Recipe:
        """See `Writer`."""
        recipe = own_recipe(self.key, self.model.folder, order)
        return replace(recipe, engine=ENGINE, version=VERSION,
                       params={**recipe.params, "ask": self._ask, "form": self.wish.form.name})  # fmt: skip

    def note(self, text: str) -> str:
        """See `Writer`."""
        state = self.place(_body(text))
        name = self.wish.form.name
        if state is None:
            return say(f"(the lines do not keep {name}: what is offered is free)", f"（已有的句子不合{name}，所荐不再守律）")
        return say(f"({name}: whole)", f"（{name}已成篇）") if state.accepting else ""

    def place(self, body: str) -> State | None:
        """The place in the form after the lines so far; None if they do not keep it even in length."""
        return after_lines(opened(self.wish.form, self._vocabulary.characters), body)

    def _rule(self, state: State | None, body: str) -> Callable[[], Constraint] | None:
        if state is None:
            return None
        return lambda: Combined([FormConstraint(self._vocabulary, state), Unrepeated(self._vocabulary, body)])


def produce(studio: Studio, recipe: Recipe, target: Path) -> None:
    """Write the text of a step's recipe to `target` again. Raises `UserError` if its model is gone."""
    params = {name: value for name, value in recipe.params.items() if name != "ask"}
    order = replace(Order.of(replace(recipe, params=params)), form="")
    writer = PoemWriter(OwnModel.open(folder_of(studio, recipe)), studio, recipe.params["ask"], recipe.params["form"])
    target.write_bytes((recipe.prompt + writer.write(order)[0]).encode())


def _body(text: str) -> str:
    """The poem without its title."""
    return text.rpartition("\n\n")[2]
