"""How well a model foretells a text: bits per byte, which compare over any vocabularies, and perplexity, which do not."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.studio.progress import Progress, silent
from mofang.text.infer import Runner

LOGITS = 64 << 20
"""Bytes of logits held at a time."""
UNBOUNDED = 512
"""Tokens to a window of a network without a context of its own."""


@dataclass(frozen=True)
class Bits:
    """What a split costs under a model: `nats` in all, over its tokens (ends of documents are among them: to know where a
    text stops is part of knowing it), characters and UTF-8 bytes."""

    nats: float
    tokens: int
    characters: int
    size: int

    @property
    def per_byte(self) -> float:
        """Bits per UTF-8 byte: what a perfect coder would need with this model."""
        return self.nats / math.log(2) / max(1, self.size)

    @property
    def per_character(self) -> float:
        """Bits per character."""
        return self.nats / math.log(2) / max(1, self.characters)

    @property
    def perplexity(self) -> float:
        """Perplexity per token; comparable only between models of one vocabulary."""
        return math.exp(min(700.0, self.nats / max(1, self.tokens)))


def measure(runner: Runner[Any], tokens: NDArray[Any], end: int, *, characters: int, size: int, window: int = 0,
            stride: int = 0, progress: Progress = silent) -> Bits:  # fmt: skip
    """`Bits` of a whole stream of tokens (N,), each document of it followed by `end`.

    Every token is foretold exactly once, from the tokens before it in its window of `window` (0: the model's context); the
    first from an `end`. Windows lie side by side; with `stride` S they overlap, and a window answers only for its last S
    tokens, which then see at least `window` − S before them: slower, and fairer to short contexts.
    """
    window = window or runner.context or UNBOUNDED
    assert 1 <= window <= (runner.context or window) and 0 <= stride <= window
    stream = np.concatenate([[end], np.asarray(tokens)]).astype(np.int32)
    nats, done = 0.0, 0
    for ids, first in _windows(stream, window, stride or window, _batch(window, runner.vocab)):
        nats += float(surprisal(runner, ids)[:, first:].sum(dtype=np.float64))
        done += len(ids) * (ids.shape[1] - 1 - first)
        progress(min(1.0, done / max(1, len(tokens))), "bits")
    return Bits(nats, len(tokens), characters, size)


def frequencies(train: NDArray[Any], tokens: NDArray[Any], vocabulary: int) -> float:
    """Nats that `tokens` cost one who knows how often each token stands in `train` and nothing else (counts plus one, Laplace):
    what a model must beat to have learned anything."""
    counts = np.bincount(train, minlength=vocabulary) + 1.0
    return float(np.log(counts.sum()) * len(tokens) - np.log(counts)[tokens].sum())


def surprisal(runner: Runner[Any], ids: NDArray[np.int32]) -> NDArray[np.float64]:
    """−ln p of each token of `ids` (B, T + 1) but the first, given those before it: (B, T)."""
    state, parts = runner.start(len(ids)), []
    step = max(1, LOGITS // (4 * len(ids) * runner.vocab))
    for at in range(0, ids.shape[1] - 1, step):
        given = np.ascontiguousarray(ids[:, at : min(at + step, ids.shape[1] - 1)])
        logits = runner.feed_all(state, given)
        top = logits.max(-1)
        norm = top + np.log(np.exp(logits - top[..., None]).sum(-1, dtype=np.float64))
        wanted = np.take_along_axis(logits, ids[:, at + 1 : at + 1 + given.shape[1], None].astype(np.int64), -1)[..., 0]
        parts.append(norm - wanted)
    return np.concatenate(parts, 1) if parts else np.zeros((len(ids), 0))


def _batch(window: int, vocabulary: int) -> int:
    return max(1, min(32, LOGITS // (4 * window * vocabulary)))


def _windows(stream: NDArray[np.int32], window: int, stride: int, batch: int) -> Iterator[tuple[NDArray[np.int32], int]]:
    """Batches (B, ≤ window + 1) of a stream and from which of their predictions on they answer: each token once."""
    last = len(stream) - 1
    starts = [0, *range(stride, last - window + stride, stride)] if last > window else [0]
    rows: list[NDArray[np.int32]] = []
    for start in starts:
        piece = stream[start : start + window + 1]
        first = window - stride if start else 0
        if start == 0 or len(piece) <= window:  # a row of its own length, or its own share
            if rows:
                yield np.stack(rows), window - stride
                rows = []
            if len(piece) > 1 + first:
                yield piece[None], first
            continue
        rows.append(piece)
        if len(rows) == batch:
            yield np.stack(rows), window - stride
            rows = []
    if rows:
        yield np.stack(rows), window - stride
