"""Text to numbers and back, without losing a character.

>>> tokenizer = train_tokenizer("bpe", ["床前明月光", "the moonlight before my bed"], size=400)
>>> tokenizer.decode(tokenizer.encode("明月 🌕"))
'明月 🌕'
"""

from mofang.text.tokenizer.special import END, KINDS, PAD, SEP, SPECIALS, UNK
from mofang.text.tokenizer.tokenizer import Tokenizer
from mofang.text.tokenizer.train import train_tokenizer

__all__ = ["END", "KINDS", "PAD", "SEP", "SPECIALS", "UNK", "Tokenizer", "train_tokenizer"]
