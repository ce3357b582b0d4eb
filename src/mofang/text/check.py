"""Whether a sentence that a model wrote may stand in a script."""

import re
from collections.abc import Sequence

from mofang.text.language import Lang, han_count, word_count
from mofang.text.repeat import loops, normal, repeats, stuck_ending, units

LENGTH = {"zh": (7, 60), "en": (4, 36)}
"""Shortest and longest sentence: characters in Chinese, words in English."""
_RUN = {"zh": 6, "en": 5}

_MARKUP = re.compile(r"^\s*(?:[-*+•#>]|\d+[.)、])|[#*_|<>{}\[\]\\^`~=@]|https?:|www\.|\ufffd|：$|:$")
_DANGLING = {
    "zh": re.compile(r"(?:的|和|与|或|把|被|在|从|向|对|因为|如果|虽然|以及|一个|一只|一种|正在|有一|是|，|、)[。！？!?.]?$"),
    "en": re.compile(r"\b(?:the|a|an|and|or|but|of|to|in|on|at|by|with|for|from|as|that|which|who|is|are|was|were|be|been|his|her|"
                     r"their|its|my|your|our|so|very|if|when|because|into|than|had|has|have|not|could|would|should)\W*$", re.I),
}  # fmt: skip
_GARBLED = {
    "zh": re.compile(r"(.)\1\1|([里中的在是了上下和与被把就从到着得地也])\2|[，、][，、]|的[，。]|[，。][的了着过]"
                     r"|(.{2,6})，\3[，。]"),
    "en": re.compile(r"\b(\w+) \1\b|\b(?![aio]\b)[a-z]\b(?!')|[a-z]'(?!(?:s|t|re|ve|ll|d|m)\b)|,,"
                     r"|\b(?:a|an|the|to|of) (?:a|an|the|to|of|and)\b",
                     re.I),
}  # fmt: skip
_COARSE = re.compile(
    r"\b(?:fuck\w*|shit\w*|bitch\w*|cunt\w*|nigg\w+|rape[ds]?|raping|porn\w*|sex(?:ual\w*|y)?|naked|penis|vagina|whores?|sluts?)\b"
    r"|操你|傻逼|他妈的|妈的|屁眼|强奸|色情|做爱|阴道|阴茎|裸体|妓女|婊子|屎|尿", re.I)  # fmt: skip
_SPOKEN_END = re.compile(r"[。！？!?.…][”’」』\"']?$")
_SIMPLIFIED = "gb2312"


def fault(sentence: str, lang: Lang, earlier: Sequence[str] = (), examples: Sequence[str] = (), *, topic: str = "",
          simplified: bool = True) -> str:  # fmt: skip
    """What is wrong with `sentence`, in a word, or nothing.

    `earlier` are the script's sentences so far, `examples` lines that must not be copied, `topic` words that may come
    again and again. `simplified` refuses Chinese characters outside the simplified set.
    """
    text = sentence.strip()
    shortest, longest = LENGTH[lang]
    length = han_count(text) if lang == "zh" else word_count(text)
    if not _SPOKEN_END.search(text) or _DANGLING[lang].search(text.rstrip("。！？!?.…”’」』\"'")):
        return "unfinished"
    if not _in_language(text, lang, simplified):
        return "language"
    if length < shortest:
        return "short"
    if length > longest:
        return "long"
    if _MARKUP.search(text) or "\n" in text:
        return "markup"
    if _COARSE.search(text):
        return "coarse"
    if any(text.count(a) != text.count(b) for a, b in ("“”", "（）", "「」", "《》", "()")) or text.count('"') % 2:
        return "unbalanced"
    if _GARBLED[lang].search(text) or loops(text, lang) or stuck_ending(text, lang) or _echoes(text, lang):
        return "garbled"
    if repeats(text, earlier):
        return "repeated"
    if shares_run(text, earlier, lang, topic):
        return "repeated"
    if repeats(text, examples) or shares_run(text, examples, lang, topic):
        return "copied"
    return ""


def _echoes(text: str, lang: Lang) -> bool:
    """Whether the sentence says three characters (words) of its own twice: “the blue sky is a blue sky”."""
    words = units(text, lang)
    grams = [tuple(words[at : at + 3]) for at in range(len(words) - 2)]
    return len(grams) > len(set(grams)) and (lang == "zh" or len(words) < 25)


def shares_run(text: str, others: Sequence[str], lang: Lang, topic: str = "") -> bool:
    """Whether `text` says six characters (five English words) in a row that one of `others` says, the topic aside."""
    n = _RUN[lang]
    own = _runs(text, lang, n, topic)
    return any(own & _runs(other, lang, n, topic) for other in others)


def _runs(text: str, lang: Lang, n: int, topic: str) -> set[tuple[str, ...]]:
    if topic:
        text = re.sub(re.escape(topic), "\x01", text, flags=re.I)
    found: set[tuple[str, ...]] = set()
    for part in text.split("\x01"):
        words = units(part, lang)
        found.update(tuple(words[at : at + n]) for at in range(len(words) - n + 1))
    return found


def _in_language(text: str, lang: Lang, simplified: bool) -> bool:
    han, words = han_count(text), word_count(text)
    if lang == "en":
        return not han and (text.isascii() or words >= len(normal(text)) / 12)
    if simplified:
        try:
            re.sub(r"[^\u4e00-\u9fff]", "", text).encode(_SIMPLIFIED)
        except UnicodeEncodeError:
            return False
    return han >= 4 * words
