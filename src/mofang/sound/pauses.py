"""How long a voice rests, between chunks and inside them."""

import re
from collections.abc import Sequence

import numpy as np

from mofang.sound.engines.base import Samples, Speech

# Seconds at normal speed. A listener hears the difference between a comma and a full stop by these.
COMMA, LIST, CLAUSE, DASH, STOP, ELLIPSIS, LINE, PARAGRAPH = 0.22, 0.15, 0.32, 0.35, 0.48, 0.6, 0.65, 0.9

_LENGTHS = {
    **dict.fromkeys(",，،､", COMMA),
    **dict.fromkeys("、", LIST),
    **dict.fromkeys(";；:：؛", CLAUSE),
    **dict.fromkeys("—―–", DASH),
    **dict.fromkeys(".。．｡!！?？؟۔।‽", STOP),
    **dict.fromkeys("…⋯", ELLIPSIS),
}
_CLOSING = "\"'”’」』）)】》〉]』» \t"


def rest_after(text: str) -> float:
    """The rest in seconds that the end of `text` asks for: by its last mark, its line end or its blank line.

    >>> rest_after("你好，"), rest_after("Good morning.”")
    (0.22, 0.48)
    """
    space = text[len(text.rstrip()) :]
    if breaks := len(re.findall(r"\r\n|\r|\n", space)):
        return PARAGRAPH if breaks > 1 else LINE
    marks = text.rstrip().rstrip(_CLOSING)
    if marks.endswith("..."):
        return ELLIPSIS
    return _LENGTHS.get(marks[-1:], 0.0)


LEAD, TAIL = 0.03, 0.09
"""Seconds kept before the first and after the last sound: a clipped consonant is heard, a little silence is not."""
STRAY = 0.1
"""Seconds by which a sound may begin before the model's own account of it; what is earlier is no part of the text."""
HUSH = 10 ** (-30 / 20)
"""Below this share a rest inside a sentence is one."""
FLOOR = 10 ** (-52 / 20)
"""Below this share of the loudest moment a voice model's output is its noise floor."""


def trim(said: Speech) -> Speech:
    """`said` without the silence before and after it, faded at both ends."""
    level, block = _levels(said.samples, said.rate)
    loud = np.flatnonzero(level > level.max(initial=0.0) * FLOOR)
    if not loud.size:
        return said
    start = max(0, int(loud[0]) * block - round(LEAD * said.rate))
    end = min(len(said.samples), (int(loud[-1]) + 1) * block + round(TAIL * said.rate))
    if spoken := [piece for piece in said.alignment if piece.end > piece.start]:
        # On a phrase of a word or two a model may mumble before it begins and after it ends.
        start = max(start, round((spoken[0].start - STRAY) * said.rate))
        end = min(end, round((spoken[-1].end + 3 * STRAY) * said.rate))
    samples = said.samples[start:end].copy()
    _rise(samples[: round(0.008 * said.rate)])
    _rise(samples[::-1][: round(0.02 * said.rate)])
    first, last = start / said.rate, (end - start) / said.rate
    alignment = tuple(piece.moved(lambda moment: min(max(moment - first, 0.0), last)) for piece in said.alignment)
    return Speech(samples, said.rate, alignment)


def rested(said: Speech, rests: Sequence[float]) -> Speech:
    """`said` with silence put in where a rest between two pieces is shorter than `rests` (seconds, one for each piece).

    Voice models hurry over the marks inside a sentence. The cut is made at the quietest moment of the model's own rest;
    where it made none, nothing is changed.
    """
    level, block = _levels(said.samples, said.rate)
    calm = np.convolve(level, np.ones(5) / 5, "same")
    cuts: list[tuple[int, int, int]] = []  # piece, sample, silent samples
    for at, (piece, following) in enumerate(zip(said.alignment, said.alignment[1:], strict=False)):
        gap = following.start - piece.end
        if rests[at] - gap < 0.02 or following.end == following.start:
            continue
        # Not too near the next sound: what is quietest there is the closure before a plosive, which belongs to it.
        first = max(0, int((piece.end - 0.02) * said.rate) // block)
        last = min(max(first + 1, int((following.start - 0.02) * said.rate) // block), len(calm))
        quiet = first + int(np.argmin(calm[first:last])) if first < last else last - 1
        if calm[quiet] > calm.max() * HUSH:  # the voice ran on without a rest: a hole in it would be worse than none
            continue
        cuts.append((at, quiet * block + block // 2, round((rests[at] - gap) * said.rate)))
    parts: list[Samples] = []
    start = 0
    for _, cut, silent in cuts:
        parts += [_softened(said.samples[start:cut], said.rate, bool(parts), True), np.zeros(silent, np.float32)]
        start = cut
    parts.append(_softened(said.samples[start:], said.rate, bool(parts), False))
    alignment = []
    length = sum(map(len, parts)) / said.rate
    for at, piece in enumerate(said.alignment):
        later = sum(silent for after, _, silent in cuts if after < at) / said.rate
        alignment.append(piece.moved(lambda moment, later=later: min(moment + later, length)))  # type: ignore[misc]
    return Speech(np.concatenate(parts), said.rate, tuple(alignment))


def _levels(samples: Samples, rate: int) -> tuple[Samples, int]:
    """Root mean square of blocks of 5 ms, and the samples in a block."""
    block = rate // 200
    blocks = len(samples) // block
    return np.sqrt(np.square(samples[: blocks * block].reshape(blocks, block)).mean(axis=1)), block


def _softened(samples: Samples, rate: int, start: bool, end: bool) -> Samples:
    samples, length = samples.copy(), round(0.006 * rate)
    if start:
        _rise(samples[:length])
    if end:
        _rise(samples[::-1][:length])
    return samples


def _rise(samples: Samples) -> None:
    """A raised-cosine fade in, in place, so that a cut does not click."""
    samples *= 0.5 - 0.5 * np.cos(np.pi * np.arange(len(samples)) / max(len(samples), 1), dtype=np.float32)
