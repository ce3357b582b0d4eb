"""Songs: lyrics set syllable by syllable, one note each, to a tune of the model's or to one that is given.

Each line is a phrase of whole bars. Its rhythm is the cheapest that puts stressed syllables and beginnings of words on beats,
keeps notes even and lets the last one ring; its pitches and chords are the model's. Between two Chinese characters the tune
rather does not fall where the tones rise (Wee 2007, Unraveling the relation between Mandarin tones and musical melody).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mofang.sound.music import arrange, compose, form, tokens
from mofang.sound.music.lyrics import Line, Syllable
from mofang.sound.music.network import Network
from mofang.sound.music.score import Lyric, Metre, Score, Track
from mofang.sound.music.writing import Bar, Writer
from mofang.studio.errors import UserError

VOICE = 52
"""General MIDI's choir."""
UNIT = 6
"""Grid steps of the shortest note: an eighth."""
AGAINST = 2.0
"""Nats by which a step against the tones is less likely."""
FIRST, LAST = 57, 79
"""The range of an untrained voice: A3 to G5."""


@dataclass(frozen=True)
class Phrase:
    """A line over `bars` bars from number `first` on; `places` are (start in steps of the phrase, duration)."""

    line: Line
    first: int
    bars: int
    places: tuple[tuple[int, int], ...]


def sing(network: Network, known: Sequence[str], wish: compose.Wish, stanzas: list[list[Line]], under: str = "") -> Score:
    """A song in `wish.style`, with parts of the style `under` beneath it if one is given. Later stanzas have the tune of the first
    wherever their lines are as long. Raises `UserError` for lyrics that are too long.
    """
    manner = compose.manner_of(known, wish.style)
    outline = compose.outline(replace(manner, programs=(VOICE,)), wish, None)
    phrases = laid(stanzas, outline.metre)
    count = phrases[-1].first + phrases[-1].bars
    if count > tokens.MOST_BARS:
        raise UserError(f"the lyrics take {count} bars; {tokens.MOST_BARS} are sung at most: sing fewer lines at a time")
    scale = wish.scale or manner.scale
    compose.check(scale, wish.mood)
    try:
        heading = tokens.heading(outline, count, feeling=wish.mood or "any", scale=scale)
    except ValueError as error:
        raise UserError(f"{error}; change it and sing again") from error
    grammar = compose.grammar_for(outline, scale, False)
    writer = _Singer(network, grammar, wish.temperature, wish.top_p, np.random.default_rng(wish.seed))
    writer.targets = {at: target for phrase in phrases for at, target in _targets(phrase, outline.metre).items()}
    made = tokens.decode(writer.piece(heading, [], _bars(phrases, stanzas, outline.metre)))
    song = compose.closed(replace(made, tempo=outline.tempo))
    song = _worded(song, [syllable for phrase in phrases for syllable in phrase.line])
    return accompanied(network, known, wish, song, under) if under else song


def set_to(score: Score, stanzas: list[list[Line]]) -> Score:
    """`score`'s melody with the lyrics, one syllable a note in order. Raises `UserError` if they are longer than the melody."""
    lead = arrange.lead(score)
    syllables = [syllable for stanza in stanzas for line in stanza for syllable in line]
    notes = lead.tracks[0].notes
    if len(syllables) > len(notes):
        raise UserError(f"the lyrics have {len(syllables)} syllables, the melody {len(notes)} notes; shorten them or lengthen it")
    return _worded(replace(lead, tracks=(replace(lead.tracks[0], program=VOICE),)), syllables)


def accompanied(network: Network, known: Sequence[str], wish: compose.Wish, song: Score, style: str) -> Score:
    """The song with parts under it; the words stay with the melody."""
    made = arrange.harmonise(network, known, replace(wish, style=style, tempo=song.tempo, scale=""), song)
    return replace(made, tracks=(replace(made.tracks[0], lyrics=song.tracks[0].lyrics, program=VOICE), *made.tracks[1:]))


def _worded(score: Score, syllables: list[Syllable]) -> Score:
    track: Track = score.tracks[0]
    words = tuple(Lyric(note.start, syllable.text, syllable.goes_on) for note, syllable in zip(track.notes, syllables, strict=False))
    return replace(score, tracks=(replace(track, lyrics=words), *score.tracks[1:]))


