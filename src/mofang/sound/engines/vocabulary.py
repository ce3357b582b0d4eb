"""Phonemes as the numbers that Kokoro-82M and hibari read."""

from mofang.sound.frontend.symbols import NUMBERS


def numbers(phonemes: str) -> list[int]:
    """The numbers of the known symbols in `phonemes`, between the pads (0) the models expect."""
    return [0, *(NUMBERS[symbol] for symbol in phonemes if symbol in NUMBERS), 0]
