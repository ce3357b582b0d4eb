"""The hand-written bilingual lexicon: which words call for which glyphs, and what they say of place, time and mood.

A row of `lexicon_*.tsv` is `Chinese words | English words | glyphs | cues`, words separated by `|`. A glyph marked `~` is
drawn only when the picture would be empty without it (the painter already paints forests and seas); `-` draws nothing, which
also stops the looser match over emojibase's tags. A cue is `place:sea`, with `*0.5` when it is only a hint. A Chinese word
marked `^` counts only in classical verse, where one character is one word.

A row of `senses.tsv` chooses between meanings of one word: `language, word, tests, glyphs, cues`; the first row whose tests
all hold wins. Tests: `near=a|b` (another word of the passage), `prev=a|b`, `next=a|b`, `tag=n` (part of speech), `*`.
"""

from dataclasses import dataclass
from functools import cache

from mofang.image.engines.collage.glyphs import of_emoji, rows

FILES = ("lexicon_beings.tsv", "lexicon_nature.tsv", "lexicon_things.tsv", "lexicon_topics.tsv")


@dataclass(frozen=True, slots=True)
class Cue:
    """One vote: `about` is place, time, season, weather, mood; `value` one of scene.py's literals; `weight` 0..2."""

    about: str
    value: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Entry:
    """What a word means for a picture: hexcodes to draw, hexcodes to draw only in an empty picture, and cues."""

    draw: tuple[str, ...]
    filler: tuple[str, ...]
    cues: tuple[Cue, ...]


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning of an ambiguous word and the tests under which it holds."""

    tests: tuple[tuple[str, frozenset[str]], ...]
    entry: Entry


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All entries of one language. `classical` holds only what classical verse adds; `longest` is in characters."""

    entries: dict[str, Entry]
    classical: dict[str, Entry]
    senses: dict[str, tuple[Sense, ...]]
    longest: int


@cache
def lexicon(lang: str) -> Lexicon:
    """The lexicon of `zh` or `en`, read once."""
    entries: dict[str, Entry] = {}
    classical: dict[str, Entry] = {}
    for name in FILES:
        for row in rows(name):
            chinese, english, draw, cues = (*row, "", "", "")[:4]
            meaning = entry(draw, cues)
            for word in filter(None, (chinese if lang == "zh" else english).split("|")):
                if word.startswith("^"):
                    classical.setdefault(word[1:], meaning)
                else:
                    entries.setdefault(word, meaning)
    senses: dict[str, tuple[Sense, ...]] = {}
    for row in rows("senses.tsv"):
        language, words, tests, draw, cues = (*row, "", "")[:5]
        if language == lang:
            for word in words.split("|"):
                senses[word] = (*senses.get(word, ()), Sense(_tests(tests), entry(draw, cues)))
    return Lexicon(entries, classical, senses, max(map(len, [*entries, *classical])))


def entry(draw: str, cues: str) -> Entry:
    """Parse the last two columns. Raises ValueError on a glyph that is not in the index: a mistake in our own file."""
    sure: list[str] = []
    filler: list[str] = []
    for emoji in draw.split():
        if emoji == "-":
            continue
        glyph = of_emoji(emoji.lstrip("~"))
        if glyph is None:
            raise ValueError(f"no such glyph: {emoji}")
        (filler if emoji.startswith("~") else sure).append(glyph.hexcode)
    return Entry(tuple(sure), tuple(filler), tuple(map(_cue, cues.split())))


def _cue(text: str) -> Cue:
    about, _, rest = text.partition(":")
    value, _, weight = rest.partition("*")
    return Cue(about, value, float(weight or 1))


def _tests(text: str) -> tuple[tuple[str, frozenset[str]], ...]:
    if text == "*":
        return ()
    return tuple((test.partition("=")[0], frozenset(test.partition("=")[2].split("|"))) for test in text.split("&"))
