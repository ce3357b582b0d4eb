"""MusicXML: `<identification><miscellaneous>` (MusicXML 4.0: fields for what the format has no element for).

The explicit label is a `<credit>`, which notation programs print on the first page.
"""

import re
from xml.sax.saxutils import escape, unescape

from mofang.trust.carriers import Buffer, Malformed, Pieces

QUOTES = {"&quot;": '"', "&apos;": "'", "&#34;": '"', "&#39;": "'"}
HEAD = 1 << 20
"""Bytes from the beginning within which a score's part list begins."""
CREDIT = re.compile(r"<credit-words[^<>]*>([^<]*)</credit-words>")


def _field(name: str) -> re.Pattern[str]:
    return re.compile(rf'<miscellaneous-field name="{name}">([^<]*)</miscellaneous-field>')


RECORD, RECIPE = "AIGC", "Mofang-Recipe"


def _head_and_rest(data: Buffer) -> tuple[str, bytes]:
    """What stands before the part list, and everything from there on. Raises `Malformed` for text that is no score."""
    place = data.find(b"<part-list", 0, HEAD)
    if place < 0:
        raise Malformed("the MusicXML has no part list")
    try:
        return data[:place].decode("utf-8"), data[place:]
    except UnicodeDecodeError as error:
        raise Malformed("the MusicXML is not UTF-8") from error


def read(data: Buffer) -> list[str]:
    """Every AIGC field before the part list."""
    return [unescape(match[1], QUOTES) for match in _field(RECORD).finditer(_head_and_rest(data)[0])]


def write(data: Buffer, record: str) -> Pieces:
    """One AIGC field among the others."""
    return _with(data, RECORD, record)


def remark(data: Buffer, recipe: str) -> Pieces:
    """The recipe as a field of its own, in place of any that is there."""
    return _with(data, RECIPE, "".join(letter for letter in recipe if letter >= " "))


def notices(data: Buffer) -> list[str]:
    """The words that are printed on a page."""
    return [unescape(match[1], QUOTES) for match in CREDIT.finditer(_head_and_rest(data)[0])]


def notice(data: Buffer, text: str) -> Pieces:
    """The score with one more line printed on its first page, in the upper left corner."""
    head, rest = _head_and_rest(data)
    words = '<credit-words halign="left" valign="top" justify="left" font-size="9">'
    return [head.encode(), f'<credit page="1">{words}{escape(text)}</credit-words></credit>'.encode(), rest]


def _with(data: Buffer, name: str, text: str) -> Pieces:
    head, rest = _head_and_rest(data)
    head = _field(name).sub("", head)
    field = f'<miscellaneous-field name="{name}">{escape(text)}</miscellaneous-field>'
    # The schema's order: miscellaneous ends the identification, which stands before defaults and credits.
    for mark, before, after in (("</miscellaneous>", "", ""), ("</identification>", "<miscellaneous>", "</miscellaneous>")):
        place = head.find(mark)
        if place >= 0:
            return [(head[:place] + before + field + after + head[place:]).encode(), rest]
    places = [place for mark in ("<defaults", "<credit") if (place := head.find(mark)) >= 0]
    place = min(places, default=len(head))
    whole = f"<identification><miscellaneous>{field}</miscellaneous></identification>"
    return [(head[:place] + whole + head[place:]).encode(), rest]
