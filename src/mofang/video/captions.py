"""Captions that follow the voice: which words stand together, and when."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from mofang.studio.alignment import Aligned
from mofang.studio.linebreak import NOT_FIRST, NOT_LAST, ends_clause, ends_sentence, is_wide
from mofang.video.timeline import Caption, Word

SILENT_ENDS = "，。、；：,;:"
"""What a reader of captions does not expect at their end; a question or a cry keeps its mark."""
DIGITS = re.compile(r"\d[.,:]$")
ELLIPSIS = re.compile(r"\.{2,}$")
LONGEST = 38
"""Columns of a caption, a Chinese character taking two: two rows at most at a comfortable size."""
REST = 0.5
"""Seconds of silence after which a caption leaves the screen."""


def split(words: Sequence[Aligned], fps: int, offset: int, last: int) -> list[Caption]:
    """Captions for one passage spoken from frame `offset` on; none stays beyond frame `last`.

    Broken after punctuation where a caption would become too long, never inside a word; a caption stands until the
    next one comes, unless the voice rests.
    """
    groups = _groups(_bounded(words))
    starts = [offset + round(group[0].start * fps) for group in groups]
    captions = []
    for group, start, following in zip(groups, starts, [*starts[1:], last], strict=True):
        heard = offset + round(group[-1].end * fps)
        end = min(following if following - heard <= REST * fps else heard + round(REST * fps), last)
        timed = tuple(
            Word(word.text, offset + round(word.start * fps) - start, offset + round(word.end * fps) - start)
            for word in _trimmed(group)
        )
        if end > start and any(word.text.strip() for word in timed):
            captions.append(Caption(timed, start, end))
    return captions


def _bounded(words: Sequence[Aligned]) -> list[Aligned]:
    """Words none of which ends in an opening mark, which belongs to the next, or is longer than a caption.

    An endless word is cut and its time shared out.
    """
    bounded: list[Aligned] = []
    opening = ""
    for number, word in enumerate(words):
        text, opening = opening + word.text, ""
        if number + 1 < len(words):
            kept = text.rstrip("".join(NOT_LAST))
            text, opening = (kept, text[len(kept) :]) if kept.strip() else (text, "")
        word = Aligned(text, word.start, word.end)
        if columns(word.text) <= LONGEST:
            bounded += [word] if word.text else []
            continue
        step = LONGEST // 2
        share = (word.end - word.start) / len(word.text)
        for at in range(0, len(word.text), step):
            piece = word.text[at : at + step]
            bounded.append(Aligned(piece, word.start + at * share, word.start + (at + len(piece)) * share))
    return bounded


def _trimmed(group: Sequence[Aligned]) -> list[Aligned]:
    """Without the comma or full stop at the end and the spaces around."""
    words = [Aligned(re.sub(r"\s+", " ", word.text), word.start, word.end) for word in group]
    while words and not words[0].text.strip():
        del words[0]
    while words and not _ended(words[-1].text):
        del words[-1]
    if words:
        words[0] = replace(words[0], text=words[0].text.lstrip())
        words[-1] = replace(words[-1], text=_ended(words[-1].text))
    return words


def _ended(text: str) -> str:
    text = text.rstrip()
    return text if ELLIPSIS.search(text) else text.rstrip(SILENT_ENDS).removesuffix(".").rstrip()


def _groups(words: Sequence[Aligned]) -> list[list[Aligned]]:
    """Words in captions: clauses, the long ones in even parts, the short ones joined to a neighbour."""
    groups: list[list[Aligned]] = []
    for clause in _clauses(words):
        for part in _even(clause):
            short = groups and min(_length(groups[-1]), _length(part)) < LONGEST * 0.4
            fits = groups and _length(groups[-1]) + _length(part) <= LONGEST
            if short and fits and not ends_sentence(groups[-1][-1].text):
                groups[-1] += part
            else:
                groups.append(part)
    return groups


def _clauses(words: Sequence[Aligned]) -> list[list[Aligned]]:
    clauses: list[list[Aligned]] = [[]]
    for number, word in enumerate(words):
        clauses[-1].append(word)
        following = words[number + 1].text if number + 1 < len(words) else ""
        if (ends_clause(word.text) and not (DIGITS.search(word.text) and following[:1].isdigit())) or "\n" in word.text:
            clauses.append([])
    return [clause for clause in clauses if clause]


def columns(text: str) -> int:
    """The width of a text, a Chinese character counting two."""
    return sum(1 + is_wide(letter) for letter in text)


def _length(words: Sequence[Aligned]) -> int:
    return sum(columns(word.text) for word in words)


def _even(clause: list[Aligned]) -> list[list[Aligned]]:
    """A clause too long for one caption in parts of about the same length, cut between words."""
    total = _length(clause)
    parts = -(-total // LONGEST)
    if parts <= 1:
        return [clause]
    text = "".join(word.text for word in clause)
    inside = insides(text)
    places: list[tuple[int, int, int]] = []  # word, columns before it, columns a cut there is thought worse by
    place = width = 0
    for number, word in enumerate(clause):
        if number and text[place] not in NOT_FIRST and text[place - 1] not in NOT_LAST:
            places.append((number, width, LONGEST // 4 if place in inside else 0))
        place, width = place + len(word.text), width + columns(word.text)
    cuts = [0]
    for goal in (total * number / parts for number in range(1, parts)):
        free = [item for item in places if item[0] > cuts[-1] and abs(item[1] - goal) < LONGEST / 2]
        if free:
            cuts.append(min(free, key=lambda item: abs(item[1] - goal) + item[2])[0])
    return [clause[a:b] for a, b in pairwise([*cuts, len(clause)])]


@lru_cache(maxsize=1024)
def insides(text: str) -> frozenset[int]:
    """Offsets inside Chinese words, where neither a row nor a caption should end."""
    if not any(is_wide(letter) for letter in text):
        return frozenset()
    import logging

    import jieba

    jieba.setLogLevel(logging.ERROR)
    at = 0
    places: set[int] = set()
    for word in jieba.cut(text):
        places.update(range(at + 1, at + len(word)))
        at += len(word)
    return frozenset(places)
