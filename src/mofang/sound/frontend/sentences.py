"""Text in the chunks a voice speaks at once."""

import re
from collections.abc import Iterator
from typing import Literal

from mofang.sound.frontend.mandarin.readings import is_han
from mofang.sound.frontend.overrides import MARK

LONGEST = 60.0
"""A chunk, in syllables roughly: a quarter of a minute; voice models drop words beyond half a minute."""

_ENDS = frozenset("。！？!?｡‽؟۔।")
_CLAUSES = frozenset("，,；;：:、…—")
_CLOSERS = frozenset("”’\"'」』）)】》〉]』»")
_PAIRS = {"“": "”", "「": "」", "『": "』", "（": "）", "(": ")", "《": "》", "【": "】", "«": "»", '"': '"', "[": "]"}
# Before a name or a number: never the end of a sentence.
_BEFORE_NAMES = frozenset(
    [
        "Dr",
        "Mr",
        "Mrs",
        "Ms",
        "Prof",
        "St",
        "Mt",
        "Ft",
        "Gen",
        "Gov",
        "Sen",
        "Rep",
        "Capt",
        "Lt",
        "Col",
        "Sgt",
        "Rev",
        "Hon",
        "No",
        "Nos",
        "Fig",
        "Vol",
        "Ch",
        "Sec",
        "Eq",
        "vs",
        "cf",
        "eg",
        "ie",
        "viz",
        "e.g",
        "i.e",
        "pp",
        "ed",
        "eds",
        "approx",
        "ca",
    ]
)
# May end a sentence, if a capital follows.
_MAYBE_ENDS = frozenset(
    [
        "etc",
        "Inc",
        "Ltd",
        "Co",
        "Corp",
        "Jr",
        "Sr",
        "Ave",
        "Blvd",
        "Rd",
        "a.m",
        "p.m",
        "A.M",
        "P.M",
        "U.S",
        "U.K",
        "U.N",
        "Ph.D",
        "D.C",
        "al",
        "Jan",
        "Feb",
        "Mar",
        "Apr",
        "Jun",
        "Jul",
        "Aug",
        "Sep",
        "Sept",
        "Oct",
        "Nov",
        "Dec",
        "Mon",
        "Tue",
        "Wed",
        "Thu",
        "Fri",
        "Sat",
        "Sun",
        "dept",
        "est",
    ]
)
# What a cut must not fall into: an inline reading, a number, an address, a word.
_WHOLE = re.compile(
    rf"{MARK.pattern}|[0-9A-Za-zÀ-ɏ¥$€£][\w'’.,:/@%+\-~～–]*[\w%]|[0-9A-Za-zÀ-ɏ]+|[-−+]?[0-9]+[%℃°]?", re.ASCII
)


def sentences(text: str, lang: Literal["zh", "en"]) -> list[str]:
    """`text` cut at the ends of sentences and lines; joined, the chunks are `text`.

    A sentence longer than a voice can hold is cut further, at clause marks or else between words; never inside a
    number, an abbreviation or an inline reading, and inside quotation marks only when the quotation itself is too long.
    """
    chunks: list[str] = []
    for sentence in _merge_blank(_split(text)):
        chunks += _shorten(sentence)
    return chunks


def _split(text: str) -> Iterator[str]:
    quoted = _quoted(text)
    start = at = 0
    while at < len(text):
        c = text[at]
        at += 1
        if c != "\n" and (quoted[at - 1] or not (c in _ENDS or (c == "." and _is_full_stop(text, at - 1)))):
            continue
        while at < len(text) and (text[at] in _ENDS or (text[at] in _CLOSERS and _closes(text, at))):
            at += 1
        while at < len(text) and text[at].isspace():
            at += 1
        yield text[start:at]
        start = at
    if start < len(text):
        yield text[start:]


def _closes(text: str, at: int) -> bool:
    """Whether the mark closes: a straight quote does so only before a space or the end."""
    return text[at] not in "\"'" or at + 1 == len(text) or not text[at + 1].isalnum()


