"""A score as a sequence of events, and back without loss.

    task style mood scale key metre tempo bars (track program)… | bar section? chord (position chord? (track? pitch duration+ |
    velocity)…)… | … end

A section is said in the bar that begins a phrase, a chord in every bar and where it changes. A position is said once for all
that begins there; a track when it differs from the one before in the bar; a velocity (in steps of four) when it differs from
that track's last. A duration longer than two whole notes is said in several. Bars counts those of the piece, 64 for more.
This is REMI's idea (Huang & Yang 2020, arXiv 2002.00212) with tracks. Sections, chords, mood and scale are computed from the
notes, so nothing needs annotating. What a task is given comes before `made` (see `tasks`).
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mofang.sound.music import form, harmony
from mofang.sound.music.mood import MOODS, SCALES, mood, scale_name
from mofang.sound.music.score import DRUMS, GRID, Key, Metre, Note, Score, Track

STYLES = ("folk-zh", "fiddle", "irish", "chorale", "folk-de", "ragtime", "renaissance", "classical", "own")
TASKS = ("compose", "harmonise", "fill", "outline")
METRES = tuple(Metre(*pair) for pair in ((4, 4), (2, 4), (3, 4), (6, 8), (9, 8), (12, 8), (3, 8), (2, 2), (3, 2), (4, 2), (6, 4),
                                         (5, 4), (4, 8), (1, 4), (7, 8), (5, 8)))  # fmt: skip
TEMPI = tuple(round(40 * 1.08**number) for number in range(24))
TRACKS, LONGEST, MOST_BARS = 8, 96, 64
LONGEST_BAR = max(metre.bar for metre in METRES)

Ids = NDArray[np.uint16]

_SIZES = {
    "pad": 1, "end": 1, "bar": 1, "made": 1, "task": len(TASKS), "style": len(STYLES), "mood": len(MOODS), "scale": len(SCALES),
    "section": form.SECTIONS, "chord": harmony.CHORDS, "key": 30, "metre": len(METRES), "tempo": len(TEMPI), "bars": MOST_BARS,
    "track": TRACKS, "program": DRUMS + 1, "position": LONGEST_BAR, "pitch": 128, "duration": LONGEST, "velocity": 32,
}  # fmt: skip
BASE: dict[str, int] = {}
"""The first id of each kind of event."""
VOCABULARY = 0
for _kind, _size in _SIZES.items():
    BASE[_kind] = VOCABULARY
    VOCABULARY += _size
END, BAR, MADE = BASE["end"], BASE["bar"], BASE["made"]
KIND_OF: tuple[str, ...] = tuple(kind for kind, size in _SIZES.items() for _ in range(size))
"""The kind of event of each id."""


def token(kind: str, value: int = 0) -> int:
    """The id of an event: value 0 … of its kind (durations count from 0 for one step)."""
    assert 0 <= value < _SIZES[kind], (kind, value)
    return BASE[kind] + value


def value(identifier: int) -> int:
    """The value of an id within its kind."""
    return identifier - BASE[KIND_OF[identifier]]


def nearest_tempo(tempo: float) -> int:
    """Which of `TEMPI` is nearest, by ratio."""
    return min(range(len(TEMPI)), key=lambda number: abs(np.log(TEMPI[number] / tempo)))


def level(velocity: int) -> int:
    """The step, 0 … 31, a velocity is said with; `4 · step + 2` is what it becomes."""
    return min(31, velocity // 4)


def heading(score: Score, bars: int | None = None, *, task: str = "compose", feeling: str = "", scale: str = "") -> list[int]:
    """The events before the first bar; mood and scale are those of the notes unless given. Raises `ValueError` for a metre,
    style or number of tracks that has no word."""
    if score.metre not in METRES or not 1 <= len(score.tracks) <= TRACKS:
        raise ValueError(f"a piece in {score.metre.beats}/{score.metre.unit} with {len(score.tracks)} tracks has no words here")
    style = STYLES.index(score.style or "own")
    ids = [token("task", TASKS.index(task)), token("style", style), token("mood", MOODS.index(feeling or mood(score))),
           token("scale", list(SCALES).index(scale or scale_name(score))), token("key", (score.key.fifths + 7) * 2 + score.key.minor),
           token("metre", METRES.index(score.metre)), token("tempo", nearest_tempo(score.tempo)),
           token("bars", min(bars or max(1, score.bars), MOST_BARS) - 1)]  # fmt: skip
    for number, track in enumerate(score.tracks):
        ids += [token("track", number), token("program", track.program)]
    return ids


def encode(score: Score) -> Ids:
    """The score as ids, `end` last. Raises `ValueError` for a metre or a number of tracks the vocabulary has no word for."""
    ids = heading(score)
    for bar in bodies(score):
        ids += bar
    return np.array([*ids, END], np.uint16)


def bodies(score: Score, *, analysed: bool = True) -> list[list[int]]:
    """The events of each bar, `bar` first; without sections and chords unless `analysed`."""
    size = score.metre.bar
    notes = sorted((note.start, number, note.pitch, note.duration, note.velocity)
                   for number, track in enumerate(score.tracks) for note in track.notes)  # fmt: skip
    found: list[list[int]] = [[BAR] for _ in range(max(1, score.bars))]
    changes = _analysis(score, found) if analysed else {}
    starts: dict[int, list[tuple[int, int, int, int]]] = {start: [] for start in changes}
    for start, *note in notes:
        starts.setdefault(start, []).append((note[0], note[1], note[2], note[3]))
    levels = [level(80)] * TRACKS
    for start in sorted(starts):
        bar, position = divmod(start, size)
        ids = found[bar]
        playing = _playing(ids)
        ids.append(token("position", position))
        if start in changes:
            ids.append(token("chord", changes[start]))
        for number, pitch, duration, velocity in starts[start]:
            if number != playing:
                playing = number
                ids.append(token("track", number))
            if level(velocity) != levels[number]:
                levels[number] = level(velocity)
                ids.append(token("velocity", levels[number]))
            ids.append(token("pitch", pitch))
            while duration > LONGEST:
                ids.append(token("duration", LONGEST - 1))
                duration -= LONGEST
            ids.append(token("duration", duration - 1))
    return found


def _analysis(score: Score, found: list[list[int]]) -> dict[int, int]:
    """Says sections and each bar's first chord in `found`; returns the chords that change within bars, by their steps."""
    chords = dict(harmony.chords(score))
    phrases = form.sections(score)
    size, sounding = score.metre.bar, harmony.NONE
    latest = {start // size: chord for start, chord in sorted(chords.items())}  # The last chord of each bar.
    for bar, ids in enumerate(found):
        if bar in phrases:
            ids.append(token("section", phrases[bar]))
        first = chords.pop(bar * size, sounding)
        ids.append(token("chord", first))
        sounding = latest.get(bar, first)
    return chords


def _playing(ids: Sequence[int]) -> int:
    """The track named last in a bar's events; −1 for none."""
    return next((value(event) for event in reversed(ids) if KIND_OF[event] == "track"), -1)


def decode(ids: Sequence[int] | Ids) -> Score:
    """The score that ids tell. Events out of place say nothing; ids outside the vocabulary raise `ValueError`."""
    facts = {"style": 0, "key": 14, "metre": 0, "tempo": nearest_tempo(100)}
    programs: dict[int, int] = {}
    notes: dict[int, list[list[int]]] = {}
    levels = [level(80)] * TRACKS
    bar, position, playing, open_note = -1, 0, 0, False
    for raw in ids:
        identifier = int(raw)
        if not 0 <= identifier < VOCABULARY:
            raise ValueError(f"{identifier} is no event")
        kind, number = KIND_OF[identifier], value(identifier)
        if kind == "end":
            break
        if kind in facts and bar < 0:
            facts[kind] = number
        elif kind == "program" and bar < 0:
            programs[playing] = number
        elif kind == "bar":
            bar, position, playing = bar + 1, 0, 0
        elif kind == "position":
            position = number
        elif kind == "track":
            playing = number
        elif kind == "velocity":
            levels[playing] = number
        elif kind == "pitch" and bar >= 0:
            start = bar * METRES[facts["metre"]].bar + position
            notes.setdefault(playing, []).append([start, 0, number, 4 * levels[playing] + 2])
        elif kind == "duration" and open_note:
            notes[playing][-1][1] += number + 1
        open_note = (kind in ("pitch", "duration")) and bool(notes.get(playing))
    tracks = tuple(Track(tuple(sorted(Note(*note) for note in notes.get(number, []) if note[1])), programs.get(number, 0))
                   for number in sorted({*programs, *notes}))  # fmt: skip
    return Score(tracks, Key(facts["key"] // 2 - 7, bool(facts["key"] % 2)), METRES[facts["metre"]], float(TEMPI[facts["tempo"]]),
                 STYLES[facts["style"]])  # fmt: skip


def transpose(ids: Ids, semitones: int) -> Ids:
    """The same piece so many semitones higher: pitches and key, drums apart. Raises `ValueError` out of range."""
    kinds = np.array([KIND_OF[identifier] for identifier in ids])
    drums = {value(int(a)) for a, b in pairwise(ids) if KIND_OF[b] == "program" and value(int(b)) == DRUMS}
    moved = ids.astype(np.int64)
    playing = 0
    for at, kind in enumerate(kinds):
        if kind == "track":
            playing = value(int(ids[at]))
        elif kind == "bar":
            playing = 0
        elif kind == "pitch" and playing not in drums:
            moved[at] += semitones
            if not 0 <= moved[at] - BASE["pitch"] < 128:
                raise ValueError(f"{semitones} semitones take a note out of range")
        elif kind == "chord":
            moved[at] = token("chord", harmony.transposed(value(int(ids[at])), semitones))
        elif kind == "key":
            number = value(int(ids[at]))
            key = Key(number // 2 - 7, bool(number % 2)).transposed(semitones)
            moved[at] = token("key", (key.fifths + 7) * 2 + key.minor)
    return moved.astype(np.uint16)


def places(ids: Sequence[int] | Ids) -> NDArray[np.int64]:
    """Where each event stands, (n, 3): its bar (0 in the heading, 1 …), the bars to come after it (capped), and its place in the
    bar in steps from 1 (0: none said yet)."""
    found = np.zeros((len(ids), 3), np.int64)
    bar, position, bars = 0, 0, 0
    for at, raw in enumerate(ids):
        kind, number = KIND_OF[int(raw)], value(int(raw))
        if kind == "bars":
            bars = number + 1
        elif kind == "bar":
            bar, position = bar + 1, 0
        elif kind == "position":
            position = number + 1
        found[at] = min(bar, MOST_BARS), min(max(0, bars - bar), NEAR_END) if bar else NEAR_END, position
    return found


NEAR_END, GIVEN = 9, 10
"""From how many bars before its end a piece knows that it is ending; what stands there for material that is given."""
assert GRID == 12 and LONGEST_BAR == 96
