"""Where a line of Chinese, English or mixed text may be broken."""

import re
import unicodedata

# GB/T 15834 and JIS X 4051 (W3C clreq, 3.1.3): what may not begin a line, and what may not end one.
NOT_FIRST = frozenset("，。、；：？！％）》〉】〕〗」』”’…—～·,.;:?!)]}%‰℃°々ー")
NOT_LAST = frozenset("（《〈【〔〖「『“‘([{$¥￥£€№#@")
CLOSERS = "”’」』）)》】\"'"

# Words, with the hyphens and apostrophes inside them; and every character of the scripts that break anywhere.
_PIECES = re.compile(
    r"\s+|[^\s\u1100-\uffdc\U00020000-\U0003ffff]+(?:[’‑][^\W\u1100-\uffdc\U00020000-\U0003ffff]+)*|.", re.DOTALL
)


def is_wide(character: str) -> bool:
    """Whether a line may be broken beside this character: Han, kana and full-width forms."""
    return unicodedata.east_asian_width(character) in "WF"


def needs_gap(before: str, after: str) -> bool:
    """Whether a little air belongs between two neighbours: Han beside a Latin letter or digit (clreq, 3.2.2)."""
    return (_is_han(before) and _is_western(after)) or (_is_western(before) and _is_han(after))


def _is_han(character: str) -> bool:
    return is_wide(character) and unicodedata.category(character) == "Lo"


def _is_western(character: str) -> bool:
    return character.isalnum() and not is_wide(character)


def pieces(text: str) -> list[str]:
    """The text cut at every place a line may be broken; the pieces joined are the text.

    Wide characters stand alone, Latin words and numbers stay whole, closing punctuation stays with what is before it
    and opening punctuation with what follows.
    """
    joined: list[str] = []
    for piece in _PIECES.findall(text):
        before = joined[-1] if joined else ""
        glue = bool(before) and not before[-1].isspace() and not piece[0].isspace()
        bound = glue and (piece[0] in NOT_FIRST or before[-1] in NOT_LAST)
        if bound or (before and piece.isspace()):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def ends_clause(text: str) -> bool:
    """Whether the text ends in a mark at which a reader may rest."""
    return text.rstrip().rstrip(CLOSERS)[-1:] in frozenset("，。、；：？！…—,.;:?!\n") and bool(text.strip())


def ends_sentence(text: str) -> bool:
    """Whether the text ends in a mark that closes a sentence."""
    return text.rstrip().rstrip(CLOSERS)[-1:] in frozenset("。？！…?!.") and bool(text.strip())