def _is_full_stop(text: str, at: int) -> bool:
    after = re.match(r"[.”’\"')\]]*(\s*)(.?)", text[at + 1 : at + 40], re.DOTALL)
    assert after is not None
    space, following = after.groups()
    if not space and following and not is_han(following):
        return False
    word = re.search(r"[A-Za-z.]*$", text[max(0, at - 20) : at])
    name = word[0] if word else ""
    if name in _BEFORE_NAMES or (len(name) == 1 and name.isupper() and following):
        return False
    if name in _MAYBE_ENDS or re.fullmatch(r"(?:[A-Za-z]\.)+[A-Za-z]", name):
        return not following or following.isupper() or is_han(following)
    return not following.islower()


def _quoted(text: str) -> list[bool]:
    """For every character whether it stands inside quotation marks or brackets that close on the same line.

    The mark that closes counts as inside, the one after it does not; a sentence may end right behind it.
    """
    inside = [False] * len(text)
    at = 0
    while at < len(text):
        if (closer := _PAIRS.get(text[at])) is None:
            at += 1
            continue
        end = text.find(closer, at + 1, at + 400)
        line = text.find("\n", at, max(end, at))
        if end < 0 or line >= 0:
            at += 1
            continue
        # “他说：‘好。’” followed by nothing more of the sentence: the end inside is the end outside.
        ends_here = text[end - 1] in "。！？!?." and (
            end + 1 == len(text) or text[end + 1] in "\n" or _new_sentence(text, end)
        )
        for place in range(at, end - 1 if ends_here else end + 1):
            inside[place] = True
        at = end + 1
    return inside


def _new_sentence(text: str, end: int) -> bool:
    """Whether a new sentence follows the closing mark; “好。”他说 goes on with who said it."""
    following = text[end + 1 :].lstrip()[:1]
    return not following or following in _PAIRS or following.isupper()


def _merge_blank(parts: Iterator[str]) -> Iterator[str]:
    """Chunks without a word join the one before; the first joins the one after."""
    held: list[str] = []
    has_words = False
    for part in parts:
        if any(map(str.isalnum, part)):
            if has_words:
                yield "".join(held)
                held = []
            has_words = True
        held.append(part)
    if held:
        yield "".join(held)


def weight(text: str) -> float:
    """Roughly how many syllables `text` takes to say."""
    return sum(1.0 if is_han(c) or c.isdigit() else 0.3 if c.isalpha() else 0.1 for c in text)


def _shorten(sentence: str) -> list[str]:
    """`sentence` in pieces of at most `LONGEST`, as few and as even as the places to cut allow."""
    pieces = []
    # What fits a chunk is decided within its first thousand characters, so that a book in one line stays linear.
    while weight(sentence[:1000]) > LONGEST:
        cut = _best_cut(sentence[:1000])
        pieces.append(sentence[:cut])
        sentence = sentence[cut:]
    return [*pieces, sentence] if sentence else pieces


def _best_cut(sentence: str) -> int:
    guarded = {at for m in _WHOLE.finditer(sentence) for at in range(m.start() + 1, m.end())}
    # The dots of an abbreviation and the marks inside a number are guarded; what follows them is not.
    best: dict[int, int] = {}
    said = 0.0
    for at, c in enumerate(sentence[:-1], 1):
        said += weight(c)
        if said > LONGEST:
            break
        if at in guarded or sentence[at] in _CLOSERS or sentence[at] in _CLAUSES or sentence[at] in _ENDS:
            continue
        if c.isspace() and not sentence[at].isspace():
            previous = sentence[:at].rstrip()[-1:]
            strength = 3 if previous in _ENDS else 2 if previous in _CLAUSES else 1
        else:
            strength = 3 if c in _ENDS else 2 if c in _CLAUSES else 0 if is_han(c) else -1
        if strength == -1 or sentence[at].isspace():
            continue
        if strength >= 2 and said < LONGEST / 3:  # a scrap before the pause sounds worse than a later cut
            strength -= 2
        best[strength] = at
    if best:
        return best[max(best)]
    # One endless word or number: it has to be cut somewhere.
    room = LONGEST
    for at, c in enumerate(sentence):
        room -= weight(c)
        if room < 0:
            return max(1, at)
    return len(sentence)
