"""Captions that follow the voice, word by word."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mofang.studio.alignment import Aligned
from mofang.studio.typeset import Block, Colour, Ink, Typeface, draw, fit, is_wide
from mofang.video.timeline import Caption, Word

ENDS = frozenset("，。、；：？！…—,.;:?!\n")
SILENT_ENDS = "，。、；：,;:"
LONGEST = {"wide": 18, "narrow": 44}
"""Characters of a caption, for Chinese and for alphabetic text: two rows at most at a comfortable size."""


def split(words: Sequence[Aligned], fps: int, offset: int, last: int) -> list[Caption]:
    """Captions for one passage spoken from frame `offset` on; the last one stays until frame `last`.

    Broken after punctuation where a caption would become too long, never inside a word; a caption stands until the
    next one comes, unless the voice rests for more than half a second.
    """
    captions = []
    groups = _groups(words)
    for number, group in enumerate(groups):
        start = offset + round(group[0].start * fps)
        heard = offset + round(group[-1].end * fps)
        following = offset + round(groups[number + 1][0].start * fps) if number + 1 < len(groups) else last
        end = following if following - heard <= fps // 2 else heard + fps // 3
        if end <= start:
            continue
        timed = tuple(
            Word(word.text, offset + round(word.start * fps) - start, offset + round(word.end * fps) - start)
            for word in _trimmed(group)
        )
        if any(word.text.strip() for word in timed):
            captions.append(Caption(timed, start, end))
    return captions


def _trimmed(group: Sequence[Aligned]) -> list[Aligned]:
    """Without the comma or full stop at the end and the spaces around: what a reader of captions expects."""
    words = list(group)
    words[0] = Aligned(words[0].text.lstrip(), words[0].start, words[0].end)
    words[-1] = Aligned(words[-1].text.rstrip().rstrip(SILENT_ENDS), words[-1].start, words[-1].end)
    return [Aligned(re.sub(r"\s+", " ", word.text), word.start, word.end) for word in words]


def _groups(words: Sequence[Aligned]) -> list[list[Aligned]]:
    clauses: list[list[Aligned]] = [[]]
    for word in words:
        clauses[-1].append(word)
        if _closes(word.text):
            clauses.append([])
    groups: list[list[Aligned]] = []
    for clause in (clause for clause in clauses if clause):
        limit = LONGEST["wide" if any(is_wide(letter) for word in clause for letter in word.text) else "narrow"]
        for part in _even(clause, limit):
            joined = groups and _length(groups[-1]) + _length(part) <= limit and not _ends_sentence(groups[-1][-1].text)
            if joined and (_length(groups[-1]) < limit * 0.4 or _length(part) < limit * 0.4):
                groups[-1] += part
            else:
                groups.append(part)
    return groups


def _closes(text: str) -> bool:
    return text.rstrip().rstrip("”’」』）)\"'")[-1:] in ENDS if text.strip() else "\n" in text


def _ends_sentence(text: str) -> bool:
    return text.rstrip().rstrip("”’」』）)\"'")[-1:] in frozenset("。？！…?!.\n")


def _length(words: Sequence[Aligned]) -> int:
    return sum(len(word.text) for word in words)


def _even(clause: list[Aligned], limit: int) -> list[list[Aligned]]:
    """A clause too long for one caption in parts of about the same length."""
    parts = -(-_length(clause) // limit)
    if parts <= 1:
        return [clause]
    target, out, count = _length(clause) / parts, [[clause[0]]], len(clause[0].text)
    for word in clause[1:]:
        if count >= target * len(out) and len(out) < parts:
            out.append([])
        out[-1].append(word)
        count += len(word.text)
    return out


@dataclass(frozen=True)
class Style:
    """How captions look in a film of a given size: where they stand, how large, in which colours."""

    face: Typeface
    width: int
    height: int
    size: int
    baseline: float
    """Where the lower edge of the lowest row stands, as a share of the height."""
    spoken: Colour = (255, 214, 92, 255)
    waiting: Colour = (255, 255, 255, 255)

    @classmethod
    def of(cls, face: Typeface, width: int, height: int) -> "Style":
        """The usual look. In 9:16 the lowest sixth is left to the platforms' buttons and titles."""
        tall = height > width
        size = round(min(width, height) * (0.062 if tall else 0.058))
        return cls(face, width, height, size, 0.82 if tall else 0.93)

    def typeset(self, caption: Caption) -> Block:
        """The caption broken into rows inside the safe width."""
        room = self.width * (0.86 if self.height > self.width else 0.8)
        return fit(caption.text, self.face, self.size, self.size // 3, room, self.height * 0.3, rows=2)

    def image(self, block: Block, spoken: int) -> tuple[NDArray[np.uint8], int, int]:
        """RGBA with the first `spoken` characters in the spoken colour, and where its corner goes in the frame."""
        ink = Ink(self.waiting, (18, 20, 28, 235), 0.075, (0, 0, 0, 150), 0.12)
        picture, (dx, dy) = draw(block, ink, highlights=[(0, spoken, self.spoken)])
        x = round((self.width - block.width) / 2) + dx
        y = round(self.height * self.baseline) - block.height + dy
        return picture, x, y


def spoken_at(caption: Caption, frame: int) -> int:
    """How many characters of the caption have begun to sound at `frame`, counted from the caption's start."""
    return sum(len(word.text) for word in caption.words if word.start <= frame)
