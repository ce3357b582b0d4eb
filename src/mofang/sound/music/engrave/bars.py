"""Notes laid into bars as they are written: voices, values tied together, rests, beams."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from mofang.sound.music.engrave.spelling import Spelled, spelled
from mofang.sound.music.musicxml import VALUES
from mofang.sound.music.score import DRUMS, GRID, Key, Metre, Note, Score, Track

MIDDLE = {"G": 41, "F": 29, "drums": 41}
"""The step (see `Spelled`) on a clef's middle line: B4 and D3."""
KIT = {35: 37, 36: 38, 38: 42, 40: 42, 42: 46, 44: 36, 46: 46, 41: 39, 43: 40, 45: 41, 47: 43, 48: 44, 50: 45, 49: 47, 51: 45}
"""Where a drum stands."""
FLAGS = {"eighth": 1, "16th": 2, "32nd": 3}
SPLIT = 60
"""Middle C: what a pianist's left hand plays lies below."""


@dataclass
class Event:
    """A chord or a rest as written. `tied` are the places in `heads` that go on; `beam` numbers the beam of its bar."""

    start: int
    size: int
    heads: tuple[Spelled, ...]
    voice: int = 0
    tied: tuple[int, ...] = ()
    whole_bar: bool = False
    beam: int = -1
    words: str = ""

    @property
    def value(self) -> tuple[str, int, bool]:
        """Name, dots, whether of a triplet."""
        return ("whole", 0, False) if self.whole_bar else VALUES[self.size]

    @property
    def flags(self) -> int:
        """Flags or beams it has."""
        return FLAGS.get(self.value[0], 0)


@dataclass
class Staff:
    """A staff's clef and, bar for bar, its events; `twofold` are the bars with two voices."""

    clef: str
    name: str
    bars: list[list[Event]]
    twofold: set[int] = field(default_factory=set)


Chord = tuple[int, int, tuple[int, ...]]
"""Start, end, pitches."""


def staves(score: Score, words: Sequence[str] = ()) -> list[list[Staff]]:
    """The staves of every track; a keyboard that plays high and low has two. `words` are sung by the first track."""
    found = []
    for number, track in enumerate(score.tracks):
        sung = words if number == 0 else ()
        pitches = [note.pitch for note in track.notes]
        keyboard = track.program < 24 and pitches and min(pitches) < 55 and max(pitches) > 65
        if keyboard:
            hands = ([note for note in track.notes if note.pitch >= SPLIT], [note for note in track.notes if note.pitch < SPLIT])
            found.append([_staff(score, track, hand, clef, sung if clef == "G" else ())
                          for hand, clef in zip(hands, ("G", "F"), strict=True)])  # fmt: skip
        else:
            low = bool(pitches) and sum(pitches) / len(pitches) < 60
            clef = "drums" if track.program == DRUMS else "F" if low else "G"
            found.append([_staff(score, track, list(track.notes), clef, sung)])
    return found


def _staff(score: Score, track: Track, notes: list[Note], clef: str, words: Sequence[str]) -> Staff:
    bars: list[list[Event]] = [[] for _ in range(max(1, score.bars))]
    staff = Staff(clef, track.name, bars)
    size = score.metre.bar
    voices = _voices(notes)
    said = {chord[0]: word for chord, word in zip(sorted(voices[0]), words, strict=False)}
    for number, bar in enumerate(bars):
        start = number * size
        inside = [[chord for chord in voice if chord[0] < start + size and chord[1] > start] for voice in voices]
        present = [chords for chords in inside if chords]
        if len(present) == 2:
            staff.twofold.add(number)
            # The higher voice has its stems up.
            present.sort(key=lambda chords: -sum(sum(chord[2]) / len(chord[2]) for chord in chords) / len(chords))
        for voice, chords in enumerate(present):
            bar += _written(chords, start, score, voice, clef, said)
        if not present:
            bar.append(Event(start, size, (), whole_bar=True))
    return staff


