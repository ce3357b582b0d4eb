"""Composing: events drawn from a model under the grammar, in a form that a listener hears.

The form is A A' B A'': the first quarter is new; the second says it again with another ending; the third is new; the last
returns and closes on the tonic. What returns is fed to the model as if it had written it, so its own bars answer it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mofang.models import own
from mofang.sound.music import tokens
from mofang.sound.music.grammar import SCALES, Grammar, scale_of
from mofang.sound.music.network import Floats, Network
from mofang.sound.music.score import DRUMS, Key, Metre, Note, Score, Track, key_named, metre_named
from mofang.studio.errors import UserError


@dataclass(frozen=True)
class Manner:
    """How a style goes: the tracks' instruments, metre, tempo, key and scale it has if nobody says otherwise."""

    programs: tuple[int, ...]
    metre: Metre
    tempo: float
    key: Key
    scale: str = "western"
    chords: bool = False


MANNERS = {
    "folk-zh": Manner((73,), Metre(2, 4), 84, Key(1), "pentatonic"),
    "fiddle": Manner((40,), Metre(2, 4), 110, Key(2)),
    "irish": Manner((40,), Metre(6, 8), 110, Key(1)),
    "chorale": Manner((52, 52, 52, 52), Metre(4, 4), 80, Key(1)),
    "folk-de": Manner((73,), Metre(4, 4), 96, Key(1)),
    "ragtime": Manner((0, 0), Metre(2, 4), 90, Key(0), chords=True),
    "own": Manner((0,), Metre(4, 4), 100, Key(0), chords=True),
}


@dataclass(frozen=True)
class Wish:
    """What to compose. What is left out is the style's; `form` says whether the piece returns to its beginning."""

    style: str
    bars: int = 16
    key: Key | None = None
    metre: Metre | None = None
    tempo: float | None = None
    scale: str = ""
    seed: int = 0
    temperature: float = 0.95
    top_p: float = 0.95
    form: bool = True


def styles(folder: Path) -> list[str]:
    """The styles the model in `folder` learned."""
    return [str(style) for style in own.read_config(folder).get("styles", []) if style in MANNERS]


def compose(network: Network, known: Sequence[str], wish: Wish, given: Score | None = None) -> Score:
    """A piece of `wish.bars` bars. `given` is gone on from: its bars come first, and its key, metre and tempo hold.

    Raises `UserError` for a style the model has not learned, and for a piece longer than it can hear.
    """
    if wish.style not in known:
        raise UserError(f"the model has not learned '{wish.style[:30]}'; it knows {', '.join(known) or 'no style'}")
    manner = MANNERS[wish.style]
    begun: Score = _outline(manner, wish, given)
    if not 1 <= wish.bars <= tokens.MOST_BARS or (given is not None and given.bars >= wish.bars):
        raise UserError(f"{wish.bars} bars cannot be composed; give more than the beginning has, and at most {tokens.MOST_BARS}")
    try:
        heading = tokens.heading(begun, wish.bars)
    except ValueError as error:
        raise UserError(f"{error}; take another metre or fewer tracks") from error
    name = wish.scale or manner.scale
    if name not in SCALES:
        raise UserError(f"there is no scale '{name[:30]}'; take one of {', '.join(SCALES)}")
    chords = manner.chords or given is not None
    grammar = Grammar(begun.key, begun.metre, tuple(track.program for track in begun.tracks), scale_of(begun.key, name), chords)
    writer = _Writer(network, grammar, wish, np.random.default_rng(wish.seed))
    try:
        return _closed(replace(tokens.decode(writer.piece(heading, tokens.bodies(begun) if given else [])), tempo=begun.tempo))
    except ValueError as error:
        raise UserError(f"the piece grows longer than the model can hear ({network.context} events); ask for fewer bars") from error


def _outline(manner: Manner, wish: Wish, given: Score | None) -> Score:
    if given is not None:
        return replace(given, style=wish.style)
    tracks = tuple(Track((), program) for program in manner.programs)
    return Score(tracks, wish.key or manner.key, wish.metre or manner.metre, wish.tempo or manner.tempo, wish.style)


