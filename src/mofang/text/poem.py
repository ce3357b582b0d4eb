"""Regulated verse from a title, a theme or a first line, by a model that learned its format.

A document the model learned is `七绝|title`, `七绝|#word word` or `七绝|`, a line break, then a couplet a line.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mofang.studio.errors import UserError
from mofang.text.evaluate.bits import surprisal
from mofang.text.forms.combined import Combined
from mofang.text.forms.regulated import FORMS, Form
from mofang.text.forms.tokens import FormConstraint, vocabulary_of
from mofang.text.forms.unrepeated import Unrepeated
from mofang.text.forms.verse import begun, opened
from mofang.text.language import HAN
from mofang.text.own import OwnModel
from mofang.text.sampling import Constraint, Sampling

FORM = "poem"
"""What a model's card says of its format if it writes verse this way."""

DRAFTS = 12
SAMPLING = Sampling(temperature=0.8, top_p=0.9)
ABOUT = 1.0
"""How much a draft gains from being likelier under what was asked than under nothing, against being likely at all."""

_HAN = re.compile(f"[{HAN}]+")


@dataclass(frozen=True)
class Poem:
    """A poem: its form, its title (empty for none), its couplets as they are printed, and the model's mean log-probability
    of a token."""

    form: str
    title: str
    couplets: tuple[str, ...]
    logprob: float

    @property
    def body(self) -> str:
        """The couplets, one a line."""
        return "\n".join(self.couplets)

    @property
    def text(self) -> str:
        """Title and couplets."""
        return f"{self.title}\n\n{self.body}" if self.title else self.body


@dataclass(frozen=True)
class Wish:
    """What a poem is asked to be: of a form, under a title, about key words, or going on from a first line."""

    form: Form
    title: str = ""
    words: tuple[str, ...] = ()
    line: str = ""

    @property
    def prompt(self) -> str:
        """The beginning of the document, as the model learned it."""
        about = "#" + " ".join(self.words) if self.words else self.title
        return f"{self.form.name}|{about}\n"


def wish(ask: str, form: str = "") -> Wish:
    """Read what was asked: words after `#` or with spaces between them are key words, a whole line of the form's width in Han
    characters with its mark (or a comma) is the first line, anything else a title.

    `form` is 五绝, 七绝, 五律 or 七律; without one, a first line decides its width and else it is 七绝. Raises `UserError`.
    """
    ask = " ".join(ask.split())
    if form and form not in FORMS:
        raise UserError(f"there is no form '{form[:20]}'; choose one of: {', '.join(FORMS)}")
    bare = ask.rstrip("，。,.！？!?")
    if bare != ask and _HAN.fullmatch(bare) and len(bare) in (5, 7):
        found = FORMS[form or {5: "五绝", 7: "七绝"}[len(bare)]]
        if found.width != len(bare):
            raise UserError(f"a line of {found.name} has {found.width} characters, '{bare}' has {len(bare)}; choose another form")
        return Wish(found, line=bare)
    found = FORMS[form or "七绝"]
    if ask.startswith("#") or " " in ask:
        words = tuple(word for word in re.split(r"[\s#、，,]+", ask) if word)
        return Wish(found, words=words[:4]) if words else Wish(found)
    if len(ask) > 16:
        raise UserError("a poem's title has at most 16 characters; give a shorter one, or key words with spaces between them")
    return Wish(found, title=ask)


def write_poem(model: OwnModel, ask: str, form: str = "", *, n: int = 1, drafts: int = DRAFTS, seed: int = 0,
               sampling: Sampling = SAMPLING) -> list[Poem]:  # fmt: skip
    """`n` poems, each the best of `drafts`; the i-th is what seed + i gives alone.

    Every draft keeps line lengths, rhyme and tones while it is written (`forms.verse`) and repeats no character
    (`forms.unrepeated`). The best is the likeliest, and the one that what was asked makes likelier: mean log p(poem | ask)
    plus `ABOUT` times its gain over log p(poem | nothing asked), the pointwise mutual information (Li et al. 2016,
    arXiv:1510.03055). Raises `UserError`.
    """
    asked = wish(ask, form)
    return [_best(model, asked, drafts, seed + index, sampling) for index in range(n)]


def _best(model: OwnModel, asked: Wish, drafts: int, seed: int, sampling: Sampling) -> Poem:
    given = f"{asked.line}，" if asked.line else ""
    # Drafts are far apart in seeds, so that neighbouring poems share none.
    written = model.write(asked.prompt + given, n=drafts, max_tokens=4 * (asked.form.width + 2) * asked.form.height,
                          sampling=sampling, seed=seed * 1000, constraint=rule(model, asked))  # fmt: skip
    whole = [each for each in written if each.finish == "stop"] or written
    bodies = [given + each.text.strip() for each in whole]
    likely = _mean_logprobs(model, asked.prompt, bodies)
    gain = likely - _mean_logprobs(model, f"{asked.form.name}|\n", bodies)
    best = int(np.argmax(likely + ABOUT * gain))
    title = asked.title or "·".join(asked.words)
    return Poem(asked.form.name, title, tuple(bodies[best].split("\n")), float(likely[best]))


def rule(model: OwnModel, asked: Wish) -> Callable[[], Constraint]:
    """Form, rhyme and tones, and no character twice."""
    vocabulary = vocabulary_of(model.tokenizer)
    start = opened(asked.form, vocabulary.characters)
    if asked.line:
        start = begun(start, asked.line)
    return lambda: Combined([FormConstraint(vocabulary, start), Unrepeated(vocabulary, asked.line)])


def _mean_logprobs(model: OwnModel, prompt: str, bodies: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Mean log-probability of the tokens of each body after the prompt, (bodies,)."""
    head = [model.tokenizer.end, *model.tokenizer.encode(prompt)]
    rows = [[*head, *model.tokenizer.encode(body)] for body in bodies]
    longest = max(map(len, rows))
    ids = np.array([row + [model.tokenizer.end] * (longest - len(row)) for row in rows], np.int32)
    costs = surprisal(model.runner, ids)
    return np.array([-costs[at, len(head) - 1 : len(row) - 1].mean() for at, row in enumerate(rows)])

