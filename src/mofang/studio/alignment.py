"""When each word is heard: one type for captions, lips and highlights."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Aligned:
    """A piece of text and when it sounds.

    `text` is a run of the original text (a Chinese character, an English word, with any punctuation that follows it),
    so that the texts of a sentence's pieces joined together give the sentence back. `start` and `end` are in seconds
    from the start of the audio; `start <= end`. `sounds` are the phonemes heard in between, where the voice tells them:
    pieces of the same type, whose texts are symbols of the phonetic alphabet.
    """

    text: str
    start: float
    end: float
    sounds: tuple["Aligned", ...] = ()

    def moved(self, moment: Callable[[float], float]) -> "Aligned":
        """The same piece and its sounds with every time put where `moment` says."""
        return Aligned(self.text, moment(self.start), moment(self.end), tuple(each.moved(moment) for each in self.sounds))

    def shifted(self, seconds: float) -> "Aligned":
        """The same piece, heard `seconds` later."""
        return self.moved(lambda moment: moment + seconds)
