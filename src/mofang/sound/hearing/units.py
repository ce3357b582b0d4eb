"""Text as what should be heard: one English word, or one Mandarin syllable, after another.

Numbers are compared as words, traditional characters as simplified ones. A syllable that was heard may have been written with any
character that sounds so: a homophone is no error of the voice's.
"""

import re
from dataclasses import dataclass

from mofang.sound.frontend import Lang, normalise, visible
from mofang.sound.frontend.mandarin.readings import is_han
from mofang.sound.frontend.voicing import simplified

DIGITS = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
_TELEPHONE = re.compile(r"[0-9][0-9-]{5,}")
_WORD = {"zh": re.compile(r"[a-z]+|[^a-z]+"), "en": re.compile(r"[a-z'’]+")}


@dataclass(frozen=True, slots=True)
class Unit:
    """A Chinese character or an English word (`text`), every way it may sound, and where it stands: characters `start` to `end` of
    the text, without its inline readings."""

    text: str
    sounds: frozenset[str]
    start: int
    end: int


def units(text: str, language: Lang, tones: bool = False, every: bool = False) -> list[Unit]:
    """What is heard when `text` is read aloud. A Mandarin syllable is in pinyin, with its tone as a number if `tones`; it is read as
    its sentence wants, or, if `every`, in each way the character can be read.

    Raises `UserError` for an inline reading that cannot be said.
    """
    spoken, places = _spoken(text, language)
    found = []
    for match in _WORD[language].finditer(spoken):
        word, at = match[0], match.start()
        if language == "en":
            if bare := re.sub("['’]", "", word):
                found.append(Unit(bare, frozenset((bare,)), places[at][0], places[at + len(word) - 1][1]))
        elif word.isascii() and word.isalpha():
            found.append(Unit(word, frozenset((word,)), places[at][0], places[at + len(word) - 1][1]))
        else:
            han = [(at + number, character) for number, character in enumerate(word) if is_han(character)]
            read = _pinyin("".join(character for _, character in han), tones, every)
            found += [Unit(character, sounds, *places[place]) for (place, character), sounds in zip(han, read, strict=True)]
    return found


def _spoken(text: str, language: Lang) -> tuple[str, list[tuple[int, int]]]:
    """The words said, and from which characters of the text without its inline readings each of their letters comes."""
    said, places = list[str](), list[tuple[int, int]]()
    written, origin = _dialled(text.translate(simplified())) if language == "zh" else (text.translate(simplified()), None)
    at = 0
    for run in normalise(written, language):
        words = run.spoken.lower().replace("幺", "一")  # On the telephone 一 is 幺.
        same = len(words) == len(run.text)
        for number in range(len(words)):
            first, last = (at + number, at + number + 1) if same else (at, at + max(len(run.text), 1))
            places.append((origin[first], origin[last - 1] + 1) if origin else (first, last))
        said.append(words)
        at += len(run.text)
    return "".join(said), places


def _dialled(text: str) -> tuple[str, list[int] | None]:
    """A telephone number is its digits, however it is grouped; and where in the text each character stood, if any moved."""
    if not _TELEPHONE.search(text):
        return text, None
    text, made, origin, at = visible(text), list[str](), list[int](), 0

    def kept(end: int) -> None:
        made.append(text[at:end])
        origin.extend(range(at, end))

    for number in _TELEPHONE.finditer(text):
        kept(number.start())
        for place in range(*number.span()):
            if text[place] != "-":
                made.append(DIGITS[text[place]])
                origin.append(place)
        at = number.end()
    kept(len(text))
    return "".join(made), [*origin, len(text)]


def _pinyin(han: str, tones: bool, every: bool) -> list[frozenset[str]]:
    from pypinyin import Style, lazy_pinyin, pinyin

    style = Style.TONE3 if tones else Style.NORMAL
    if every:
        return [frozenset(pinyin(character, style=style, heteronym=True)[0]) for character in han]
    return [frozenset((syllable,)) for syllable in lazy_pinyin(han, style=style)]
