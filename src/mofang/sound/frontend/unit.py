"""What a voice is given to say: runs of the original text, each with its phonemes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """One run of the text as it was written and how it is spoken.

    `text` is one Chinese character, or one English word, number or token, with the punctuation and space that follow
    it; the texts of a sentence's units joined together give the sentence back. `phonemes` are Kokoro's symbols
    (IPA, stress marks, tone arrows, punctuation, spaces), '' where nothing is heard; joined together they are what
    the voice model reads.
    """

    text: str
    phonemes: str
