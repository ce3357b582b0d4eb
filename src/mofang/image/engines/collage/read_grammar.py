"""What grammar does to a mention: who acts, what is denied, what is only compared, how many there are."""

from dataclasses import replace

from mofang.image.engines.collage.glyphs import ALIVE, glyphs
from mofang.image.engines.collage.read_find import Mention
from mofang.image.engines.collage.read_words import Clause, Word

MOST = 9
FIGURATIVE = 0.2
LEFT_BEHIND = 0.3
ARRIVED = 1.5

_DENY_ZH = frozenset("没有 没 无 不是 不见 不要 不许 禁止 并非 看不见 看不到 从不 从未 未 毫无 不带 缺少 不吃 不再 不下 没见 不养 不用 不能 别 不会 不想 不买 不含 无需".split())
_NOT_DENY_ZH = frozenset("没有忘记 忘记 不仅 不但 不只 不过 不久 不得不 只有 除了 忘".split())
_DENY_EN = frozenset("no not never without neither nor none nobody cannot hardly isn't wasn't aren't weren't don't doesn't didn't can't couldn't won't haven't hasn't hadn't".split())
_LIKE_ZH = frozenset("像 好像 仿佛 如同 宛如 犹如 好似 似 如 似的 就像 恰似 好比 疑是 宛若 若 活像 疑 当作 比作 形似".split())
_EXIST = frozenset("有 住 住着 是 来 来了 叫 走来 跑来 出现 坐着 站着 be live have come there stand sit".split())
_ASIDE_ZH = frozenset("对 把 被 向 跟 给 从 在 替 为 离 往 朝 用 比 让 叫".split())
_ASIDE_EN = frozenset("to at with by from for in on of into behind near beside about over under after".split())
_LEAVE = frozenset("离开 走出 从 告别 离 逃出 跑出 飞出 from leave out exit".split())
_ARRIVE = frozenset("来到 到 到了 走进 回到 走到 到达 抵达 游到 飞到 跑到 进 进入 arrive reach into enter".split())
_MANY_ZH = {"一群": 5, "许多": 5, "很多": 5, "好多": 5, "无数": 5, "成群": 5, "几": 3, "一些": 3, "数": 3, "群": 5, "一行": 3, "一排": 4,
            "两三": 3, "三两": 3, "三五": 4, "一对": 2, "一双": 2, "双": 2, "对": 2, "众": 4, "满树": 4, "满天": 4, "成双": 2, "多": 5}
_DIGITS_ZH = {char: value for value, chars in enumerate(("零", "一", "二两俩", "三仨", "四", "五", "六", "七", "八", "九")) for char in chars}
_UNITS_ZH = frozenset("岁年天点米里元块月日次度斤克个月小时分钟秒种样号层楼尺丈吨岁半遍下声口步")
_COUNT_EN = {word: value for value, word in enumerate("zero one two three four five six seven eight nine".split())} | {
    "ten": 9, "dozen": 9, "hundred": 9, "thousand": 9, "twelve": 9, "several": 3, "few": 3, "many": 5, "pair": 2, "couple": 2,
    "flock": 5, "herd": 5, "group": 4, "swarm": 5, "pack": 4, "school": 5, "both": 2, "crowd": 5, "countless": 5, "bunch": 4}


def weighed(mention: Mention, clause: Clause, lang: str) -> Mention:
    """`mention` with its weight, its number and whether it acts, read from the words of its clause."""
    before = clause.words[:mention.start]
    after = clause.words[mention.end:]
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
        if word.text.lower() == "as" and index + 1 < len(reach):
            return any(later.text.lower() == "as" for later in reach[index + 1:]) or reach[index + 1].text.lower() == "if"
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
        if text in _COUNT_EN or word.lemma in _COUNT_EN:
            return _COUNT_EN.get(text, _COUNT_EN.get(word.lemma, 1))
        if text.isdigit():
            return min(int(text[:4]), MOST)
    last = words[-1]
    return 2 if last.tag in {"n", "x"} and last.lemma != last.text.lower() and last.text[-1:] in "sne" else 1