def _voices(notes: list[Note]) -> list[list[Chord]]:
    """Two voices in which nothing overlaps: what finds neither free ends the chord before it."""
    groups: dict[tuple[int, int], list[int]] = {}
    for note in notes:
        groups.setdefault((note.start, note.end), []).append(note.pitch)
    chords = sorted((start, end, tuple(sorted(set(pitches)))) for (start, end), pitches in groups.items())
    voices: list[list[Chord]] = [[], []]
    for chord in sorted(chords, key=lambda chord: (chord[0], -max(chord[2]))):
        free = next((voice for voice in voices if not voice or voice[-1][1] <= chord[0]), None)
        if free is None:
            free = min(voices, key=lambda voice: abs(sum(voice[-1][2]) / len(voice[-1][2]) - sum(chord[2]) / len(chord[2])))
            start, end, pitches = free[-1]
            if start == chord[0]:
                free[-1] = (start, max(end, chord[1]), tuple(sorted({*pitches, *chord[2]})))
                continue
            free[-1] = (start, chord[0], pitches)
        free.append(chord)
    return voices


def _written(chords: Sequence[Chord], start: int, score: Score, voice: int, clef: str, said: dict[int, str]) -> list[Event]:
    """One voice's events in the bar from step `start`."""
    metre, end = score.metre, start + score.metre.bar
    events: list[Event] = []
    at = start

    def rest(until: int) -> None:
        nonlocal at
        for size in rests(at - start, until - at, metre):
            events.append(Event(at, size, (), voice))
            at += size

    for begun, stop, pitches in chords:
        rest(max(begun, start))
        heads = tuple(_place(pitch, score.key, clef) for pitch in pitches)
        sizes = values(at - start, min(stop, end) - at, metre)
        for number, size in enumerate(sizes):
            on = number < len(sizes) - 1 or stop > end
            word = said.get(begun, "") if at == begun else ""
            events.append(Event(at, size, heads, voice, tuple(range(len(heads))) if on else (), words=word))
            at += size
    rest(end)
    _beam(events, start, metre)
    return events


def _place(pitch: int, key: Key, clef: str) -> Spelled:
    return Spelled(KIT.get(pitch, 43), 0) if clef == "drums" else spelled(pitch, key)


def values(place: int, size: int, metre: Metre) -> list[int]:
    """`size` steps from `place` in the bar as values that can be written and let the beats be seen."""
    beat, found = metre.beat, []
    while size > 0:
        inside = place % beat
        room = beat - inside
        if size in VALUES and (not inside or size <= room or (size == beat and inside * 2 == beat)):
            part = size
        else:
            limit = min(size, room) if inside or size < beat else size // beat * beat
            part = _value(place, limit)
        found.append(part)
        place, size = place + part, size - part
    return found


def rests(place: int, size: int, metre: Metre) -> list[int]:
    """Silence as rests that show the beats: undotted and on multiples of themselves, but for a compound metre's whole beats."""
    if metre.beat % GRID:
        return values(place, size, metre)
    found = []
    while size > 0:
        part = next((each for each in (48, 24, 12, 6, 3) if each <= size and place % each == 0), 0) or _value(place, size)
        if place % GRID + part > GRID and place % GRID:
            part = _value(place, GRID - place % GRID)
        found.append(part)
        place, size = place + part, size - part
    return found


def _value(place: int, limit: int) -> int:
    """The longest value up to `limit`; off the plain grid a small triplet value that leads back to it."""
    if limit in VALUES:
        return limit
    if place % 3:
        return next((value for value in (4, 2, 1) if value <= limit and (place + value) % 3 == 0), 1)
    return max(value for value in VALUES if value <= limit and not (VALUES[value][2] and limit >= 3))


def _beam(events: list[Event], start: int, metre: Metre) -> None:
    """Short notes of a beat share a beam; in 4/4 those of half a bar, where all are eighths."""
    full: list[list[Event]] = []
    last: Event | None = None
    for event in events:
        if not event.heads or not event.flags:
            last = None
            continue
        same = last is not None and (last.start - start) // metre.beat == (event.start - start) // metre.beat
        if same:
            full[-1].append(event)
        else:
            full.append([event])
        last = event
    if metre == Metre(4, 4):
        for first, second in pairwise(full):
            half = (first[0].start - start) // (2 * GRID) == (second[0].start - start) // (2 * GRID)
            plain = all(event.size == GRID // 2 for event in (*first, *second))
            if half and plain and first[-1].start + first[-1].size == second[0].start and len(first) == len(second) == 2:
                second[:0] = first
                first.clear()
    for number, group in enumerate(group for group in full if len(group) > 1):
        for event in group:
            event.beam = number
