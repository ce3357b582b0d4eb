"""Who a story is about: names given to characters, and whom a pronoun means."""

import re
from dataclasses import dataclass, field

from mofang.image.engines.collage.glyphs import ALIVE, glyphs, word_map, word_set
from mofang.image.engines.collage.lexicon import Entry
from mofang.image.engines.collage.read_find import Mention
from mofang.image.engines.collage.read_words import Clause, Word

_NAMED_ZH = re.compile(r"(?:名叫|名字叫|名字是|叫做|叫作|取名|起名|叫)([\u4e00-\u9fff]{1,4}?)(?:的|[^\u4e00-\u9fff]|$)")
_NAMED_EN = frozenset({"named", "called"})
_MALE = word_set("male.en")
_FEMALE = word_set("female.en")
_STRANGERS = {"he": "1F468", "she": "1F469"}
"""A passage may begin with 她: somebody must stand there."""
_PRONOUNS = word_map("pronouns")


@dataclass
class Cast:
    """The characters so far, most recent hero first, by hexcode and word; and the names they go by."""

    known: list[tuple[str, str]] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)

    def meet(self, hexcode: str, word: str, hero: bool) -> None:
        """Remember a character; a hero is whom the next pronoun means."""
        if glyphs()[hexcode].kind not in ALIVE and hexcode != "1F916":
            return
        old = next((pair for pair in self.known if pair[0] == hexcode), None)
        if old is None:
            self.known.insert(0 if hero else len(self.known), (hexcode, word))
        elif hero:
            self.known.remove(old)
            self.known.insert(0, old)

    def christen(self, clauses: list[Clause], found: list[Mention], lang: str) -> None:
        """Learn names: 一只叫阿布的狐狸, 小狐狸阿布, a fox named Rusty, Rusty the fox."""
        for number, clause in enumerate(clauses):
            alive = [mention for mention in found if mention.clause in {number - 1, number, number + 1} and _animate(mention)]
            alive.sort(key=lambda mention: (mention.clause != number, mention.clause > number))
            for name in _names(clause, found, number, lang):
                if alive and name not in self.names and not any(name == mention.word for mention in found):
                    self.names[name] = _animate(alive[0]) or ""

    def named(self, clauses: list[Clause]) -> list[Mention]:
        """Mentions of characters by name."""
        found = []
        for number, clause in enumerate(clauses):
            for name, hexcode in self.names.items():
                at = next((index for index, word in enumerate(clause.words) if word.text == name), None)
                if at is None and len(name) > 1 and not name.isascii() and name in clause.text:
                    at = len(clause.text.split(name)[0]) // 2
                if at is not None:
                    found.append(Mention(name, Entry((hexcode,), (), ()), "name", number, at, at + 1))
        return found

    def meant(self, word: Word, nxt: Word | None, weathery: bool) -> tuple[str, str] | None:
        """The character a pronoun means, if `word` is one and someone fits."""
        sort = _PRONOUNS.get(word.text.lower())
        if sort in {None, "none", "me"} or (word.text.lower() == "it" and weathery and nxt and nxt.lemma == "be"):
            return None
        plain = _FEMALE if sort == "she" else _MALE - {"old"} if sort == "he" else frozenset()
        fitting = [pair for pair in self.known if _agrees(pair[0], str(sort))]
        stranger = _STRANGERS.get(str(sort)) if word.text.lower() in {"he", "she", "他", "她"} else None
        return next((pair for pair in fitting if plain & _label(pair[0])),
                    fitting[0] if fitting else (stranger, word.text) if stranger else None)


def _animate(mention: Mention) -> str | None:
    return next((code for code in mention.entry.draw if glyphs()[code].kind in ALIVE or code == "1F916"), None)


def _names(clause: Clause, found: list[Mention], number: int, lang: str) -> list[str]:
    words = clause.words
    if lang == "zh":
        names = _NAMED_ZH.findall(clause.text)
        for mention in found:
            if mention.clause == number and _animate(mention) and mention.end < len(words) and words[mention.end].tag == "name":
                names.append(words[mention.end].text)
        return names
    names = [words[i + 1].text for i in range(len(words) - 1)
             if words[i].text.lower() in _NAMED_EN and words[i + 1].text[:1].isupper()]
    for mention in found:
        if mention.clause == number and _animate(mention):
            before = words[max(0, mention.start - 3):mention.start]
            if len(before) >= 2 and "the" in [word.text for word in before] and before[0].text.lower() != "the":
                at = [word.text for word in before].index("the")
                if at and before[at - 1].text[:1].isupper():
                    names.append(before[at - 1].text)
    return names


def _label(hexcode: str) -> set[str]:
    return set(glyphs()[hexcode].english.lower().replace("-", " ").split())


def _agrees(hexcode: str, sort: str) -> bool:
    glyph = glyphs()[hexcode]
    label = _label(hexcode)
    if sort == "any":
        return True
    if sort == "it":
        return glyph.kind == "animal" or hexcode == "1F916"
    return not label & (_FEMALE if sort == "he" else _MALE - {"old"})
