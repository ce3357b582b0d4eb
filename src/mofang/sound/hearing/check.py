"""What of a text went wrong in a recording, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mofang.sound.frontend import Lang
from mofang.sound.hearing.errors import Pair, align, distance
from mofang.sound.hearing.units import Unit, units
from mofang.studio.alignment import Aligned
from mofang.studio.errors import UserError

_READINGS = str.maketrans("[]()", "    ")


@dataclass(frozen=True)
class Fault:
    """Words that should have been heard and what was heard instead (either may be empty), between which seconds."""

    start: float
    end: float
    meant: str
    heard: str


@dataclass(frozen=True)
class Checked:
    """The error rates: `sounds` by pinyin without tones (Mandarin) or by word (English), `characters` as they are written in
    Mandarin (a homophone counts), None in English. `count` units were meant; `transcript` is what was heard."""

    sounds: float
    characters: float | None
    count: int
    faults: tuple[Fault, ...]
    transcript: str

    @property
    def rate(self) -> float:
        """The rate to judge by: homophones are the recogniser's spelling, not the voice's."""
        return self.sounds


def check(text: str, heard: Sequence[Aligned], language: Lang) -> Checked:
    """Compare what a recogniser `heard` with the text that was to be said. Raises `UserError` as `wanted` does."""
    meant = wanted(text, language)
    # Brackets would be read as inline readings.
    transcript = "".join(piece.text for piece in heard).translate(_READINGS)
    got = units(transcript, language, every=True)
    pairs = align([unit.sounds for unit in meant], [unit.sounds for unit in got])
    written = None
    if language == "zh":
        written = distance([{unit.text} for unit in meant], [{unit.text} for unit in got]) / len(meant)
    wrong = [not _same(pair, meant, got) for pair in pairs]
    return Checked(sum(wrong) / len(meant), written, len(meant), tuple(_faults(pairs, wrong, meant, got, heard, language)),
                   transcript.strip())  # fmt: skip


def wanted(text: str, language: Lang) -> list[Unit]:
    """What should be heard. Raises `UserError` for a text without words, or with an inline reading that cannot be said."""
    if meant := units(text, language):
        return meant
    raise UserError("there is no word in the text that should be heard; give the words that are spoken")


def _same(pair: Pair, meant: Sequence[Unit], got: Sequence[Unit]) -> bool:
    a, b = pair
    return a is not None and b is not None and bool(meant[a].sounds & got[b].sounds)


def _faults(pairs: Sequence[Pair], wrong: Sequence[bool], meant: Sequence[Unit], got: Sequence[Unit], heard: Sequence[Aligned],
            language: Lang) -> list[Fault]:  # fmt: skip
    """Errors in a row as one, at the time of what was heard; of what was not heard, between its neighbours."""
    clock = _Clock(heard)
    found: list[Fault] = []
    held: list[Pair] = []
    before = 0.0
    for pair, is_wrong in [*zip(pairs, wrong, strict=True), ((None, None), False)]:
        if is_wrong:
            held.append(pair)
            continue
        after = before if pair[1] is None else clock.start(got[pair[1]])
        if held:
            instead = [got[b] for _, b in held if b is not None]
            start, end = (clock.start(instead[0]), clock.end(instead[-1])) if instead else (before, max(before, after))
            found.append(Fault(start, end, _words([meant[a] for a, _ in held if a is not None], language), _words(instead, language)))
            held = []
        before = before if pair[1] is None else clock.end(got[pair[1]])
    return found


def _words(of: Sequence[Unit], language: Lang) -> str:
    return (" " if language == "en" else "").join(unit.text for unit in of)


class _Clock:
    """When characters of a transcript are heard: evenly within each of its pieces, of which spaces take no time."""

    def __init__(self, heard: Sequence[Aligned]) -> None:
        self._times: list[tuple[float, float]] = []
        for piece in heard:
            edges = np.concatenate(([0], np.cumsum([not character.isspace() for character in piece.text])))
            edges = piece.start + (piece.end - piece.start) * edges / max(edges[-1], 1)
            self._times += pairwise(edges.tolist())

    def start(self, unit: Unit) -> float:
        return self._times[unit.start][0]

    def end(self, unit: Unit) -> float:
        return self._times[max(unit.end - 1, unit.start)][1]
