"""The mood and the scale of a piece, computed from its notes.

Mode and pace place a piece on the plane of valence and arousal (Russell 1980; Juslin & Laukka 2003): major and quick is lively,
minor and slow is sad. What is slow and low is solemn.
"""

from mofang.sound.music.score import DRUMS, GRID, Key, Score

MOODS = ("any", "calm", "bright", "lively", "sad", "solemn", "restless")
CHINESE = {"平静": "calm", "明亮": "bright", "活泼": "lively", "忧伤": "sad", "庄严": "solemn", "激动": "restless"}
SLOW, QUICK = 1.8, 3.4
"""Notes of the melody a second."""
LOW = 62.0
"""Mean pitch below which slow music is solemn."""

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10, 11)
SCALES = {"pentatonic": ((0, 2, 4, 7, 9), (0, 3, 5, 7, 10)), "western": (MAJOR, MINOR),
          "chromatic": (tuple(range(12)), tuple(range(12)))}  # fmt: skip
"""Pitch classes above the tonic in major and in minor. Western minor has both sevenths."""
INSIDE = 0.97
"""Share of a piece's time that must lie in a scale to be in it."""


def scale_of(key: Key, name: str) -> frozenset[int]:
    """The pitch classes of `key` in a scale of `SCALES`."""
    return frozenset((key.tonic + step) % 12 for step in SCALES[name][key.minor])


def scale_name(score: Score) -> str:
    """The narrowest of `SCALES` the score stays in."""
    times = [0] * 12
    for track in score.tracks:
        for note in track.notes if track.program != DRUMS else ():
            times[note.pitch % 12] += note.duration
    for name in ("pentatonic", "western"):
        if sum(times[pitch] for pitch in scale_of(score.key, name)) >= INSIDE * sum(times):
            return name
    return "chromatic"


def mood(score: Score) -> str:
    """One of `MOODS`; `any` for a score without notes."""
    pitched = [track for track in score.tracks if track.notes and track.program != DRUMS]
    if not pitched:
        return "any"
    pitches = [note.pitch for track in pitched for note in track.notes]
    return mood_of(score.key.minor, pace(score) * score.tempo / 60, sum(pitches) / len(pitches))


def pace(score: Score) -> float:
    """Notes of the first track that has any, a quarter note."""
    melody = next((track.notes for track in score.tracks if track.notes and track.program != DRUMS), ())
    return len({note.start for note in melody}) * GRID / max(1, melody[-1].end - melody[0].start) if melody else 0.0


def mood_of(minor: bool, rate: float, register: float) -> str:
    """The mood of `rate` melody notes a second around mean pitch `register`."""
    if rate < SLOW and register < LOW:
        return "solemn"
    if minor:
        return "restless" if rate >= QUICK else "sad"
    return "calm" if rate < SLOW else "lively" if rate >= QUICK else "bright"
