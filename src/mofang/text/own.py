"""Writing with a model of one's own, without torch.

>>> model = OwnModel.open(find("poem-zh"))
>>> model.write("床前明月光，", n=3, max_tokens=24, seed=7)[0].text
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mofang.models.own import read_card
from mofang.studio.errors import UserError
from mofang.text.infer import Precision, Runner, load
from mofang.text.sampling import Constraint, History, Sampling, Stream
from mofang.text.sampling.row import Row
from mofang.text.sampling.words import WordBias
from mofang.text.tokenizer import PAD, UNK, Tokenizer

OnText = Callable[[str], None]
MOST = 256
"""Continuations or beams at once: each has a state of its own in memory."""


@dataclass(frozen=True)
class Written:
    """What was written after the prompt: its tokens, why it ended, and the mean natural log-probability of a token under
    the model's own distribution, before temperature, filters and rules."""

    text: str
    tokens: tuple[int, ...]
    finish: Literal["stop", "length"]
    logprob: float


class OwnModel:
    """A model with its tokenizer and its card, ready to write."""

    def __init__(self, folder: Path, runner: Runner[Any], tokenizer: Tokenizer, card: dict[str, Any]) -> None:
        if tokenizer.size > runner.vocab:
            raise UserError(f"{folder}: the tokenizer knows {tokenizer.size} tokens and the model {runner.vocab}; they do not "
                            "belong together")  # fmt: skip
        self.folder, self.runner, self.tokenizer, self.card = folder, runner, tokenizer, card
        # Padding and the unknown stand for no text, nor does what a network has beyond its tokenizer.
        self._never = [PAD, UNK, *range(tokenizer.size, runner.vocab)]

    @classmethod
    def open(cls, folder: Path, threads: int = 0, precision: Precision = "auto") -> "OwnModel":
        """The model in `folder` (see `mofang.models.own.find`). Raises `UserError`."""
        return cls(folder, load(folder, threads=threads, precision=precision), Tokenizer.load(folder), read_card(folder))

    @property
    def name(self) -> str:
        """What the card calls the model, else its folder's name."""
        return str(self.card.get("name") or self.folder.resolve().name)

    def fit(self, prompt: str) -> tuple[list[int], int]:
        """The prompt's tokens that the model can look back on, and how many older ones were left out.

        Documents were learned with the end token between them, so a text begins after one.
        """
        ids = [self.tokenizer.end, *self.tokenizer.encode(prompt)]
        room = self.runner.context or len(ids)
        return ids[-room:], max(0, len(ids) - room)

    def write(self, prompt: str, *, n: int = 1, max_tokens: int = 256, sampling: Sampling | None = None, seed: int = 0,
              stop: Sequence[str] = (), constraint: Callable[[], Constraint] | None = None, beams: int = 0,
              words: Mapping[str, float] | None = None, on_text: OnText | None = None) -> list[Written]:  # fmt: skip
        """`n` continuations of `prompt`. Continuation i is, to the bit, what `seed + i` writes alone.

        A prompt longer than the context keeps its newest tokens (`fit` says how many were left out); when the text
        outgrows the context, writing goes on from its newest half. With `beams` the n likeliest texts of a beam search
        come, best first, and no dice are thrown. `words` get a bias however they are cut into tokens (see `WordBias`).
        `on_text` is called with each run of whole characters of the first continuation, with beams once. Raises `UserError`.
        """
        sampling = sampling or Sampling()
        if not 1 <= n <= MOST or beams > MOST:
            raise UserError(f"a model writes 1 to {MOST} texts at once; ask for fewer and use another seed for more")
        if beams and n > beams:
            raise UserError(f"{beams} beams find at most {beams} texts; ask for fewer or use more beams")
        if not 0 <= seed < 2**63:
            raise UserError(f"a seed is a whole number from 0 to 2^63, not {seed}; give another")
        if unknown := [token for token in sampling.bias if not 0 <= token < self.runner.vocab]:
            raise UserError(f"there is no token {unknown[0]} to bias; this model has {self.runner.vocab}")
        ids, _ = self.fit(prompt)
        state = self.runner.start(1)
        logits = self.runner.feed(state, np.array([ids], np.int32))
        first = Row(
            sampling, History(sampling, (token for token in ids if token != self.tokenizer.end)),
            constraint() if constraint else None, Stream(stop, on_text), end=self.tokenizer.end,
            bytes_of=self.tokenizer.bytes_of, never=self._never, words=self._words(words, prompt),
        )  # fmt: skip
        if beams:
            found = self._search(state, logits[0], first.copy(), n, beams, max_tokens)
            if on_text:
                on_text(found[0].text)
            return found
        rows = [first, *(first.copy() for _ in range(n - 1))]
        self._draw(state, logits, rows, max_tokens, [np.random.Generator(np.random.Philox(seed + i)) for i in range(n)])
        return [_written(row) for row in rows]

    def close(self) -> None:
        """Free the weights."""
        del self.runner

    def _words(self, words: Mapping[str, float] | None, prompt: str) -> WordBias | None:
        if not words:
            return None
        if "" in words or any(math.isnan(value) or value == math.inf for value in words.values()):
            raise UserError("a bias is a word and a number, like rain=2 or rain=-inf; correct it")
        bias = WordBias(words, map(self.tokenizer.bytes_of, range(self.tokenizer.size)))
        bias.push(prompt.encode("utf-8", "replace"))
        return bias

    def _draw(self, state: Any, logits: Any, rows: list[Row], max_tokens: int, luck: list[np.random.Generator]) -> None:
        open_ = [i for i, row in enumerate(rows) if not row.finish]
        if len(rows) > 1:
            state, logits = self.runner.fork(state, np.zeros(len(open_), int)), logits.repeat(len(open_), 0)
        for step in range(max_tokens):
            if not open_:
                break
            norms = _log_sums(logits)
            own = logits.copy() if any(not rows[i].plain for i in open_) else logits
            tokens = []
            for place, i in enumerate(open_):
                token = rows[i].choose(logits[place], luck[i])
                tokens.append(token if token is not None else self.tokenizer.end)
                rows[i].take(token, 0.0 if token is None else float(own[place, token] - norms[place]))
            if step == max_tokens - 1:
                break
            going = [place for place, i in enumerate(open_) if not rows[i].finish]
            if len(going) < len(open_):
                open_ = [open_[place] for place in going]
                tokens = [tokens[place] for place in going]
                if open_:
                    state = self.runner.fork(state, np.array(going))
            if open_:
                logits = self.runner.feed(state, np.array(tokens, np.int32)[:, None])

    def _search(self, state: Any, logits: Any, row: Row, n: int, beams: int, max_tokens: int) -> list[Written]:
        from mofang.text.sampling.beams import search

        found = [row] if row.finish else search(self.runner, state, logits, row, beams=beams, n=n, max_tokens=max_tokens)
        return [_written(each) for each in found]


def _log_sums(logits: Any) -> Any:
    top = logits.max(1, keepdims=True)
    return (top + np.log(np.exp(logits - top).sum(1, keepdims=True)))[:, 0]


def _written(row: Row) -> Written:
    return Written(row.close(), tuple(row.tokens), row.finish or "length", row.logprob / max(1, len(row.tokens)))
