"""Music from music: parts under a melody, a gap filled, a variation, the same tune in another style."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mofang.sound.music import form, tasks, tokens
from mofang.sound.music.compose import MANNERS, Wish, check, closed, grammar_for, manner_of
from mofang.sound.music.grammar import triad_of
from mofang.sound.music.mood import mood, scale_name
from mofang.sound.music.network import Network
from mofang.sound.music.score import DRUMS, Metre, Note, Score, Track
from mofang.sound.music.writing import Bar, Writer
from mofang.studio.errors import UserError

NEARBY = 16
"""Bars on each side of a gap that are heard."""


def harmonise(network: Network, known: Sequence[str], wish: Wish, given: Score) -> Score:
    """`given`'s melody, note for note, with the other parts of `wish.style` under it.

    Raises `UserError` for a style of one part, or a melody that is too long or has no notes.
    """
    manner = manner_of(known, wish.style)
    if len(manner.programs) < 2:
        several = [style for style in known if len(MANNERS[style].programs) > 1]
        raise UserError(f"'{wish.style}' has one part, so nothing goes under a melody; take {' or '.join(several) or 'another model'}")
    tune = lead(given)
    score = replace(tune, tracks=(tune.tracks[0], *(Track((), program) for program in manner.programs[1:])), style=wish.style,
                    tempo=wish.tempo or given.tempo)  # fmt: skip
    voices = replace(score, tracks=(Track((), manner.programs[0]), *score.tracks[1:]))
    fixed: list[dict[int, tuple[int, int]]] = [{} for _ in range(score.bars)]
    for note in tune.tracks[0].notes:
        bar, position = divmod(note.start, score.metre.bar)
        fixed[bar][position] = (note.pitch, min(note.duration, tokens.LONGEST))
    phrases = form.sections(score)
    home = triad_of(score.key)
    last = score.bars - 1
    bars = [Bar(number, last - number, section=phrases.get(number), fixed=notes, tight=number == last,
                closing=number == last and {pitch % 12 for pitch, _ in notes.values()} <= home)
            for number, notes in enumerate(fixed)]  # fmt: skip
    prompt = tasks.given(tokens.bodies(tune, analysed=False), 0, score.bars)
    made = _written(network, wish, voices, "harmonise", mood(tune), wish.scale or "western", prompt, bars, manner.chords)
    return replace(made, tracks=(replace(made.tracks[0], notes=tune.tracks[0].notes), *made.tracks[1:]), title=given.title)


def fill(network: Network, known: Sequence[str], wish: Wish, given: Score, first: int, last: int) -> Score:
    """`given` with its bars `first` … `last` (from 1) made anew to join what stands before and after them.

    Raises `UserError` for bars that are not in the piece or leave nothing around them.
    """
    manner_of(known, wish.style)
    if not 1 <= first <= last <= given.bars or last - first + 1 >= given.bars:
        raise UserError(f"bars {first}-{last} are no gap in a piece of {given.bars} bars; give bars that lie within it")
    whole, bar = _short(replace(given, style=wish.style)), given.metre.bar
    begin, end = (first - 1) * bar, last * bar
    around = replace(whole, tracks=tuple(replace(track, notes=tuple(note for note in track.notes if not begin <= note.start < end))
                                         for track in whole.tracks))  # fmt: skip
    if not any(track.notes for track in around.tracks):
        raise UserError(f"there are no notes outside bars {first}-{last}; give a smaller gap")
    bodies = tokens.bodies(around)
    bodies += [[tokens.BAR]] * (given.bars - len(bodies))
    heard = [*range(max(0, first - 1 - NEARBY), first - 1), *range(last, min(given.bars, last + NEARBY))]
    prompt = [sequence for number in heard for sequence in tasks.given([bodies[number]], number, given.bars)]
    phrases = form.sections(around)
    bars = [Bar(number, last - 1 - number, section=phrases.get(number), tight=number == last - 1) for number in range(first - 1, last)]
    sounding = {number: max((note.end - begin for note in track.notes if note.start < begin), default=0)
                for number, track in enumerate(around.tracks)}  # fmt: skip
    made = _written(network, wish, replace(whole, tracks=around.tracks), "fill", mood(around), wish.scale or scale_name(around),
                    prompt, bars, _has_chords(given), sounding)  # fmt: skip
    tracks = []
    for number, track in enumerate(around.tracks):
        new = [note._replace(start=note.start + begin) for note in made.tracks[number].notes]
        tracks.append(replace(track, notes=tuple(sorted([*track.notes, *new]))))
    return replace(whole, tracks=tuple(tracks))


def vary(network: Network, known: Sequence[str], wish: Wish, given: Score) -> Score:
    """The piece again in `wish.style`: its melody's notes on the beats are kept, what happens between them is new.

    In another style the metre and tempo are that style's, beat for beat, and a style of several parts harmonises the outline.
    Raises `UserError`.
    """
    manner = manner_of(known, wish.style)
    tune = lead(given)
    skeleton = tasks.outline(replace(tune, style=wish.style))
    if not skeleton.tracks[0].notes:
        raise UserError("the melody has no note on any beat; give one that has")
    if wish.metre or wish.style != given.style:
        skeleton = _in_metre(skeleton, wish.metre or manner.metre)
        skeleton = replace(skeleton, tempo=manner.tempo)
    skeleton = _short(replace(skeleton, tempo=wish.tempo or skeleton.tempo, title=given.title))
    if len(manner.programs) > 1:
        return harmonise(network, known, wish, skeleton)
    anchors: list[dict[int, tuple[int, int]]] = [{} for _ in range(skeleton.bars)]
    for note in skeleton.tracks[0].notes:
        bar, position = divmod(note.start, skeleton.metre.bar)
        anchors[bar][position] = (note.pitch, 0)
    phrases, last = form.sections(skeleton), skeleton.bars - 1
    bars = [Bar(number, last - number, section=phrases.get(number), fixed=notes, free=True, tight=True)
            for number, notes in enumerate(anchors)]  # fmt: skip
    voice = replace(skeleton, tracks=(Track((), manner.programs[0]),))
    prompt = tasks.given(tokens.bodies(skeleton, analysed=False), 0, skeleton.bars)
    scale = wish.scale or scale_name(tune)
    made = _written(network, wish, voice, "outline", wish.mood or "any", scale, prompt, bars, False)
    return replace(closed(made), title=given.title)


def _written(network: Network, wish: Wish, score: Score, task: str, feeling: str, scale: str, prompt: list[tasks.Sequence],
             bars: list[Bar], chords: bool, sounding: dict[int, int] | None = None) -> Score:  # fmt: skip
    """The bars that the model writes for `score`'s tracks; the first of them is bar 0 of what is returned."""
    check(scale, wish.mood)
    try:
        heading = tokens.heading(score, max(score.bars, bars[-1].number + 1), task=task, feeling=wish.mood or feeling, scale=scale)
    except ValueError as error:
        raise UserError(f"{error}; change it and try again") from error
    grammar = grammar_for(score, scale, chords)
    for track, end in (sounding or {}).items():
        # The grammar carries what sounds on over the bar line that is about to be crossed.
        grammar.free[track] = end + score.metre.bar
    writer = Writer(network, grammar, wish.temperature, wish.top_p, np.random.default_rng(wish.seed))
    made = tokens.decode(writer.piece(heading, tasks.marked(prompt), bars))
    return replace(made, tempo=score.tempo, title=score.title)


