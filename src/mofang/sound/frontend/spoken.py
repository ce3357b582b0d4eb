"""Written runs and their spoken words: the shape every normaliser returns, and the one scanner they share."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str | None]]
"""A pattern and what it is read as; None lets the next rule try."""

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF5B) if chr(code - 0xFEE0).isalnum()} | {
    ord(f): ord(a) for f, a in zip("％＄＃＆＋－＝＠／～．＊＜＞￥", "%$#&+-=@/~.*<>¥", strict=True)
}


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the original text and what is said for it.

    `spoken` is words and punctuation, no digits or symbols; it equals `text` where nothing had to be rewritten.
    `given` is the reading of an inline override, checked: syllables such as 'chong2', or '/phonemes/'.
    """

    text: str
    spoken: str
    given: str = ""


def fold(text: str) -> str:
    """`text` with full-width letters, digits and signs, and the digits of other scripts, as ASCII; same length."""
    text = text.translate(_FULL_WIDTH)
    if text.isascii():
        return text
    return "".join(c if c.isascii() or not c.isdecimal() else str(unicodedata.decimal(c)) for c in text)


def rewrite(text: str, rules: Sequence[Rule], start: re.Pattern[str]) -> Iterator[Run]:
    """Read `text` once from left to right; at each place that looks like `start` the first rule that fits speaks.

    Rules see the folded text, whole, so they may look behind and ahead; runs carry the text as it was written.
    """
    plain = fold(text)
    at = kept = 0
    while found := start.search(plain, at):
        at = found.start()
        for pattern, read in rules:
            match = pattern.match(plain, at)
            if match and match.end() > at and (spoken := read(match)) is not None:
                if at > kept:
                    yield Run(text[kept:at], plain[kept:at])
                yield Run(text[at : match.end()], spoken)
                at = kept = match.end()
                break
        else:
            at += 1
    if kept < len(text):
        yield Run(text[kept:], plain[kept:])
