"""The glyphs a scene can be made of, and the words emojibase gives them in Chinese and English."""

from dataclasses import dataclass
from functools import cache
from importlib import resources

from mofang.image.engines.collage.scene import Role

DRAWABLE = frozenset({"person", "animal", "plant", "food", "building", "land", "vehicle", "aircraft", "sky", "thing"})
ALIVE = frozenset({"person", "animal"})
ACTIVITIES = frozenset({"person-activity", "person-sport", "person-resting"})
"""Subgroups that show somebody doing something: words for the doing call them as well as words for the doer."""
_ROLES: dict[str, Role] = {"sky": "sky", "aircraft": "sky", "food": "prop", "thing": "prop"}


@dataclass(frozen=True, slots=True)
class Glyph:
    """One emoji: its emojibase hexcode, what it is in a picture (`kind`), and its names in both languages."""

    hexcode: str
    kind: str
    subgroup: str
    english: str
    english_tags: tuple[str, ...]
    chinese: str
    chinese_tags: tuple[str, ...]

    @property
    def emoji(self) -> str:
        """The character itself, for explanations."""
        return "".join(chr(int(code, 16)) for code in self.hexcode.split("-"))

    def role(self) -> Role:
        """Where it belongs when the grammar of the passage says nothing."""
        return _ROLES.get(self.kind, "support")

    def label(self, lang: str) -> str:
        """Its name in `zh` or `en`."""
        return self.chinese if lang == "zh" and self.chinese else self.english


@cache
def glyphs() -> dict[str, Glyph]:
    """Every glyph by hexcode, in emojibase's order."""
    table: dict[str, Glyph] = {}
    for row in rows("glyphs.tsv"):
        hexcode, kind, subgroup, english, english_tags, chinese, chinese_tags = row
        table[hexcode] = Glyph(hexcode, kind, subgroup, english, _split(english_tags), chinese, _split(chinese_tags))
    return table


@cache
def _bare() -> dict[str, str]:
    return {glyph.emoji.replace("\ufe0f", ""): hexcode for hexcode, glyph in glyphs().items()}


def of_emoji(emoji: str) -> Glyph | None:
    """The glyph drawn by `emoji` (with or without the variation selector), if it is one of ours."""
    hexcode = _bare().get(emoji.replace("\ufe0f", ""))
    return glyphs()[hexcode] if hexcode else None


@cache
def by_label(lang: str) -> dict[str, str]:
    """Hexcode by label in `lang`, lower case; drawable glyphs only."""
    return {glyph.label(lang).lower(): hexcode for hexcode, glyph in reversed(glyphs().items())
            if glyph.kind in DRAWABLE}


@cache
def by_tag(lang: str) -> dict[str, tuple[str, ...]]:
    """Hexcodes by tag in `lang`, lower case; drawable glyphs only. A tag many glyphs share says little about any."""
    table: dict[str, list[str]] = {}
    for hexcode, glyph in glyphs().items():
        if glyph.kind in DRAWABLE:
            for tag in glyph.chinese_tags if lang == "zh" else glyph.english_tags:
                table.setdefault(tag.lower(), []).append(hexcode)
    return {tag: tuple(found) for tag, found in table.items()}


def rows(name: str) -> list[list[str]]:
    """The rows of a data file of this package: tab-separated, `#` starts a comment line."""
    text = resources.files("mofang.image.engines.collage.data").joinpath(name).read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if line.strip() and not line.startswith("#")]


@cache
def _word_lists() -> dict[str, str]:
    return {row[0]: row[1] for row in rows("words.tsv")}


def word_set(name: str) -> frozenset[str]:
    """The list `name` of `words.tsv`."""
    return frozenset(_word_lists()[name].split())


def word_map(name: str) -> dict[str, str]:
    """The list `name` of `words.tsv` whose members are `word:value`."""
    return dict(pair.split(":", 1) for pair in _word_lists()[name].split())


def _split(tags: str) -> tuple[str, ...]:
    return tuple(tags.split("|")) if tags else ()
