"""The passage of the works that is most like a text, copied or not.

The suffix array of `copying` is an index of every n-gram already. Each n-gram of the text votes for the passages it stands
in, the rarer the more (inverse document frequency, Spärck Jones 1972); the best few are then compared letter by letter.
"""

from dataclasses import dataclass

import numpy as np

from mofang.text.evaluate.copying import Index, Place
from mofang.text.evaluate.folding import fold
from mofang.text.language import han_count
from mofang.text.repeat import similarity

SHORTEST, LONGEST = 32, 1024
"""Letters to a passage of a longer document: as many as the text has, between these."""
COMMON = 4096
"""An n-gram that stands in more places says nothing about any."""
BEST = 16
"""Passages compared letter by letter."""


@dataclass(frozen=True)
class Near:
    """A passage of the works, and how like the text it is: 0 to 1, as `repeat.similarity` has it."""

    place: Place
    similarity: float


def nearest(index: Index, text: str) -> Near | None:
    """The passage most like `text`, None if they have no n-gram in common (2 Han characters, 6 letters of other scripts)."""
    letters, _ = fold(text)
    query = index.encode(letters)
    n = 2 if 2 * han_count(text) > len(letters) else 6
    if len(query) < n:
        return None
    grams = np.unique(np.lib.stride_tricks.sliding_window_view(query, n), axis=0)
    found = [(places, np.log(len(index.text) / len(places))) for gram in grams
             if (gram > 0).all() and 0 < len(places := index.occurrences(gram, COMMON)) <= COMMON]  # fmt: skip
    if not found:
        return None
    places = np.concatenate([places for places, _ in found])
    weights = np.repeat([weight for _, weight in found], [len(places) for places, _ in found])
    passage = min(max(len(query), SHORTEST), LONGEST)
    number = np.searchsorted(index.ends, places)
    first = np.where(number > 0, index.ends[number - 1] + 1, 0)
    # Passages overlap by half, so that none that matters is cut in two: each vote is for the two it lies in.
    half = (places - first) // (passage // 2)
    votes = np.concatenate([np.stack([number, half], 1), np.stack([number, (half - 1).clip(0)], 1)])
    passages, which = np.unique(votes, axis=0, return_inverse=True)
    score = np.bincount(which.ravel(), np.concatenate([weights, np.where(half > 0, weights, 0)]))
    best: Near | None = None
    for at in np.argsort(-score, kind="stable")[:BEST]:
        begin = (int(index.ends[passages[at, 0] - 1]) + 1 if passages[at, 0] else 0) + int(passages[at, 1]) * (passage // 2)
        length = min(passage, int(index.ends[passages[at, 0]]) - begin)
        place = index.place(begin, length)
        like = similarity(text, place.context)
        if best is None or like > best.similarity:
            best = Near(place, like)
    return best
