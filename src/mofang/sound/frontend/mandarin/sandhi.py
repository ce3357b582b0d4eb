"""How tones change in company: neutral tones, 一 and 不, and the third tone before a third.

After Duanmu, The Phonology of Standard Chinese (2007), chapters 11 and 12: the third tone changes within a foot, a
foot is a word of two or three syllables or a pair of words of one, and across feet only where one is a single syllable.
"""

from functools import lru_cache
from importlib.resources import files
from itertools import pairwise

from mofang.sound.frontend.mandarin.segment import Word

# 的 地 得 了 着 are left to the table of readings: each has another reading with a tone.
_PARTICLES = frozenset("吗呢吧啊呀哇啦嘛哪嘞咯呗么")
_DIGITS = frozenset("零〇一二三四五六七八九十百千万亿点幺")
_ORDINAL_RIGHT = ("号", "月", "楼", "班", "年级", "等奖", "等功", "中")
_ORDINAL_LEFT = frozenset("第十零〇二三四五六七八九点周初期幺")
_ER_WORDS = frozenset(
    [
        "女儿",
        "婴儿",
        "幼儿",
        "孤儿",
        "少儿",
        "胎儿",
        "健儿",
        "宠儿",
        "混血儿",
        "弃儿",
        "男儿",
        "育儿",
        "患儿",
        "新生儿",
        "早产儿",
        "产儿",
        "小儿",
        "儿女",
        "幸运儿",
        "弄潮儿",
        "妻儿",
        "孙儿",
        "侄儿",
    ]
)


@lru_cache(maxsize=1)
def neutral_words() -> frozenset[str]:
    """The words of `neutral.txt`."""
    lines = (files(__package__) / "neutral.txt").read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def is_erhua(word: str, at: int) -> bool:
    """Whether the 儿 at `at` of `word` is the retroflex suffix (花儿) and no syllable of its own (女儿)."""
    return word[at] == "儿" and at == len(word) - 1 and at > 0 and word not in _ER_WORDS


def sandhi(text: str, words: list[Word], citation: list[str], fixed: frozenset[int] = frozenset()) -> list[str]:
    """The readings as they are spoken. `fixed` are positions whose reading the author gave: they stay."""
    spoken = list(citation)
    for word in words:
        _neutral(word, spoken)
    _yi_bu(text, words, spoken)
    for at in fixed:
        spoken[at] = citation[at]
    _third(text, words, spoken, fixed)
    return spoken


def _soften(spoken: list[str], at: int) -> None:
    if spoken[at]:
        spoken[at] = spoken[at][:-1] + "5"


def _neutral(word: Word, spoken: list[str]) -> None:
    text, start = word.text, word.start
    if text in _PARTICLES and word.tag[0] in "uye":
        _soften(spoken, start)
    if text in neutral_words() or text[-2:] in neutral_words():
        _soften(spoken, start + len(text) - 1)
    elif len(text) > 2 and text[:2] in neutral_words():
        _soften(spoken, start + 1)
    if len(text) > 1 and text[-1] == "们":
        _soften(spoken, start + len(text) - 1)
    if len(text) == 2 and text[0] == text[1] and (word.tag[0] == "v" or text in _KIN):
        _soften(spoken, start + 1)
        if word.tag[0] == "v" and spoken[start].endswith("3"):  # 想想: the second 想 lifts the first, then fades
            spoken[start] = spoken[start][:-1] + "2"
    if len(text) == 3 and text[0] == text[2] and text[1] in "一不":
        _soften(spoken, start + 1)
    if is_erhua(text, len(text) - 1):
        _soften(spoken, start + len(text) - 1)


_KIN = frozenset(c * 2 for c in "妈爸爷奶哥姐弟妹叔舅姑婆公伯婶嫂太娃宝星猩")


def _yi_bu(text: str, words: list[Word], spoken: list[str]) -> None:
    ends = {w.start + len(w.text) - 1: w for w in words if len(w.text) > 1}
    for at, c in enumerate(text):
        if c not in "一不" or spoken[at][-1:] not in ("1", "4") or spoken[at][:-1] not in ("yi", "bu"):
            continue
        after = spoken[at + 1][-1:] if at + 1 < len(text) else ""
        before = text[at - 1] if at else ""
        if c == "不":
            spoken[at] = "bu2" if after == "4" else "bu4"
            if 0 < at < len(text) - 1 and before == text[at + 1]:
                spoken[at] = "bu5"
            continue
        following = text[at + 1 : at + 3]
        number = (following[:1] in _DIGITS and following[:1] not in "百千万亿点") or (
            following[:1] == "点" and following[1:] in _DIGITS and following[1:] != ""
        )
        ratio = before == "比" and text[at - 2 : at - 1] in _DIGITS and at > 1
        if (
            at in ends
            or not after
            or number
            or ratio
            or before in _ORDINAL_LEFT
            or (following.startswith(_ORDINAL_RIGHT) and not following.startswith("月饼"))
            or (before == "期" and text[at - 2 : at] == "星期")
        ):
            spoken[at] = "yi1"
        elif 0 < at < len(text) - 1 and before == text[at + 1]:
            spoken[at] = "yi5"
        else:
            spoken[at] = "yi2" if after == "4" or (after == "5" and following[:1] == "个") else "yi4"


def _feet(words: list[Word], spoken: list[str]) -> list[list[int]]:
    """Positions grouped into feet; an empty foot marks a pause, which no sandhi crosses."""
    feet: list[list[int]] = []
    open_pair = False
    for word in words:
        places = [at for at in range(word.start, word.start + len(word.text)) if spoken[at]]
        if not places:
            if word.text.strip():
                feet.append([])
            open_pair = False
        elif len(places) == 1 and open_pair and feet[-1]:
            feet[-1] += places
            open_pair = False
        else:
            open_pair = len(places) == 1
            # Words of four and more are two feet.
            feet += [places[:2], places[2:]] if len(places) >= 4 else [places]
    return feet


def _third(text: str, words: list[Word], spoken: list[str], fixed: frozenset[int]) -> None:
    feet = _feet(words, spoken)
    before = list(spoken)
    for foot in feet:
        for at, after in pairwise(foot):
            # 小老虎 is 小 and 老虎: 3 2 3, where 展览馆, 展览 and 馆, is 2 2 3.
            alone = at == foot[0] and len(foot) == 3 and text[at] in "小老好很" and before[foot[2]].endswith("3")
            if before[at].endswith("3") and before[after].endswith("3") and at not in fixed and not alone:
                spoken[at] = spoken[at][:-1] + "2"
    for left, right in pairwise(feet):
        if (
            left
            and right
            and 1 in (len(left), len(right))
            and left[-1] not in fixed
            and (spoken[left[-1]].endswith("3") and spoken[right[0]].endswith("3"))
        ):
            spoken[left[-1]] = spoken[left[-1]][:-1] + "2"
