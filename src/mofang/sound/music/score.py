"""A score: tracks of notes on a grid of twelve steps a quarter note, with its key, metre and tempo.

Twelve steps hold sixteenths (3) and triplets (4, 2) alike. A piece has one metre; what begins with an upbeat begins with
rests, so that bar lines lie at multiples of the bar from the start.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

GRID = 12
"""Steps a quarter note."""
DRUMS = 128
"""The `program` of a track of drums; 0–127 are General MIDI's."""
FIFTHS = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#")
"""Major keys from seven flats to seven sharps."""
MINORS = ("Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#")


class Note(NamedTuple):
    """`start` and `duration` in grid steps, `pitch` and `velocity` as MIDI has them (60: middle C; 1–127)."""

    start: int
    duration: int
    pitch: int
    velocity: int = 80

    @property
    def end(self) -> int:
        """The step at which it stops."""
        return self.start + self.duration


class Key(NamedTuple):
    """Sharps (positive) or flats (negative) of the signature, −7 … 7, and the mode."""

    fifths: int = 0
    minor: bool = False

    @property
    def tonic(self) -> int:
        """The pitch class the key is named for (0: C)."""
        return (self.fifths * 7 + (9 if self.minor else 0)) % 12

    @property
    def name(self) -> str:
        """`G`, `F#m` …"""
        return MINORS[self.fifths + 7] + "m" if self.minor else FIFTHS[self.fifths + 7]

    def transposed(self, semitones: int) -> "Key":
        """The key so many semitones higher, written with at most six sharps or five flats."""
        if semitones == 0:
            return self
        return Key((self.fifths + 7 * semitones + 5) % 12 - 5, self.minor)


class Metre(NamedTuple):
    """`beats` of 1/`unit` notes a bar."""

    beats: int = 4
    unit: int = 4

    @property
    def bar(self) -> int:
        """Grid steps of a bar."""
        return self.beats * 4 * GRID // self.unit

    @property
    def beat(self) -> int:
        """Grid steps of a felt beat: three units in 6/8, 9/8 and 12/8."""
        return 4 * GRID // self.unit * (3 if self.unit >= 8 and self.beats % 3 == 0 else 1)


C_MAJOR, COMMON_TIME = Key(), Metre()


class Lyric(NamedTuple):
    """A syllable sung from step `start` on; `goes_on`: its word has more."""

    start: int
    text: str
    goes_on: bool = False


@dataclass(frozen=True)
class Track:
    """What one instrument plays, or one voice sings: notes in order of start, then pitch."""

    notes: tuple[Note, ...]
    program: int = 0
    name: str = ""
    lyrics: tuple[Lyric, ...] = ()


@dataclass(frozen=True)
class Score:
    """A piece. `tempo` is quarter notes a minute; `style` names the family it belongs to."""

    tracks: tuple[Track, ...]
    key: Key = C_MAJOR
    metre: Metre = COMMON_TIME
    tempo: float = 100.0
    style: str = ""
    title: str = ""

    @property
    def end(self) -> int:
        """The step at which the last note stops."""
        return max((note.end for track in self.tracks for note in track.notes), default=0)

    @property
    def bars(self) -> int:
        """Bars begun."""
        return -(-self.end // self.metre.bar)

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.end / GRID * 60 / self.tempo

    def transposed(self, semitones: int) -> "Score":
        """Every note but the drums' so many semitones higher. Raises `ValueError` if one leaves MIDI's range."""
        return replace(self, key=self.key.transposed(semitones),
                       tracks=tuple(_transposed(track, semitones) for track in self.tracks))  # fmt: skip


def _transposed(track: Track, semitones: int) -> Track:
    if track.program == DRUMS:
        return track
    notes = tuple(note._replace(pitch=note.pitch + semitones) for note in track.notes)
    if any(not 0 <= note.pitch <= 127 for note in notes):
        raise ValueError(f"{semitones} semitones take a note out of range")
    return replace(track, notes=notes)


def key_named(name: str) -> Key:
    """`G`, `Bb`, `F#m`, `Em` as a key. Raises `ValueError`."""
    text = name.strip()
    minor = text.endswith("m")
    root = text[:1].upper() + text[1:].removesuffix("m").replace("♭", "b").replace("♯", "#")
    names = MINORS if minor else FIFTHS
    if root not in names:
        raise ValueError(f"'{name[:20]}' is no key; write it as C, G, Bb, F#m or Em")
    return Key(names.index(root) - 7, minor)


def metre_named(name: str) -> Metre:
    """`4/4`, `6/8` … as a metre. Raises `ValueError`."""
    beats, _, unit = name.partition("/")
    if not (beats.isascii() and beats.isdigit() and unit in ("1", "2", "4", "8", "16") and 1 <= int(beats[:3]) <= 24):
        raise ValueError(f"'{name[:20]}' is no metre; write it as 4/4, 3/4 or 6/8")
    return Metre(int(beats), int(unit))