@dataclass
class _Writer:
    network: Network
    grammar: Grammar
    wish: Wish
    rng: np.random.Generator

    def piece(self, heading: list[int], begun: list[list[int]]) -> list[int]:
        self.network.length = 0
        self.ids: list[int] = []
        self.bar, self.position = 0, 0
        bars: list[list[int]] = []
        for event in heading:
            self.logits = self._feed(event)
        for number in range(self.wish.bars):
            again = begun[number] if number < len(begun) else self._again(number, bars)
            # What sounds on must not run into a bar that is already written.
            self.grammar.begin_bar(number == self.wish.bars - 1, tight=self._again(number + 1, [*bars, []]) is not None)
            bars.append(self._bar(again))
        return self.ids

    def _again(self, number: int, bars: list[list[int]]) -> list[int] | None:
        """The bar that returns in this place of the form, if one does: all of A but its ending."""
        quarter = self.wish.bars // 4
        if not self.wish.form or self.wish.bars % 4 or quarter < 2:
            return None
        section, place = divmod(number, quarter)
        if section not in (1, 3) or place >= quarter - max(1, quarter // 4):
            return None
        # An upbeat's rests would tear a hole in the middle: what leads back is new.
        return None if place == 0 and self._upbeat(bars[0]) else bars[place]

    def _upbeat(self, bar: list[int]) -> bool:
        """Whether nothing sounds on the first beat of a bar."""
        first = next((event for event in bar if tokens.KIND_OF[event] == "position"), None)
        return first is None or tokens.value(first) >= self.grammar.metre.beat

    def _feed(self, event: int) -> Floats:
        kind, number = tokens.KIND_OF[event], tokens.value(event)
        if kind == "bar":
            self.bar, self.position = self.bar + 1, 0
        elif kind == "position":
            self.position = number + 1
        left = min(max(0, self.wish.bars - self.bar), tokens.NEAR_END) if self.bar else tokens.NEAR_END
        self.ids.append(event)
        return self.network.feed(event, (min(self.bar, tokens.MOST_BARS), left, self.position))

    def _bar(self, again: list[int] | None) -> list[int]:
        start = len(self.ids)
        self.logits = self._feed(tokens.BAR)
        if again is not None:
            for event in again[1:]:
                self.grammar.take(event)
                self.logits = self._feed(event)
            return self.ids[start:]
        while True:
            event = self._drawn()
            if event == tokens.BAR:
                return self.ids[start:]
            self.grammar.take(event)
            self.logits = self._feed(event)

    def _drawn(self) -> int:
        """An event by nucleus sampling (Holtzman et al. 2020, arXiv 1904.09751) among those allowed."""
        logits = np.where(self.grammar.mask(), self.logits.astype(np.float64) / self.wish.temperature, -np.inf)
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        order = np.argsort(-shares, kind="stable")
        kept = order[: int(np.searchsorted(np.cumsum(shares[order]), self.wish.top_p)) + 1]
        total = np.cumsum(shares[kept])
        return int(kept[min(int(np.searchsorted(total, self.rng.random() * total[-1])), len(kept) - 1)])


def _closed(score: Score) -> Score:
    """The piece with its cadence: the last notes hold to the end of the last bar; the outer parts end on the tonic."""
    end = score.bars * score.metre.bar
    parts = [number for number, track in enumerate(score.tracks) if track.notes and track.program != DRUMS]
    tracks = list(score.tracks)
    for number in parts:
        notes = list(tracks[number].notes)
        last = max(note.start for note in notes)
        for at, note in enumerate(notes):
            if note.start == last:
                outer = number in (parts[0], parts[-1])
                pitch = _tonic(note.pitch, score.key) if outer else note.pitch
                notes[at] = Note(last, max(note.duration, end - last), pitch, note.velocity)
        tracks[number] = replace(tracks[number], notes=tuple(sorted(set(notes))))
    return replace(score, tracks=tuple(tracks))


def _tonic(pitch: int, key: Key) -> int:
    """The tonic nearest to `pitch`."""
    return pitch + (key.tonic - pitch + 6) % 12 - 6


def wish_from(params: Mapping[str, Any]) -> Wish:
    """The wish that `facts` told."""
    return Wish(params["style"], params["bars"], key_named(params["key"]) if params["key"] else None,
                metre_named(params["metre"]) if params["metre"] else None, params["tempo"] or None, params["scale"], params["seed"],
                params["temperature"], params["top_p"], params["form"])  # fmt: skip


def facts(wish: Wish) -> dict[str, Any]:
    """The wish as JSON, for a recipe."""
    return {"style": wish.style, "bars": wish.bars, "key": wish.key.name if wish.key else "", "tempo": wish.tempo or 0.0,
            "metre": f"{wish.metre.beats}/{wish.metre.unit}" if wish.metre else "", "scale": wish.scale, "seed": wish.seed,
            "temperature": wish.temperature, "top_p": wish.top_p, "form": wish.form}  # fmt: skip
