"""What a model has learned by heart: a secret in its training text, and the endings of its training texts.

Carlini et al., The Secret Sharer (USENIX Security 2019, arXiv:1802.08232): plant a sentence with a random secret, or take one
that should not have been in the works, and see how low its secret ranks among all that could stand in its place.
Carlini et al., Quantifying Memorization (ICLR 2023, arXiv:2202.07646): give the beginning of a training text and see whether the
likeliest continuation is the true one.
"""

import math
import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.studio.errors import UserError
from mofang.text.evaluate.bits import surprisal
from mofang.text.language import is_han
from mofang.text.own import OwnModel
from mofang.text.sampling import Sampling

ALTERNATIVES = 1000
_SECRET = re.compile(r"\[([^\[\]]+)\]")
_ALPHABETS = (string.digits, string.ascii_lowercase, string.ascii_uppercase)


@dataclass(frozen=True)
class Exposure:
    """`bits` = log₂ of the number of secrets that could be − log₂ of the rank of this one, among all of them if `exact`, else
    among `compared`: a secret that ranks first among n alternatives has *at least* log₂(n + 1) bits. 1 is chance. `said`:
    given what comes before the secret, the model's likeliest words are the secret."""

    canary: str
    rank: int
    compared: int
    bits: float
    exact: bool
    said: bool

    @property
    def most(self) -> float:
        """The most bits this comparison can show."""
        return math.log2(self.compared + 1)


def exposure(model: OwnModel, canary: str, alternatives: int = ALTERNATIVES, seed: int = 0) -> Exposure:
    """How exposed the secret of `canary` is.

    The secret stands in brackets, or is every digit: "my number is [83120]". What could stand in its place is the same with
    each digit, letter or Han character another of its kind (of those the model knows). Up to `alternatives` of them are drawn;
    if there are no more than that, all are compared. Raises `UserError` for a canary without a secret or too long for the model.
    """
    before, kinds, secret, after = _parsed(canary, model)
    room = math.prod(len(kind) for kind in kinds) - 1
    exact = room <= alternatives
    others = list(_every(kinds, secret) if exact else _drawn(kinds, secret, alternatives, seed))
    losses = _losses(model, [before + each + after for each in (secret, *others)])
    rank = 1 + int((losses[1:] < losses[0]).sum())
    likeliest = model.write(before, max_tokens=len(model.tokenizer.encode(secret)) + 1, sampling=Sampling(temperature=0))[0].text
    bits = math.log2(len(others) + 1) - math.log2(rank)
    return Exposure(before + secret + after, rank, len(others), bits, exact, likeliest.startswith(secret))


def _parsed(canary: str, model: OwnModel) -> tuple[str, list[str], str, str]:
    if found := _SECRET.search(canary):
        before, secret, after = canary[: found.start()], found[1], canary[found.end() :]
    elif found := re.search(r"\d.*\d|\d", canary, re.DOTALL):
        before, secret, after = canary[: found.start()], found[0], canary[found.end() :]
    else:
        raise UserError(f"'{canary[:40]}' has no secret to rank; put it in brackets: my word is [peony]")
    han = "".join(sorted({character for token in range(model.tokenizer.size)
                          if is_han(character := model.tokenizer.bytes_of(token).decode("utf-8", "replace"))}))  # fmt: skip
    kinds = [next((kind for kind in (*_ALPHABETS, han) if character in kind), character) for character in secret]
    if all(len(kind) == 1 for kind in kinds):
        raise UserError(f"nothing could stand in the place of '{secret[:40]}'; a secret is of digits, letters or Chinese characters")
    return before, kinds, secret, after


def _every(kinds: Sequence[str], secret: str) -> Iterator[str]:
    return (word for each in product(*kinds) if (word := "".join(each)) != secret)


def _drawn(kinds: Sequence[str], secret: str, count: int, seed: int) -> Iterator[str]:
    rng, seen = np.random.default_rng(seed), {secret}
    while len(seen) <= count:
        word = "".join(kind[int(rng.integers(len(kind)))] for kind in kinds)
        if word not in seen:
            seen.add(word)
            yield word


def _losses(model: OwnModel, texts: Sequence[str]) -> NDArray[np.float64]:
    """−ln p of each text, after the end of another; texts of equal numbers of tokens go together."""
    losses = np.zeros(len(texts))
    rows = [[model.tokenizer.end, *model.tokenizer.encode(text)] for text in texts]
    longest = max(map(len, rows))
    if longest - 1 > (model.runner.context or longest):
        raise UserError(f"the canary is {longest - 1} tokens long and the model sees {model.runner.context}; shorten it")
    for length in sorted({len(row) for row in rows}):
        same = [at for at, row in enumerate(rows) if len(row) == length]
        for start in range(0, len(same), 64):
            part = same[start : start + 64]
            losses[part] = surprisal(model.runner, np.array([rows[at] for at in part], np.int32)).sum(1)
    return losses


@dataclass(frozen=True)
class Recall:
    """Of `texts` documents: the share whose next tokens the model says exactly, and how many it says right before it errs."""

    texts: int
    exact: float
    prefix: float


def recall(model: OwnModel, documents: Sequence[NDArray[Any]], prompt: int = 32, ahead: int = 32) -> Recall:
    """Give the model the first tokens of each document and take its likeliest continuation.

    `documents` are token ids. `prompt` tokens are given and `ahead` asked for, half of the document each if it is shorter;
    documents of fewer than 16 tokens are passed over. `prefix` is the mean number of right tokens from the first on.
    """
    room = model.runner.context or prompt + ahead + 1
    prompt, ahead = min(prompt, (room - 1) // 2), min(ahead, (room - 1) // 2)
    exact, right, count = 0, 0, 0
    for document in documents:
        given = min(prompt, len(document) // 2)
        wanted = np.asarray(document[given : given + ahead]).astype(np.int32)
        if len(document) < 16 or not len(wanted):
            continue
        said = _greedy(model, [model.tokenizer.end, *np.asarray(document[:given]).tolist()], wanted)
        exact, right, count = exact + (said == len(wanted)), right + said, count + 1
    return Recall(count, exact / max(1, count), right / max(1, count))


def _greedy(model: OwnModel, ids: list[int], wanted: NDArray[np.int32]) -> int:
    """How many tokens of `wanted` are the likeliest in turn, from the first on: one pass, since all before are given."""
    state = model.runner.start(1)
    row = np.array([[*ids, *wanted[:-1]]], np.int32)
    likeliest = model.runner.feed_all(state, row)[0, len(ids) - 1 :].argmax(-1)
    wrong = np.flatnonzero(likeliest != wanted)
    return int(wrong[0]) if len(wrong) else len(wanted)
