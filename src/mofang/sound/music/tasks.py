"""What the model is asked: to compose, to harmonise a melody, to fill a gap, to write out an outline.

Every task but the first gives material before `made`, then the model goes on; all are learned from the same pieces:

    compose     heading | bars …
    harmonise   heading | the melody's bars | made | the same bars, whole
    fill        heading | bars before and after | made | the bars between (Donahue et al. 2020, arXiv 2005.05339)
    outline     heading | the melody's note on each beat | made | the bars, whole

Events that are given keep their bars' places, so that what is made finds them; `GIVEN` in place of the bars to come says so.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mofang.sound.music import tokens
from mofang.sound.music.mood import MOODS, mood
from mofang.sound.music.score import DRUMS, Note, Score, Track

Ids = NDArray[np.uint16]
Places = NDArray[np.int64]
Sequence = tuple[Ids, Places]

SHARES = {"compose": 0.55, "harmonise": 0.15, "fill": 0.18, "outline": 0.12}
"""How often each task is drawn for a piece of several tracks; one that has only a melody is not harmonised."""
LONGEST_GAP = 8
UNSAID = 0.15
"""How often the mood is kept from the model, so that it composes without one."""


@dataclass(frozen=True, eq=False)
class Cut:
    """A piece's events, cut into heading and bars, each with its places."""

    heading: Sequence
    bars: list[Sequence]


def cut(piece: Ids) -> Cut:
    """`end` goes with the last bar."""
    places = tokens.places(piece)
    edges = [*np.flatnonzero(piece == tokens.BAR).tolist(), len(piece)]
    return Cut((piece[: edges[0]], places[: edges[0]]),
               [(piece[a:b], places[a:b]) for a, b in pairwise(edges)])  # fmt: skip


def melody(score: Score) -> Score:
    """The score's first track that plays, alone: the top note of each start."""
    number = next((at for at, track in enumerate(score.tracks) if track.notes and track.program != DRUMS), 0)
    tops = {note.start: note for note in score.tracks[number].notes} if score.tracks else {}
    return replace(score, tracks=(Track(tuple(tops.values()), score.tracks[number].program if score.tracks else 0),))


def outline(score: Score) -> Score:
    """The melody's note that sounds on each beat, one note as long as it stays."""
    beat = score.metre.beat
    (track,) = melody(score).tracks
    found: list[Note] = []
    at = 0
    for start in range(0, score.end, beat):
        while at + 1 < len(track.notes) and track.notes[at + 1].start <= start:
            at += 1
        if track.notes and track.notes[at].start <= start < track.notes[at].end:
            pitch = track.notes[at].pitch
            if found and found[-1].pitch == pitch and found[-1].end == start and start % score.metre.bar:
                found[-1] = found[-1]._replace(duration=found[-1].duration + beat)
            else:
                found.append(Note(start, beat, pitch))
    return replace(score, tracks=(Track(tuple(found), track.program),))


REDUCED = {"harmonise": melody, "outline": outline}


def given(bars: list[list[int]], first: int, total: int) -> list[Sequence]:
    """Bars of events as given material, with their places in a piece of `total` bars, from bar number `first` (0 …) on."""
    found = []
    for number, events in enumerate(bars, first):
        places = tokens.places([tokens.token("bars", min(total, tokens.MOST_BARS) - 1), *events])[1:]
        places[:, 0] = min(number + 1, tokens.MOST_BARS)
        places[:, 1] = tokens.GIVEN
        found.append((np.array(events, np.uint16), places))
    return found


def marked(sequences: list[Sequence]) -> list[Sequence]:
    """Given material and the mark that ends it."""
    return [*sequences, (np.array([tokens.MADE], np.uint16), np.array([[0, tokens.NEAR_END, 0]]))]


def window(piece: Ids, context: int, bar: int) -> Sequence:
    """The heading, then the piece from its bar number `bar` on, at most `context` + 1 events, with their true places."""
    pieces = cut(piece)
    return joined([pieces.heading, *pieces.bars[min(bar, len(pieces.bars) - 1) :]], context + 1)


def joined(sequences: list[Sequence], most: int) -> Sequence:
    """Sequences one after the other, at most so many events."""
    return (np.concatenate([ids for ids, _ in sequences])[:most], np.concatenate([places for _, places in sequences])[:most])


