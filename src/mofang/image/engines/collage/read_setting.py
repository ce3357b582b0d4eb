"""Where, when and in what weather and mood: the cues of all mentions, voted."""

from collections.abc import Iterable

from mofang.image.engines.collage.glyphs import glyphs
from mofang.image.engines.collage.read_find import Mention

ENOUGH = 0.25
"""Votes below this decide nothing."""


class Votes:
    """Votes for the values of one question; the first value to reach the highest sum wins."""

    def __init__(self) -> None:
        self._sums: dict[str, dict[str, float]] = {}

    def add(self, about: str, value: str, weight: float) -> None:
        """Count one cue."""
        sums = self._sums.setdefault(about, {})
        sums[value] = sums.get(value, 0.0) + weight

    def winner(self, about: str, prior: str | None = None, prior_weight: float = 0.0) -> str | None:
        """The value with most votes, or None; `prior` is what held before, kept unless outvoted."""
        sums = dict(self._sums.get(about, {}))
        if prior is not None:
            sums[prior] = sums.get(prior, 0.0) + prior_weight
        best = max(sums, key=lambda value: sums[value], default=None)
        return best if best is not None and sums[best] >= ENOUGH else None


def voted(found: Iterable[Mention]) -> Votes:
    """The cues of `found`, each weighed by how real its mention is. A word said twice does not vote twice."""
    votes = Votes()
    seen: set[str] = set()
    for mention in found:
        if mention.weight == 0 or mention.word in seen:
            continue
        seen.add(mention.word)
        for cue in mention.entry.cues:
            votes.add(cue.about, cue.value, cue.weight * mention.weight)
    return votes


def usual_place(hexcodes: tuple[str, ...], verse: bool) -> str:
    """Where such subjects are at home when the words name no place."""
    kinds = [glyphs()[code] for code in hexcodes]
    first = next((glyph for glyph in kinds if glyph.kind != "sky"), None)
    if first is None:
        return "sky"
    if first.subgroup == "animal-marine":
        return "underwater"
    if first.kind in {"animal", "plant"}:
        return "meadow"
    if first.kind in {"vehicle", "building"}:
        return "road" if first.kind == "vehicle" else "village"
    if first.kind == "aircraft":
        return "sky"
    return "hills" if verse else "plain"
