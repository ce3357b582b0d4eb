"""The form of a piece: which phrases return, found by a melody's likeness to itself; and a form asked for in words.

Phrases are lettered as analysts do: A, B, C …; a phrase like an earlier one has its letter, with a prime if it differs.
"""

from typing import NamedTuple

from mofang.sound.music.score import DRUMS, Score

LETTERS = 8
SECTIONS = 2 * LETTERS
"""A section's number is twice its letter's, one more with a prime."""
ALIKE, SAME = 0.5, 0.95
"""Share of equal bars' onsets from which a phrase is a return, and from which it is an exact one."""


def phrase_bars(bars: int) -> int:
    """Bars of a phrase in a piece of so many bars."""
    return 2 if bars < 8 else 4 if bars <= 48 else 8


def sections(score: Score) -> dict[int, int]:
    """The bars at which phrases begin → their section numbers. An upbeat's bar belongs to the first phrase."""
    bars, lead = score.bars, int(upbeat(score))
    size = phrase_bars(bars)
    onsets = _onsets(score)
    found: dict[int, int] = {}
    seen: list[tuple[int, int]] = []  # (first bar, letter)
    letters = 0
    for start in range(lead, max(bars, lead + 1), size):
        likeness = [(_alike(onsets, earlier, start, size), letter) for earlier, letter in seen]
        best, letter = max(likeness, key=lambda pair: pair[0], default=(0.0, 0))
        if best < ALIKE:
            letter, letters = letters % LETTERS, letters + 1
            section = 2 * letter
        else:
            section = 2 * letter + (best < SAME)
        seen.append((start, letter))
        found[0 if start == lead else start] = section
    return found


def upbeat(score: Score) -> bool:
    """Whether the piece begins with rests of a beat or more."""
    first = min((note.start for track in score.tracks for note in track.notes), default=0)
    return score.metre.beat <= first < score.metre.bar


def _onsets(score: Score) -> list[set[tuple[int, int]]]:
    """For each bar, where the melody plays which pitch."""
    melody = next((track.notes for track in score.tracks if track.notes and track.program != DRUMS), ())
    found: list[set[tuple[int, int]]] = [set() for _ in range(score.bars)]
    for note in melody:
        bar, place = divmod(note.start, score.metre.bar)
        found[bar].add((place, note.pitch))
    return found


def _alike(onsets: list[set[tuple[int, int]]], first: int, second: int, size: int) -> float:
    """The share of onsets two phrases have in common (Jaccard's index)."""
    pairs = [(onsets[first + bar], onsets[second + bar]) for bar in range(size) if second + bar < len(onsets)]
    total = sum(len(a | b) for a, b in pairs)
    return sum(len(a & b) for a, b in pairs) / total if total else 0.0


def section_name(section: int) -> str:
    """`A`, `B'` …"""
    return chr(ord("A") + section // 2) + "'" * (section % 2)


class Section(NamedTuple):
    """A part of a form: its `letter` (`intro`, `outro` or A …), how many primes, its first bar and how many it has."""

    letter: str
    primes: int
    first: int
    bars: int


RETURNING = "A A' B A''"
"""New; again with another ending; new; again, and closed."""


def planned(text: str, bars: int) -> list[Section]:
    """The sections of a form in words, `intro A B A' outro`, over so many bars; an intro and an outro are half as long.

    Too few bars for two a section: no form, so that short pieces go their own way. Raises `ValueError` for other words.
    """
    words = text.replace("’", "'").replace("′", "'").split()
    names = [word.rstrip("'") for word in words]
    if len(words) > 16 or any(name not in ("intro", "outro", *"ABCDEFGH") for name in names):
        raise ValueError(f"'{text[:40]}' is no form; write it as: intro A A' B A outro")
    weights = [1 if name in ("intro", "outro") else 2 for name in names]
    if not words or bars * 2 < 4 * sum(weights):
        return []
    edges = [round(bars * sum(weights[:at]) / sum(weights)) for at in range(len(words) + 1)]
    return [Section(name, len(word) - len(name), first, last - first)
            for name, word, first, last in zip(names, words, edges, edges[1:], strict=False)]  # fmt: skip


def lettered(plan: list[Section], bars: int) -> dict[int, int]:
    """The section numbers the model is told, by the bars at which phrases begin."""
    size = phrase_bars(bars)
    known: dict[tuple[str, int], int] = {}
    found = {}
    for section in plan:
        for place in range(0, section.bars, size):
            letter = known.setdefault((section.letter, place), len(known) % LETTERS)
            found[section.first + place] = 2 * letter + (section.primes > 0)
    return found


def returns(plan: list[Section], bar: int) -> int | None:
    """The earlier bar that returns as number `bar`, if one does: all of a section but the ending of one with a prime."""
    at = next((number for number, section in enumerate(plan) if section.first <= bar < section.first + section.bars), None)
    if at is None:
        return None
    section, place = plan[at], bar - plan[at].first
    before = next((earlier for earlier in plan[:at] if earlier.letter == section.letter), None)
    if before is None or place >= before.bars or (section.primes and place >= section.bars - max(1, section.bars // 4)):
        return None
    return before.first + place