def lead(given: Score) -> Score:
    """The melody of a score, one note at a time. Raises `UserError` if it has none or is too long."""
    tune = tasks.melody(_short(given))
    notes = tune.tracks[0].notes if tune.tracks else ()
    if not notes or tune.tracks[0].program == DRUMS:
        raise UserError("the file has no melody: no notes but drums'; give one with a tune")
    ends = [note.start for note in notes[1:]] + [notes[-1].end]
    single = tuple(note._replace(duration=min(note.end, end) - note.start) for note, end in zip(notes, ends, strict=True))
    return replace(tune, tracks=(replace(tune.tracks[0], notes=single),))


def _short(given: Score) -> Score:
    if given.bars > tokens.MOST_BARS:
        raise UserError(f"the piece has {given.bars} bars; {tokens.MOST_BARS} are arranged at most: cut it into parts")
    return given


def _has_chords(score: Score) -> bool:
    """Whether some track plays more than one note at a time."""
    return any(a.end > b.start for track in score.tracks for a, b in zip(track.notes, track.notes[1:], strict=False))


def _in_metre(score: Score, metre: Metre) -> Score:
    """The score with each of its beats laid on one of `metre`'s."""
    def laid(step: int) -> int:
        beats, rest = divmod(step, score.metre.beat)
        return beats * metre.beat + round(rest * metre.beat / score.metre.beat)

    def moved(note: Note) -> Note:
        return note._replace(start=laid(note.start), duration=max(1, laid(note.end) - laid(note.start)))

    return replace(score, tracks=tuple(replace(track, notes=tuple(map(moved, track.notes))) for track in score.tracks), metre=metre)
