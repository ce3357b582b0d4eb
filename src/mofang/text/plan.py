"""From a one-line brief to a plan of scenes: what kind of film it asks for, what it is about, and what comes when."""

import random
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from mofang.text.language import Lang

KINDS = ("story", "explain", "howto", "origin", "portrait")

_SIGNS: dict[str, tuple[tuple[str, str], ...]] = {
    "zh": (
        ("howto", r"^(?:教你|学会)?(?:如何|怎样|怎么|怎麼)(?!会|會|来|形成|产生|变)"
                  r"|的(?:方法|做法|步骤|步驟|教程)$"),
        ("origin", r"由来|由來|来历|來歷|起源|历史|歷史|传统|傳統|习俗|習俗"),
        ("explain", r"为什么|為什麼|为何|怎么会|怎麼會|是什么|是什麼|什么是|什麼是|原理|科普|如何|怎样|怎么"
                    r"|会.{0,6}吗|的秘密$|介绍|介紹"),
        ("portrait", r"(?:春|夏|秋|冬)(?:天|日|夜)?的|家乡|家鄉|风景|風景|老街|印象"
                     r"|的(?:早晨|清晨|夜晚|黄昏|傍晚|一天|味道|景色|四季|小镇|小鎮|街头)$"),
    ),
    "en": (
        ("howto", r"^how (?:to|can (?:i|you|we)|do (?:i|you|we))\b|\bguide to\b|\brecipe\b"
                  r"|^(?:make|making|brew|brewing|bake|baking|build|building)\b"),
        ("origin", r"\borigins?\b|\bhistory\b|\btraditions?\b|\bwhere .* comes? from\b|\binvention of\b|\bhow .* began\b"),
        ("explain", r"^(?:why|how|what)\b|\bexplain|\bscience\b|\bintroduction to\b"),
        ("portrait", r"^(?:a |an |the |my )?(?:morning|evening|night|day|spring|summer|autumn|winter|sunrise|sunset)\b"
                     r".*\b(?:in|at|on|by|of)\b"
                     r"|\b(?:hometown|landscape|village|street|market|harbou?r)s?\b(?!.*\b(?:who|finds?|meets?|lost)\b)"),
    ),
}  # fmt: skip

_LEAD = {
    "zh": re.compile(r"^(?:请|請)?(?:帮我|幫我)?(?:写|寫|讲|講|做|制作|來|来)?(?:一个|一個|一篇|一段|一部|个)?"
                     r"(?:关于|關於)?|^讲讲|^说说"),
    "en": re.compile(r"^(?:please )?(?:write|tell|make|create)?(?: me| us)?(?: a| an| the)?(?: short)?"
                     r"(?: (?:story|film|video|script|movie|tale))?(?: about| of)? ?", re.I),
}  # fmt: skip
_QUESTION = {
    "zh": re.compile(r"^(?:为什么|為什麼|为何|如何|怎样才能|怎样|怎么|怎麼|什么是|什麼是|教你|学会)"
                     r"|(?:是怎么来的|是怎样|是怎么|是如何|是什么|是什麼|为什么|為什麼|怎么).*$"),
    "en": re.compile(r"^(?:why|how to|how can (?:i|you|we)|how do (?:i|you|we)|how|what|where)"
                     r"(?: (?:is|are|do|does|did|can|was|were))?(?= |$) ?", re.I),
}  # fmt: skip
# What a hero is followed by in a brief: “the girl and …”, “a robot sees …”.
_AFTER_HERO = re.compile(
    r"'s |’s |s' | (?:and|who|that|which|finds?|meets?|in|on|at|of|with|goes|learns?|wants?|dreams?|looks?|sees?|saw|meets|met|"
    r"loves?|lost|from|under|without|for|tries|to|is|was)\b")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Beat:
    """What one scene does: `label` says it to the model, `opener` begins its sentence."""

    label: str
    opener: str


@dataclass(frozen=True)
class Plan:
    """The scenes of a brief, and two scripts of the same kind as examples: pairs of brief and lines, with their labels."""

    brief: str
    kind: str
    topic: str
    lang: Lang
    beats: tuple[Beat, ...]
    labels: tuple[str, ...]
    examples: tuple[tuple[str, tuple[str, ...]], ...]


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("mofang.text").joinpath("beats.toml").read_text("utf-8"))


