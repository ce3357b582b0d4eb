"""Spoken text to phonemes: each script by its own reader, every symbol on the character it belongs to."""

import re
from functools import lru_cache
from importlib.resources import files
from itertools import cycle

from mofang.sound.frontend.english.words import pronounce
from mofang.sound.frontend.mandarin.readings import is_han, readings
from mofang.sound.frontend.mandarin.sandhi import is_erhua, sandhi
from mofang.sound.frontend.mandarin.segment import segment
from mofang.sound.frontend.mandarin.syllables import erhua, ipa
from mofang.sound.frontend.symbols import PUNCTUATION, SYMBOLS

# Latin words and what joins them; quotes and brackets are read by the table of punctuation.
_LATIN = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏ](?:[A-Za-zÀ-ÖØ-öø-ɏ'’\-&,;:.!? \u0300-\u036f]*[A-Za-zÀ-ÖØ-öø-ɏ.!?])?")


@lru_cache(maxsize=1)
def simplified() -> dict[int, str]:
    """Every traditional character's simplified one, for `str.translate`."""
    lines = (files("mofang.sound.frontend.mandarin") / "traditional.tsv").read_text("utf-8").splitlines()
    return {ord(a): b for a, _, b in (line.partition("\t") for line in lines if not line.startswith("#"))}


def voice(text: str, given: dict[int, str] | None = None) -> list[str]:
    """The phonemes of `text` character by character: a word's stand at its first letter, a pause's at its mark.

    `text` is spoken text, without digits. `given` maps positions to readings the author chose ('chong2', '/…/', or ''
    for silence); they are used as they are. Characters that cannot be spoken are silent.
    """
    given = given or {}
    sounds = [""] * len(text)
    _voice_han(text, given, sounds)
    for match in _LATIN.finditer(text):
        for start, _, sound in pronounce(match[0]):
            at = match.start() + min(start, len(match[0]) - 1)
            sounds[at] += "".join(c for c in sound if c in SYMBOLS)
    latin = {at for match in _LATIN.finditer(text) for at in range(*match.span())}
    quotes = cycle("“”")  # straight quotes open and close in turn
    for at, c in enumerate(text):
        if c.isspace():
            sounds[at] = "," if c == "\n" else " "
        elif c == '"':
            sounds[at] = next(quotes)
        elif at not in latin and not is_han(c):
            sounds[at] = PUNCTUATION.get(c, "")
    for at, reading in given.items():
        if not reading or reading.startswith("/"):
            sounds[at] = reading.strip("/") if reading else ""
    return _spaced(text, sounds)


def _voice_han(text: str, given: dict[int, str], sounds: list[str]) -> None:
    if not any(map(is_han, text)):
        return
    # Astral ideographs and stray code points keep their place but are no concern of the segmenter's.
    simple = "".join(c if len(c) == 1 else "?" for c in (simplified().get(ord(c), c) for c in text))
    simple = re.sub(r"[\ud800-\udfff\0]", "?", simple)
    words = segment(simple)
    citation = [r if is_han(c) else "" for r, c in zip(readings(simple, words, text), simple, strict=True)]
    chosen = {at: r for at, r in given.items() if r and not r.startswith("/")}
    for at, reading in chosen.items():
        citation[at] = reading
    spoken = sandhi(simple, words, citation, frozenset(chosen))
    for word in words:
        last = word.start + len(word.text) - 1
        for at in range(word.start, last + 1):
            if not spoken[at]:
                continue
            takes_er = at + 1 == last and is_erhua(word.text, last - word.start) and spoken[last].endswith("5")
            try:
                sounds[at] = erhua(spoken[at]) if takes_er else ipa(spoken[at])
            except KeyError:  # a character whose only recorded reading is no syllable of today's Mandarin
                sounds[at] = ""
        if sounds[last] and is_han(text[last]):
            sounds[last] += " "


_PAUSES = frozenset(",.!?;:…—")


def _spaced(text: str, sounds: list[str]) -> list[str]:
    """Spaces as the models saw them in training: one after a word or a mark, none before a mark, none doubled.

    A mark before anything has been said is silent, so text without words has no phonemes at all.
    """
    spoken = [""] * len(sounds)
    last = -1  # where the last symbols went
    pending = False  # a space is due before the next word
    for at, sound in enumerate(sounds):
        body = sound.strip()
        if body in _PAUSES or body in (")", "”"):
            if last >= 0 and not (body in _PAUSES and spoken[last] in _PAUSES):
                spoken[at], last = body, at
            pending = last >= 0
        elif body:
            opens, meets = body in ("(", "“"), is_han(text[at]) != is_han(text[last])
            if last >= 0 and (pending or opens or meets) and spoken[last] not in ("(", "“"):
                spoken[last] += " "
            spoken[at], last, pending = body, at, sound.endswith(" ")
        elif sound:
            pending = True
    if last >= 0 and all(s in ("", "(", "“", "( ", "“ ", ")", "”") for s in spoken):
        return [""] * len(sounds)
    return spoken
