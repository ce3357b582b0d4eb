"""Find the words of a clause that mean something to a picture: longest match over lexicon, glyph labels and tags."""

from dataclasses import dataclass, replace
from typing import Literal

from mofang.image.engines.collage.glyphs import ACTIVITIES, by_label, by_tag, glyphs, of_emoji
from mofang.image.engines.collage.lexicon import Entry, lexicon
from mofang.image.engines.collage.read_english import NOUNY
from mofang.image.engines.collage.read_words import Clause, Word

Source = Literal["lexicon", "sense", "label", "tag", "emoji", "name", "pronoun"]
TRUST: dict[Source, float] = {"lexicon": 1.0, "sense": 1.0, "label": 0.95, "tag": 0.55, "emoji": 1.2, "name": 1.0, "pronoun": 1.0}
SHARED = 2
"""A tag that more glyphs than this carry names a field, not a thing."""
PHRASE = 4
"""Words in the longest English expression."""
_AFTER_NOUN = frozenset("前上下里中边旁外内后间")
_BEFORE_NOUN = frozenset("大小老旧新红白黄黑绿蓝青金银木石铁竹破古高长短")


@dataclass(frozen=True, slots=True)
class Mention:
    """A word of the passage and what it means. `start:end` are word positions in clause number `clause`.

    `weight` is 1 for a thing that is there, less for one only compared or left behind, 0 for one denied.
    """

    word: str
    entry: Entry
    source: Source
    clause: int
    start: int
    end: int
    weight: float = 1.0
    count: int = 1
    agent: bool = False


def mentions(clause: Clause, number: int, around: frozenset[str], lang: str) -> list[Mention]:
    """The mentions in `clause`, in reading order. `around`: the words of the whole passage, for choosing senses."""
    found = _chinese(clause, around) if lang == "zh" else _english(clause, around)
    found += _emoji(clause)
    return [replace(mention, clause=number) for mention in found]


def _english(clause: Clause, around: frozenset[str]) -> list[Mention]:
    words, found, index = clause.words, [], 0
    while index < len(words):
        for size in range(min(PHRASE, len(words) - index), 0, -1):
            piece = words[index:index + size]
            surface = " ".join(word.text.lower() for word in piece)
            lemmas = " ".join(word.lemma for word in piece)
            mixed = " ".join([*(word.text.lower() for word in piece[:-1]), piece[-1].lemma])  # running shoes: running shoe
            hit = _meaning(list(dict.fromkeys([surface, mixed, lemmas])), words, index, index + size, around, "en")
            if hit and size == 1 and surface.endswith(("ing", "ed")) and piece[0].lemma != surface and _somebody(hit[0]):
                hit = None  # guarding gold: no guard
            if hit is None and size == 1 and "-" in surface:
                hit = _meaning([surface.rsplit("-", 1)[1]], words, index, index + 1, around, "en")
            if hit:
                text = " ".join(word.text for word in piece)
                found.append(Mention(text, hit[0], hit[1], 0, index, index + size))
                index += size
                break
        else:
            index += 1
    return found


def _somebody(entry: Entry) -> bool:
    return any(glyphs()[code].kind == "person" and glyphs()[code].subgroup not in ACTIVITIES for code in entry.draw)


def _chinese(clause: Clause, around: frozenset[str]) -> list[Mention]:
    text = "".join(word.text for word in clause.words)
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    owner: list[int] = []
    for index, word in enumerate(clause.words):
        starts[len(owner)] = index
        owner += [index] * len(word.text)
        ends[len(owner)] = index
    longest = lexicon("zh").longest
    found, at = [], 0
    while at < len(text):
        for end in range(min(at + longest, len(text)), at, -1):
            if not (_fits(clause, text, at, end, starts, ends, owner)):
                continue
            first, last = owner[at], owner[end - 1] + 1
            whole = at in starts and end in ends
            hit = _meaning([text[at:end].lower()], clause.words, first, last, around, "zh", clause.classical, whole)
            if hit:
                found.append(Mention(text[at:end], hit[0], hit[1], 0, first, last))
                at = end
                break
        else:
            at += 1
    return found


def _fits(clause: Clause, text: str, at: int, end: int, starts: dict[int, int], ends: dict[int, int],
          owner: list[int]) -> bool:
    """Whether `text[at:end]` may be read as a word: it must not cut two words of jieba's in the middle
    (和服务员 holds no 和服), nor pick single characters out of longer words, except in verse."""
    if at in starts and end in ends:
        return True
    if clause.classical:
        return True
    if owner[at] != owner[end - 1]:
        return False
    token = clause.words[owner[at]]
    if end - at == 1:
        place = at in starts and token.text[1] in _AFTER_NOUN
        thing = end in ends and token.text[0] in _BEFORE_NOUN
        return len(token.text) == 2 and token.tag in {"n", "x"} and (place or thing)
    return (at in starts or end in ends) and token.tag in {"n", "x", "name"}


def _meaning(names: list[str], words: tuple[Word, ...], start: int, end: int, around: frozenset[str], lang: str,
             classical: bool = False, whole: bool = True) -> tuple[Entry, Source] | None:
    known = lexicon(lang)
    for name in names:
        for sense in known.senses.get(name, ()):
            if all(_holds(test, values, words, start, end, around) for test, values in sense.tests):
                return sense.entry, "sense"
        if classical and name in known.classical:
            return known.classical[name], "lexicon"
        if name in known.entries:
            return known.entries[name], "lexicon"
    if not whole or (lang == "zh" and len(names[0]) < 2) or len(names[0]) < 2:
        return None
    for name in names:
        if hexcode := by_label(lang).get(name):
            noun = end - start > 1 or words[start].tag in {"n", "x", "name"}
            return (Entry((hexcode,), (), ()), "label") if noun else None
    if end - start > 1 or words[start].tag != "n" or (lang == "en" and len(names[0]) < 4):
        return None
    if lang == "en" and not ((start and words[start - 1].text.lower() in NOUNY) or names[0].endswith("s")):
        return None
    for name in names:
        shared = [hexcode for hexcode in by_tag(lang).get(name, ()) if glyphs()[hexcode].kind != "person"]
        if 0 < len(shared) <= SHARED:
            return Entry((shared[0],), (), ()), "tag"
    return None


def _holds(test: str, values: frozenset[str], words: tuple[Word, ...], start: int, end: int,
           around: frozenset[str]) -> bool:
    if test == "tag":
        return words[start].tag in values
    if test == "cap":
        return words[start].text[0].isupper()
    if test == "near":
        return not values.isdisjoint(around) or any(
            value in word for value in values if len(value) > 1 and not value.isascii() for word in around)
    if test == "prev":
        return start > 0 and bool({words[start - 1].text.lower(), words[start - 1].lemma} & values)
    return end < len(words) and ("*" in values or bool({words[end].text.lower(), words[end].lemma} & values))


def _emoji(clause: Clause) -> list[Mention]:
    """Emoji written in the passage itself: the plainest wish there is."""
    found, at, text = [], 0, clause.text
    while at < len(text):
        if text[at] >= "\u2300" and not "\u3000" <= text[at] <= "\uffef":
            for end in range(min(at + 7, len(text)), at, -1):
                glyph = of_emoji(text[at:end])
                if glyph and glyph.kind not in {"body", "symbol"}:
                    found.append(Mention(text[at:end], Entry((glyph.hexcode,), (), ()), "emoji", 0, 0, 0))
                    at = end - 1
                    break
        at += 1
    return found


