"""How captions look: set in rows inside the safe area, lit up word by word."""

from dataclasses import dataclass
from itertools import accumulate, pairwise

from mofang.studio.typeset import Block, Box, Colour, Ink, Typeface, boxes, draw, fit
from mofang.video.captions import insides
from mofang.video.planes import Patch
from mofang.video.timeline import Caption, Word


@dataclass(frozen=True)
class Style:
    """How captions look in a film of a given size: where they stand, how large, in which colours."""

    face: Typeface
    width: int
    height: int
    size: int
    room: float
    """The widest row in pixels."""
    foot: float
    """Where the lower edge of the lowest row stands, as a share of the height."""
    spoken: Colour = (255, 216, 92, 255)
    waiting: Colour = (255, 255, 255, 255)
    outline: Colour = (14, 16, 24, 240)
    shadow: Colour = (0, 0, 0, 150)

    @classmethod
    def of(cls, face: Typeface, width: int, height: int) -> "Style":
        """The usual look. A tall film's lowest fifth is left to the platforms' titles, and its right to their buttons.

        Sizes are shares of the shorter side; a wide film's captions may be smaller, for they are read from afar on a
        large screen.
        """
        short = min(width, height)
        if height > width * 1.2:
            return cls(face, width, height, round(short * 0.063), width * 0.80, 0.79)
        if width > height * 1.2:
            return cls(face, width, height, round(short * 0.06), width * 0.72, 0.925)
        return cls(face, width, height, round(short * 0.056), width * 0.84, 0.92)

    def typeset(self, caption: Caption) -> Block:
        """The caption broken into at most two rows, smaller if it must be."""
        text = caption.text
        return fit(text, self.face, self.size, max(self.size // 2, 6), self.room, self.height * 0.3, 2, insides(text))


class Lettering:
    """One caption on the screen: drawn once waiting and once spoken, the second taking over as the voice goes."""

    def __init__(self, caption: Caption, style: Style) -> None:
        block = style.typeset(caption)
        left = round((style.width - block.width) / 2)
        top = round(style.height * style.foot) - block.height
        self._words = caption.words
        ends = list(accumulate((len(word.text) for word in caption.words), initial=0))
        places = boxes(block, list(pairwise(ends)))
        self._boxes = [[(left + a, top + b, left + c, top + d) for a, b, c, d in word] for word in places]
        patches = []
        for fill in (style.waiting, style.spoken):
            image, (dx, dy) = draw(block, Ink(fill, style.outline, 0.075, style.shadow, 0.12))
            patches.append(Patch.of(image, left + dx, top + dy, style.width, style.height))
        self._drawn, self._lit = patches[0], patches[1]
        if self._drawn is not None:
            self._drawn = self._drawn.copy()

    def at(self, frame: int) -> Patch | None:
        """The caption at `frame`, counted from its start. To be asked in the order of frames; None for no letters."""
        if self._drawn is not None and self._lit is not None:
            for word, places in zip(self._words, self._boxes, strict=True):
                for part in _reached(word, places, frame):
                    self._drawn.take(self._lit, part)
        return self._drawn


def _reached(word: Word, places: list[Box], frame: int) -> list[Box]:
    """The parts of a word's boxes the voice has come to."""
    if frame < word.start:
        return []
    share = min(1.0, (frame - word.start + 1) / max(word.end - word.start, 1))
    left = share * sum(c - a for a, _, c, _ in places)
    reached = []
    for a, b, c, d in places:
        if left <= 0:
            break
        reached.append((a, b, min(a + left, c), d))
        left -= c - a
    return reached
