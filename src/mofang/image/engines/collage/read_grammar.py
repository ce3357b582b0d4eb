"""What grammar does to a mention: who acts, what is denied, what is only compared, how many there are."""

from dataclasses import replace

from mofang.image.engines.collage.glyphs import ALIVE, glyphs, word_map, word_set
from mofang.image.engines.collage.read_find import Mention
from mofang.image.engines.collage.read_words import Clause, Word

MOST = 9
REACH = 24
"""Words either side that grammar looks at: a clause longer than that is no clause."""
FIGURATIVE = 0.2
LEFT_BEHIND = 0.3
ARRIVED = 1.5

_DENY_ZH = word_set("deny.zh")
_NOT_DENY_ZH = word_set("not_deny.zh")
_DENY_EN = word_set("deny.en")
_LIKE_ZH = word_set("like.zh")
_EXIST = word_set("bring_on")
_ASIDE_ZH = word_set("aside.zh")
_ASIDE_EN = word_set("aside.en")
_ROLE_EN = word_set("in_the_role.en")
_LEAVE = word_set("leave")
_ARRIVE = word_set("arrive")
_MANY_ZH = {word: int(number) for word, number in word_map("count.zh").items()}
_COUNT_EN = {word: int(number) for word, number in word_map("count.en").items()}
_DIGITS_ZH = {char: value for value, chars in
             enumerate(("零", "一", "二两俩", "三仨", "四", "五", "六", "七", "八", "九")) for char in chars}
_UNITS_ZH = frozenset("岁年天点米里元块月日次度斤克个月小时分钟秒种样号层楼尺丈吨岁半遍下声口步")


def weighed(mention: Mention, clause: Clause, lang: str) -> Mention:
    """`mention` with its weight, its number and whether it acts, read from the words of its clause."""
    before = clause.words[max(0, mention.start - REACH):mention.start]
    after = clause.words[mention.end:mention.end + REACH]
    if mention.source == "emoji":
        return replace(mention, agent=_alive(mention))
    weight = 1.0
    if _denied(before, after, lang):
        weight = 0.0
    elif _compared(before, after, lang):
        weight = FIGURATIVE
    elif (left := _nearest(before, _LEAVE | _ARRIVE, 3)) is not None:
        weight = LEFT_BEHIND if left in _LEAVE else ARRIVED
        if any(glyphs()[code].kind in ALIVE for code in mention.entry.draw):
            weight = 1.0
    number = _count_zh(before, after, mention) if lang == "zh" else _count_en(before, clause.words[mention.start:mention.end])
    return replace(mention, weight=weight, count=max(1, min(number, MOST)), agent=weight > 0.5 and _acts(mention, before, lang))


def _alive(mention: Mention) -> bool:
    return any(glyphs()[code].kind in ALIVE for code in mention.entry.draw)


def _acts(mention: Mention, before: tuple[Word, ...], lang: str) -> bool:
    """An actor stands before the verb, or after one that only brings it on, and behind no preposition."""
    if not _alive(mention):
        return False
    if any(word.tag == "v" and word.lemma not in _EXIST for word in before):
        return False
    aside = _ASIDE_ZH if lang == "zh" else _ASIDE_EN
    return not any(word.lemma in aside for word in before[-3:])


def _denied(before: tuple[Word, ...], after: tuple[Word, ...], lang: str) -> bool:
    reach = before[-5:]
    if lang == "zh":
        if any(word.text in _NOT_DENY_ZH for word in reach):
            return False
        hit = next((i for i in range(len(reach) - 1, -1, -1) if reach[i].text in _DENY_ZH), None)
        if hit is None:
            hit = next((i for i in range(len(reach) - 1, -1, -1) if reach[i].text == "不" and reach[i].tag == "d"
                        and i + 1 < len(reach) and reach[i + 1].text in {"是", "见", "下", "要", "吃", "带", "养", "再", "能"}), None)
        # 没有钱的农夫: the denied noun ended at 的, and what follows is there.
        return hit is not None and not any(word.text == "的" for word in reach[hit + 1:])
    for index in range(len(reach) - 1, -1, -1):
        if reach[index].text.lower() in _DENY_EN:
            rest = [word.text.lower() for word in reach[index + 1:]]
            return not ({"only", "but", "until", "forget", "sooner"} & set(rest))
    return False


def _compared(before: tuple[Word, ...], after: tuple[Word, ...], lang: str) -> bool:
    if lang == "zh":
        if any(word.text in {"似的", "般", "一般"} for word in after[:1]):
            return True
        return any(word.text in _LIKE_ZH for word in before)
    reach = before[-5:]
    for index, word in enumerate(reach):
        if word.text.lower() == "like":
            previous = reach[index - 1] if index else None
            return previous is None or not (previous.tag == "r" or previous.text.lower() in
                                            {"to", "would", "also", "really", "don't", "people", "children"})
        if word.text.lower() == "as":
            following = reach[index + 1].text.lower() if index + 1 < len(reach) else ""
            bare = index == len(reach) - 1  # white as snow
            if (bare or following in {"a", "an", "the"}) and index and reach[index - 1].lemma not in _ROLE_EN:
                return True
            return following == "if" or any(later.text.lower() == "as" for later in reach[index + 1:])
    return False


def _nearest(before: tuple[Word, ...], among: frozenset[str], reach: int) -> str | None:
    return next((word.lemma for word in reversed(before[-reach:]) if word.lemma in among), None)


def _count_zh(before: tuple[Word, ...], after: tuple[Word, ...], mention: Mention) -> int:
    if mention.word.endswith("们") or (after and after[0].text == "们"):
        return 3
    for word in reversed(before[-4:]):
        if word.tag in {"v", "p"} or word.text in "，、和与":
            break
        if word.tag == "m" or word.text in _MANY_ZH:
            return _number_zh(word.text, before)
    return 1


def _number_zh(text: str, before: tuple[Word, ...]) -> int:
    for words, value in _MANY_ZH.items():
        if text.startswith(words):
            return value
    if text[-1:] in _UNITS_ZH or any(word.text[:1] in _UNITS_ZH for word in before[-3:] if word.tag == "q"):
        return 1
    if text[:1] == "第":
        return 1
    digits = "".join(char for char in text if char.isascii() and char.isdigit())
    if digits:
        return min(int(digits[:4]), MOST)
    if text.startswith("十") or any(char in text for char in "百千万"):
        return 5 if any(char in text for char in "百千万") else MOST
    return _DIGITS_ZH.get(text[:1], 1)


def _count_en(before: tuple[Word, ...], words: tuple[Word, ...]) -> int:
    for word in reversed(before[-3:]):
        text = word.text.lower()
        if word.tag == "v" or text in {"and", "or", "with", "'s"}:
            break
        if text in _COUNT_EN:
            return _COUNT_EN[text]
        if text.isdigit():
            return min(int(text[:4]), MOST)
    last = words[-1]
    if last.text.lower().endswith("'s") or last.text.lower() == last.lemma:
        return 1
    return 2 if last.tag in {"n", "x"} and last.lemma != last.text.lower() and last.text[-1:] in "sne" else 1