def example(piece: Ids, context: int, rng: np.random.Generator, tempi: int = 4) -> Sequence:
    """One example of a drawn task, at most `context` + 1 events. The tempo is drawn within ± `tempi` of its words, and the mood
    told is that of the tempo drawn: so notes answer to both."""
    score = tokens.decode(piece)
    pieces = cut(piece)
    several = sum(bool(track.notes) for track in score.tracks) > 1
    shares = {task: share for task, share in SHARES.items() if several or task != "harmonise"}
    if len(pieces.bars) < 4:
        shares = {"compose": 1.0}
    drawn, at = rng.random() * sum(shares.values()), rng.random()
    task = next((name for name, edge in zip(shares, np.cumsum(list(shares.values())), strict=True) if drawn < edge), "compose")
    shift, told = int(rng.integers(-tempi, tempi + 1)), rng.random() >= UNSAID
    number = min(max(0, tokens.nearest_tempo(score.tempo) + shift), len(tokens.TEMPI) - 1)
    feeling = mood(replace(score, tempo=float(tokens.TEMPI[number]))) if told else "any"
    ids = pieces.heading[0].copy()
    kinds = [tokens.KIND_OF[event] for event in ids]
    for kind, value in (("task", tokens.TASKS.index(task)), ("tempo", number), ("mood", MOODS.index(feeling))):
        ids[kinds.index(kind)] = tokens.token(kind, value)
    pieces = Cut((ids, pieces.heading[1]), pieces.bars)
    return _arranged(pieces, score, task, context, at, rng)


def _arranged(pieces: Cut, score: Score, task: str, context: int, at: float, rng: np.random.Generator) -> Sequence:
    count, room = len(pieces.bars), context + 1 - len(pieces.heading[0]) - 1
    sizes = [len(ids) for ids, _ in pieces.bars]
    # As often from the beginning as from within: a piece is composed from its beginning.
    late = sum(sizes) > room and at > 0.5
    first = int((at - 0.5) * 2 * count) if late else 0
    if task == "compose":
        return joined([pieces.heading, *pieces.bars[first:]], context + 1)
    if task == "fill":
        length = int(rng.integers(1, min(LONGEST_GAP, count - 2) + 1))
        gap = int(rng.integers(1, count - length))
        return _filled(pieces, gap, length, context)
    simple = tokens.bodies(REDUCED[task](score), analysed=False)
    simple += [[tokens.BAR]] * (count - len(simple))
    last, used = first, 0
    while last < count and used + sizes[last] + len(simple[last]) <= room:
        used += sizes[last] + len(simple[last])
        last += 1
    last = max(last, first + 1)
    return joined([pieces.heading, *marked(given(simple[first:last], first, count)), *pieces.bars[first:last]], context + 1)


def _filled(pieces: Cut, gap: int, length: int, context: int) -> Sequence:
    """The bars around a gap, as many as there is room for, then those in it."""
    between = [counted(bar, at, gap + length) for at, bar in enumerate(pieces.bars[gap : gap + length], gap)]
    left, right = gap, gap + length
    room = context - len(pieces.heading[0]) - 1 - sum(len(ids) for ids, _ in between)
    sizes = [len(ids) for ids, _ in pieces.bars]
    while True:
        before = left > 0 and sizes[left - 1] <= room and (gap - left <= right - gap - length or right == len(sizes))
        if before:
            left -= 1
            room -= sizes[left]
        elif right < len(sizes) and sizes[right] <= room:
            room -= sizes[right]
            right += 1
        else:
            break
    bars = [(at, [int(event) for event in pieces.bars[at][0] if event != tokens.END])
            for at in [*range(left, gap), *range(gap + length, right)]]  # fmt: skip
    around = [sequence for at, bar in bars for sequence in given([bar], at, len(sizes))]
    end = (np.array([tokens.END], np.uint16), between[-1][1][-1:])
    return joined([pieces.heading, *marked(around), *between, end], context + 1)


def counted(bar: Sequence, at: int, stop: int) -> Sequence:
    """A bar, number `at`, whose bars to come are counted to bar number `stop`: the end of what is to be made."""
    ids, places = bar
    moved = places.copy()
    moved[:, 1] = min(stop - at - 1, tokens.NEAR_END)
    return ids, moved
