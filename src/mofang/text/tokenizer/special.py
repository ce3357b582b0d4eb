"""The tokens every vocabulary of ours begins with, and those that stand for single bytes."""

from typing import Literal

Kind = Literal["char", "bpe", "unigram", "word"]
KINDS: tuple[Kind, ...] = ("char", "bpe", "unigram", "word")

SPECIALS = ("<|end|>", "<|pad|>", "<|unk|>", "<|sep|>")
"""At ids 0..3: between documents and at the end of a text; filling; an unknown character; between two parts."""
END, PAD, UNK, SEP = range(4)

BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
"""The tokens of the 256 bytes as SentencePiece spells them: what a character outside the vocabulary is made of."""

LIMIT = 1 << 20
"""No vocabulary is larger; a file that says so is damaged or hostile."""
