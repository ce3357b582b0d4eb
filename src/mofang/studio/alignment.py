"""When each word is heard: one type for captions, lips and highlights."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Aligned:
    """A piece of text and when it sounds.

    `text` is a run of the original text (a Chinese character, an English word, with any punctuation that follows it),
    so that the texts of a sentence's pieces joined together give the sentence back. `start` and `end` are in seconds
    from the start of the audio; `start <= end`.
    """

    text: str
    start: float
    end: float

    def shifted(self, seconds: float) -> "Aligned":
        """The same piece, heard `seconds` later."""
        return Aligned(self.text, self.start + seconds, self.end + seconds)