def kind_of(brief: str, lang: Lang) -> str:
    """Which of `KINDS` a brief asks for; a story when nothing says otherwise."""
    text = brief.strip().lower()
    return next((kind for kind, sign in _SIGNS[lang] if re.search(sign, text)), "story")


def topic_of(brief: str, lang: Lang, kind: str) -> str:
    """What a brief is about, as words that can stand in a sentence."""
    text = brief.strip().strip("。.!！?？“”\"'《》 ")
    if lang == "zh":
        text = _LEAD["zh"].sub("", text, count=1) or text
        text = re.split(r"[，,：:；;。]", text)[0]
        bare = _QUESTION["zh"].sub("", text).strip("？?") or text
        if kind == "howto":
            return re.sub(r"的(?:方法|做法|步骤|步驟|教程)$", "", bare)
        if kind == "portrait":
            return bare
        bare = re.sub(r"(?:的)?(?:由来|由來|来历|來歷|起源|历史|歷史|传统|習俗|习俗|故事|秘密|原理|介绍)$", "", bare) or bare
        if kind == "explain":
            bare = re.split(r"是|会|會|能|要|不|有|在|睡|变|飞|发", bare)[0] or bare
        if kind == "story":
            # The hero: what stands before “and”, “of”, or the first verb.
            first = re.split(r"[和与與跟]", bare)[0]
            first = re.sub(r"^[一两三几]?[个個只隻条條位名头頭匹座棵朵把辆]", "", first.rsplit("的", 1)[-1])
            bare = re.split(r"在|去|找|寻|学|第一次|爱上|遇|救|摘|追|回|想|不|要|有|看|变|迷路", first)[0] or first or bare
        return bare[:12]
    text = _LEAD["en"].sub("", text, count=1) or text
    text = re.split(r"[,:;.—]", text)[0]
    bare = _QUESTION["en"].sub("", text).strip(" ?") or text
    if kind in ("howto", "portrait"):
        if bare[1:2].islower():
            bare = bare[:1].lower() + bare[1:]
        return re.sub(r"^(?:a )?(?:guide to|recipe for) ", "", bare)
    bare = re.sub(r"^(?:the )?(?:origins?|history|tradition|invention|science|secret) of ", "", bare, flags=re.I)
    if kind == "explain":
        bare = re.split(r" (?:is|are|do|does|have|has|can|fall|turn|change|work|sleep|fly|sing|shine|migrate|move|make|grow|live|swim|"
                            r"hunt|form|happen|rise|glow|burn|dream|yawn|erupt|blink|hibernate)s?\b", bare)[0]
        if re.match(r"(?:why|how) (?:is|are|was|were) ", text, re.I) and " " in bare:
            bare = bare.rsplit(" ", 1)[0]  # “why is the sky blue” is about the sky
    if kind == "story":
        bare = _AFTER_HERO.split(bare)[0]
        bare = re.sub(r"^(?:a|an|the) ", "", bare, flags=re.I)
        return bare if re.match(r"[A-Z]|(?:my|our|his|her|their|two|three) ", bare) else f"the {bare}"
    return bare


def plan(brief: str, lang: Lang, scenes: int, seed: int) -> Plan:
    """`scenes` beats (at least 3) for a brief: the kind's own eight, thinned or stretched evenly, first and last kept."""
    kind = kind_of(brief, lang)
    table = _table()[lang][kind]
    rng = random.Random(seed)
    topic = topic_of(brief, lang, kind)
    eight = table["beats"]
    count = max(3, scenes)
    picked = [round(at * (len(eight) - 1) / (count - 1)) for at in range(count)]
    beats = []
    for place, at in enumerate(picked):
        label, openers = eight[at]
        again = place > 0 and picked[place - 1] == at
        # A beat that is stretched over two scenes opens freely the second time.
        opener = "" if again else rng.choice(openers).format(topic=topic)
        beats.append(Beat(label, opener[:1].upper() + opener[1:]))
    examples = tuple((example["brief"], tuple(example["lines"])) for example in table["examples"])
    return Plan(brief, kind, topic, lang, tuple(beats), tuple(label for label, _ in eight), examples)