def laid(stanzas: list[list[Line]], metre: Metre) -> list[Phrase]:
    """The lines, each over 1, 2, 4 … bars, one after the other."""
    found: list[Phrase] = []
    at = 0
    for place, line in ((place, line) for stanza in stanzas for place, line in enumerate(stanza)):
        # A syllable a beat and a breath, or two a beat if they are many.
        beats = metre.bar // metre.beat
        bars = 1
        while len(line) > bars * beats * (1.0 if bars * beats < 8 else 1.75):
            bars *= 2
        bars = max(bars, -(-8 * UNIT // metre.bar) if len(line) > 2 else 1)
        # Later stanzas go as the first does: `found` begins with its lines.
        first = found[place].places if place < min(len(stanzas[0]), len(found)) and len(stanzas[0][place]) == len(line) else None
        found.append(Phrase(line, at, bars, first or rhythm(line, bars, metre)))
        at += bars
    return found


def rhythm(line: Line, bars: int, metre: Metre) -> tuple[tuple[int, int], ...]:
    """(start, duration) in steps for each syllable, by dynamic programming over eighths. The last note rings to the end, less a
    breath if it is long."""
    cells, count = bars * metre.bar // UNIT, len(line)
    assert count <= cells, "more syllables than the bars have room for"
    even = cells / (count + 1)
    cost = np.full((count + 1, cells + 1), np.inf)
    came = np.zeros((count + 1, cells + 1), np.int64)
    cost[0, 0] = 0
    for number, syllable in enumerate(line):
        for start in range(cells):
            if not np.isfinite(cost[number, start]):
                continue
            here = cost[number, start] + _off(start * UNIT, metre) * (syllable.weight - 0.5)
            lengths = [cells - start] if number == count - 1 else range(1, cells - start - (count - number - 1) + 1)
            for length in lengths:
                wanted = 2 * even if number == count - 1 else even
                total = here + np.log2(length / wanted) ** 2
                if total < cost[number + 1, start + length]:
                    cost[number + 1, start + length], came[number + 1, start + length] = total, length
    ends, at = [], cells
    for number in range(count, 0, -1):
        length = int(came[number, at])
        ends.append((at - length, length))
        at -= length
    places = [(start * UNIT, length * UNIT) for start, length in reversed(ends)]
    start, length = places[-1]
    places[-1] = (start, length - metre.beat if length > 2 * metre.beat else length)
    return tuple(places)


def _off(step: int, metre: Metre) -> float:
    """How weak a place of the bar is: 0 its first, 1 on a beat, 2 off it."""
    place = step % metre.bar
    return 0.0 if place == 0 else 0.3 if place % metre.beat == 0 else 1.2


def _bars(phrases: list[Phrase], stanzas: list[list[Line]], metre: Metre) -> list[Bar]:
    """What is asked of each bar: the rhythm of its line, at any pitch; in later stanzas the bars of the first."""
    total = phrases[-1].first + phrases[-1].bars
    like = _strophes(phrases, stanzas)
    letters: dict[int, int] = {}
    bars = []
    for number, phrase in enumerate(phrases):
        source = like.get(number)
        letter = letters.setdefault(number if source is None else source, len(letters) % form.LETTERS)
        for place in range(phrase.bars):
            at = phrase.first + place
            fixed = {start % metre.bar: (-1, length) for start, length in phrase.places if start // metre.bar == place}
            again = None if source is None else phrases[source].first + place
            bars.append(Bar(at, total - 1 - at, again=again, section=None if place else 2 * letter,
                            closing=at == total - 1 and bool(fixed), tight=place == phrase.bars - 1, fixed=fixed))  # fmt: skip
    return bars


def _strophes(phrases: list[Phrase], stanzas: list[list[Line]]) -> dict[int, int]:
    """The lines of later stanzas → the line of the first they are sung like."""
    found, at = {}, len(stanzas[0])
    for stanza in stanzas[1:]:
        for place in range(len(stanza)):
            if place < len(stanzas[0]) and phrases[place].places == phrases[at].places:
                found[at] = place
            at += 1
    return found


def _targets(phrase: Phrase, metre: Metre) -> dict[tuple[int, int], int]:
    """Where the tones ask the tune to rise (1) or fall (−1): by bar and position."""
    found = {}
    for (before, after), (start, _) in zip(pairwise(phrase.line), phrase.places[1:], strict=True):
        if before.target and after.target and before.target != after.target:
            bar, position = divmod(phrase.first * metre.bar + start, metre.bar)
            found[bar, position] = after.target
    return found


class _Singer(Writer):
    """A writer that keeps to a voice's range, and rather with the tones."""

    targets: dict[tuple[int, int], int]

    def preferred(self) -> NDArray[np.float64] | float:
        if self.grammar.kind != "track":
            return 0.0
        pitches = np.arange(128)
        asked = self.targets.get((self.bar.number, self.grammar.position), 0)
        last = self.grammar.last[0]
        found = np.zeros(tokens.VOCABULARY)
        against = (np.sign(pitches - last) == -asked) & (asked != 0) & (last >= 0)
        outside = (pitches < FIRST) | (pitches > LAST)
        found[tokens.BASE["pitch"] : tokens.BASE["pitch"] + 128] = -AGAINST * against - 20.0 * outside
        return found
