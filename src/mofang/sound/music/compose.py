"""Composing: a piece in a style, mood, scale and form, from nothing or from a beginning.

The form a piece has unless another is asked for is A A' B A'': new; again with another ending; new; again, closed on the tonic.
What returns is fed to the model as if it had written it, so its own bars answer it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mofang.models import own
from mofang.sound.music import form, tokens
from mofang.sound.music.grammar import Grammar
from mofang.sound.music.mood import MOODS, SCALES, scale_of
from mofang.sound.music.network import Network
from mofang.sound.music.score import DRUMS, GRID, Key, Metre, Note, Score, Track, key_named, metre_named
from mofang.sound.music.writing import Bar, Writer
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
    """What to compose. What is left out is the style's; `form` is said as `intro A A' B A outro` (empty: none)."""

    style: str
    bars: int = 16
    key: Key | None = None
    metre: Metre | None = None
    tempo: float | None = None
    scale: str = ""
    seed: int = 0
    temperature: float = 0.95
    top_p: float = 0.95
    form: str = form.RETURNING
    mood: str = ""


def lasting(wish: Wish, seconds: float) -> Wish:
    """The wish at about so many seconds: whole bars, and a tempo (within an eighth) that makes them fit. Raises `UserError`."""
    manner = MANNERS.get(wish.style)
    if manner is None:
        raise UserError(f"there is no style '{wish.style[:30]}'; take one of {', '.join(MANNERS)}")
    quarters, tempo = (wish.metre or manner.metre).bar / GRID, wish.tempo or manner.tempo
    bars = seconds * tempo / 60 / quarters
    for whole in (4 * round(bars / 4), round(bars)):
        fitting = whole * quarters * 60 / seconds
        if 1 <= whole <= tokens.MOST_BARS and 7 / 8 < fitting / tempo < 9 / 8:
            return replace(wish, bars=whole, tempo=fitting)
    raise UserError(f"{seconds:g} seconds at {tempo:g} are {bars:.1f} bars; ask for 1 to {tokens.MOST_BARS}, or another tempo")


def styles(folder: Path) -> list[str]:
    """The styles the model in `folder` learned."""
    return [str(style) for style in own.read_config(folder).get("styles", []) if style in MANNERS]


def compose(network: Network, known: Sequence[str], wish: Wish, given: Score | None = None) -> Score:
    """A piece of `wish.bars` bars. `given` is gone on from: its bars come first, and its key, metre and tempo hold.

    Raises `UserError` for a style the model has not learned, and for a piece longer than it can hear.
    """
    manner = manner_of(known, wish.style)
    begun: Score = outline(manner, wish, given)
    if not 1 <= wish.bars <= tokens.MOST_BARS or (given is not None and given.bars >= wish.bars):
        raise UserError(f"{wish.bars} bars cannot be composed; give more than the beginning has, and at most {tokens.MOST_BARS}")
    name = wish.scale or manner.scale
    check(name, wish.mood)
    try:
        heading = tokens.heading(begun, wish.bars, feeling=wish.mood or ("" if given else "any"), scale=name)
        plan = form.planned(wish.form, wish.bars)
    except ValueError as error:
        raise UserError(f"{error}; change it and compose again") from error
    grammar = grammar_for(begun, name, manner.chords or given is not None)
    bars = _bars(plan, wish.bars, tokens.bodies(begun) if given else [])
    writer = Writer(network, grammar, wish.temperature, wish.top_p, np.random.default_rng(wish.seed))
    return closed(replace(tokens.decode(writer.piece(heading, [], bars)), tempo=begun.tempo))


def manner_of(known: Sequence[str], style: str) -> Manner:
    """How a style goes. Raises `UserError` for one that the model has not learned."""
    if style not in known:
        raise UserError(f"the model has not learned '{style[:30]}'; it knows {', '.join(known) or 'no style'}")
    return MANNERS[style]


def grammar_for(score: Score, scale: str, chords: bool) -> Grammar:
    """The grammar of a piece with the tracks, key and metre of `score`."""
    return Grammar(score.key, score.metre, tuple(track.program for track in score.tracks), scale_of(score.key, scale), chords)


def check(scale: str, mood: str) -> None:
    """Raises `UserError` for a scale or a mood that has no word."""
    if scale not in SCALES:
        raise UserError(f"there is no scale '{scale[:30]}'; take one of {', '.join(SCALES)}")
    if mood and mood not in MOODS:
        raise UserError(f"there is no mood '{mood[:30]}'; take one of {', '.join(MOODS)}")


def _bars(plan: list[form.Section], count: int, begun: list[list[int]]) -> list[Bar]:
    """What is asked of each bar: those begun as they are, then each in its phrase, some returning."""
    phrases = form.lettered(plan, count)
    # What sounds on must not run into a bar that is already written.
    again = [None if number < len(begun) else form.returns(plan, number) for number in range(count)] + [None]
    return [Bar(number, count - number - 1, events=tuple(begun[number]) if number < len(begun) else (),
                again=again[number], section=phrases.get(number), closing=number == count - 1,
                tight=again[number + 1] is not None) for number in range(count)]  # fmt: skip


def outline(manner: Manner, wish: Wish, given: Score | None) -> Score:
    """The score before a note is written: tracks, key, metre and tempo, of the wish or else of the style; or what is given."""
    if given is not None:
        return replace(given, style=wish.style)
    tracks = tuple(Track((), program) for program in manner.programs)
    return Score(tracks, wish.key or manner.key, wish.metre or manner.metre, wish.tempo or manner.tempo, wish.style)


def closed(score: Score) -> Score:
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
                params["temperature"], params["top_p"], params["form"], params["mood"])  # fmt: skip


def facts(wish: Wish) -> dict[str, Any]:
    """The wish as JSON, for a recipe."""
    return {"style": wish.style, "bars": wish.bars, "key": wish.key.name if wish.key else "", "tempo": wish.tempo or 0.0,
            "metre": f"{wish.metre.beats}/{wish.metre.unit}" if wish.metre else "", "scale": wish.scale, "seed": wish.seed,
            "temperature": wish.temperature, "top_p": wish.top_p, "form": wish.form, "mood": wish.mood}  # fmt: skip
