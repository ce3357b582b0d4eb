"""Which events may come next: positions ascend, bars are full, parts stay single, keys are kept, pieces close, and a melody
that is given is played.

A mask over the vocabulary, fed with the events as they are chosen. It never leaves nothing to choose.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mofang.sound.music import harmony
from mofang.sound.music.mood import scale_of
from mofang.sound.music.score import DRUMS, Key, Metre
from mofang.sound.music.tokens import BASE, KIND_OF, LONGEST, TRACKS, VOCABULARY, token, value

LOWEST, HIGHEST = 28, 100
QUIETEST, LOUDEST = token("velocity", 12), token("velocity", 29)
LEAP = 16
"""Semitones of the widest step within a part that plays alone."""


def triad_of(key: Key) -> frozenset[int]:
    """The pitch classes of the tonic's chord."""
    return frozenset((key.tonic + step) % 12 for step in (0, 3 if key.minor else 4, 7))


@dataclass
class Grammar:
    """What has been said in this bar. `programs` are the tracks'; every track plays one note at a time unless `chords`."""

    key: Key
    metre: Metre
    programs: tuple[int, ...]
    scale: frozenset[int]
    chords: bool = False

    def __post_init__(self) -> None:
        self.fixed: dict[int, tuple[int, int]] = {}
        self.free = [0] * TRACKS  # the step of this bar from which a track is silent
        self.last = [-1] * TRACKS  # the pitch a track played last
        self._clear()
        self.closing = self.tight = self.keeps = False

    def _clear(self) -> None:
        self.kind, self.position, self.track = "bar", -1, -1
        self.playing: set[tuple[int, int]] = set()
        self.due: tuple[int, int] | None = None  # what the first track has begun to play of `fixed`

    def begin_bar(self, closing: bool = False, tight: bool = False,
                  fixed: Mapping[int, tuple[int, int]] | None = None, free: bool = False) -> None:  # fmt: skip
        """A bar has begun; in a `closing` one only the tonic's chord is played, from a `tight` one nothing sounds on. `fixed`:
        the first track plays exactly these, position → (pitch, −1 for any; duration, 0 for any); if it is `free`, others
        between them too."""
        self.keeps = fixed is not None and not free
        self.fixed = dict(fixed or {})
        self.free = [max(0, end - self.metre.bar) for end in self.free]
        self._clear()
        self.closing, self.tight = closing, tight or closing

    def take(self, event: int) -> None:
        """Note that `event` was chosen."""
        kind, number = KIND_OF[event], value(event)
        if kind == "position":
            self.position, self.playing = number, set()
        elif kind == "track":
            self.track = number
        elif kind == "pitch":
            self.due = self.fixed.pop(self.position, None) if self.track == 0 else None
            self.last[self.track] = number
            self.playing.add((self.track, number))
        elif kind == "duration":
            before = self.position if self.kind == "pitch" else self.free[self.track]
            self.free[self.track] = max(self.free[self.track], before + number + 1)
            self.due = None
        self.kind = kind

    @property
    def full(self) -> bool:
        """Whether some part sounds to within a beat of the bar's end."""
        return max(self.free) > self.metre.bar - self.metre.beat

    def mask(self) -> NDArray[np.bool_]:
        """True where an event may follow, (V,)."""
        allowed = np.zeros(VOCABULARY, bool)
        if self.kind in ("bar", "section"):
            self._chords(allowed)
            return allowed
        if self.kind == "pitch":
            # A note may sound into the next bar, not through it.
            room = min(LONGEST, self.metre.bar * (1 if self.tight else 2) - self.position)
            if self.track == 0 and self.fixed:
                room = min(room, min(self.fixed) - self.position)
            first, last = (self.due[1] - 1, self.due[1]) if self.due and self.due[1] else (0, room)
            allowed[BASE["duration"] + first : BASE["duration"] + last] = True
            return allowed
        if (note := self.fixed.get(self.position)) is not None:
            self._given(allowed, note)
            return allowed
        if self.kind == "position" and self.position and self.position % self.metre.beat == 0 and not self.closing:
            self._chords(allowed)
        if self.kind in ("position", "duration") or (self.kind == "chord" and self.position >= 0):
            self._tracks(allowed)
        if self._may_play():
            self._pitches(allowed)
            if self.kind != "velocity":
                allowed[QUIETEST : LOUDEST + 1] = True
        if self.kind in ("chord", "duration"):
            self._on(allowed)
        if not allowed.any():
            allowed[BASE["bar"]] = True
        return allowed

    def _on(self, allowed: NDArray[np.bool_]) -> None:
        """Later positions, none past a note of the first track's that is due; the next bar, when this one is full."""
        # A piece closes on one chord, at the beginning of its last bar.
        stop = 1 if self.closing and not self.keeps else self.metre.bar
        if self.fixed:
            stop = min(stop, min(self.fixed) + 1)
        for place in range(self.position + 1, stop):
            allowed[token("position", place)] = place in self.fixed or any(
                self._can(number, place) for number in range(int(self.keeps), len(self.programs)))
        allowed[BASE["bar"]] = self.full and not self.fixed

    def _given(self, allowed: NDArray[np.bool_], note: tuple[int, int]) -> None:
        """On the place of a note that is due: perhaps a chord, then its track, then itself."""
        if self.kind == "track":
            if note[0] < 0:
                self._pitches(allowed)
            else:
                allowed[token("pitch", note[0])] = True
            return
        allowed[token("track", 0)] = True
        if self.kind == "position" and self.position and self.position % self.metre.beat == 0 and not self.closing:
            self._chords(allowed)

    def _chords(self, allowed: NDArray[np.bool_]) -> None:
        """Chords whose root lies in the key; the tonic's alone at the close."""
        roots = {self.key.tonic} if self.closing else scale_of(self.key, "western")
        for chord in range(harmony.NONE):
            inside = harmony.pitch_classes(chord)
            home = not self.closing or inside == triad_of(self.key)
            allowed[token("chord", chord)] = chord // len(harmony.NAMES) in roots and home

    def _can(self, track: int, place: int) -> bool:
        return self.chords or self.free[track] <= place

    def _tracks(self, allowed: NDArray[np.bool_]) -> None:
        """Tracks come in order within a position, each once."""
        latest = max((track for track, _ in self.playing), default=0 if self.keeps else -1)
        for track in range(latest + 1, len(self.programs)):
            allowed[token("track", track)] = track != self.track and self._can(track, self.position)

    def _may_play(self) -> bool:
        """Whether the track that was named last may play a note here: its first, or one more of a chord."""
        if self.track < 0 or self.kind == "chord" or (self.keeps and self.track == 0):
            return False
        return self.chords if self.kind == "duration" else self._can(self.track, self.position)

    def _pitches(self, allowed: NDArray[np.bool_]) -> None:
        if self.track < len(self.programs) and self.programs[self.track] == DRUMS:
            allowed[token("pitch", 35) : token("pitch", 60)] = True  # General MIDI's drums
            return
        last = self.last[self.track]
        classes = triad_of(self.key) if self.closing else self.scale
        lowest = max([pitch for track, pitch in self.playing if track == self.track], default=-1)
        for pitch in range(LOWEST, HIGHEST):
            near = last < 0 or self.chords or abs(pitch - last) <= LEAP
            allowed[token("pitch", pitch)] = pitch % 12 in classes and near and pitch > lowest
