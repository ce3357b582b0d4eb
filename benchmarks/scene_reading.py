"""Does the picture fit the words? Mofang's reader and plain keyword search over the same glyphs, on `sets/scenes.tsv`.

    python benchmarks/scene_reading.py [--quick] [--show dev]

The peer is what the rivals' search terms amount to: each word of the passage (jieba for Chinese, whitespace for English)
looked up among the CLDR labels and tags of every glyph, label before tag, six subjects at most, settings by their plain names.
`--show dev` prints what went wrong on the development half; there is deliberately no way to print the held-out half.
"""

import argparse
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from common import HERE, Row, report
from mofang.image.engines.collage.glyphs import DRAWABLE, glyphs, of_emoji
from mofang.image.engines.collage.read import read

SETTINGS = ("place", "time", "season", "weather")
GOALS = {"must": 0.85, "clean": 0.97, "place": 0.85, "time": 0.9, "season": 0.85, "weather": 0.9}
STOP = frozenset({"the", "and", "was", "for", "with", "his", "her", "its", "had", "that", "this", "from", "they", "were", "are", "not",
                  "but", "you", "all", "one", "two", "three", "has", "have"})
NAMES_ZH = {
    "place": {"草地": "meadow", "山": "mountains", "大海": "sea", "海滩": "beach", "河": "river", "池塘": "lake", "瀑布": "waterfall",
              "森林": "forest", "竹林": "bamboo", "沙漠": "desert", "雪地": "snowfield", "稻田": "farm", "花园": "garden",
              "村庄": "village", "城市": "city", "寺庙": "temple", "房间": "room", "卧室": "bedroom", "厨房": "kitchen",
              "学校": "school", "图书馆": "library", "太空": "space", "山洞": "cave"},
    "time": {"黎明": "dawn", "黄昏": "dusk", "夜": "night", "夜里": "night", "深夜": "night"},
    "season": {"春天": "spring", "夏天": "summer", "秋天": "autumn", "冬天": "winter"},
    "weather": {"雨": "rain", "雪": "snow", "暴风雨": "storm", "雾": "fog", "风": "wind"}}
NAMES_EN = {
    "place": {word: word for word in ("meadow", "mountains", "sea", "beach", "river", "lake", "forest", "bamboo", "desert", "farm",
                                      "garden", "village", "town", "city", "temple", "room", "kitchen", "school", "library",
                                      "space", "cave")} | {"pond": "lake"},
    "time": {"dawn": "dawn", "sunset": "dusk", "dusk": "dusk", "night": "night"},
    "season": {word: word for word in ("spring", "summer", "autumn", "winter")},
    "weather": {word: word for word in ("rain", "snow", "storm", "fog", "wind")}}


@dataclass(frozen=True)
class Case:
    """One passage and what its picture owes it."""

    lang: str
    genre: str
    passage: str
    must: tuple[frozenset[str], ...]
    never: frozenset[str]
    setting: dict[str, frozenset[str]]
    dev: bool


def cases() -> list[Case]:
    """The rows of `sets/scenes.tsv`."""
    lines = [line for line in (HERE / "sets/scenes.tsv").read_text("utf-8").splitlines() if line and line[0] != "#"]
    found = []
    for number, line in enumerate(lines, 1):
        lang, genre, passage, must, never, setting = (*line.split("\t"), "", "")[:6]
        wanted = {about: frozenset(values.split("/")) for about, values in (part.split(":") for part in setting.split())}
        found.append(Case(lang, genre, passage, tuple(map(codes, must.split())), codes(never.replace(" ", "/")), wanted,
                          number % 2 == 1 or genre.endswith("+")))
    return found


def codes(alternatives: str) -> frozenset[str]:
    """Hexcodes of `🦆/🐤`."""
    return frozenset(glyph.hexcode for emoji in alternatives.split("/") if (glyph := of_emoji(emoji)))


Answer = tuple[list[str], dict[str, str | None]]


def ours(case: Case) -> Answer:
    """Mofang's subjects and setting."""
    scene = read(case.passage, case.lang)  # type: ignore[arg-type]
    return [subject.glyph for subject in scene.subjects], {about: getattr(scene, about) for about in SETTINGS}


def peer(case: Case) -> Answer:
    """Keyword search over labels and tags."""
    if case.lang == "zh":
        import jieba

        words = [word for word in jieba.cut(case.passage) if len(word) > 1 or "\u4e00" <= word <= "\u9fff"]
    else:
        words = [word for word in re.findall(r"[a-z']+", case.passage.lower()) if len(word) > 2 and word not in STOP]
    names = NAMES_ZH if case.lang == "zh" else NAMES_EN
    setting = {about: next((names[about][word] for word in words if word in names[about]), None) for about in SETTINGS}
    setting["time"], setting["weather"] = setting["time"] or "day", setting["weather"] or "clear"
    subjects = [hexcode for word in words if (hexcode := keyword(word, case.lang))]
    return list(dict.fromkeys(subjects))[:6], setting


def keyword(word: str, lang: str) -> str | None:
    """The first glyph with `word` as its label, else in its label, else among its tags."""
    table = INDEX.setdefault(lang, {})
    if not table:
        for rank in (0, 1, 2):
            for hexcode, glyph in glyphs().items():
                if glyph.kind in DRAWABLE:
                    tags = glyph.chinese_tags if lang == "zh" else glyph.english_tags
                    for name in ([glyph.label(lang)], glyph.label(lang).split(), tags)[rank]:
                        table.setdefault(name.lower(), hexcode)
    return table.get(word)


INDEX: dict[str, dict[str, str]] = {}


def score(some: list[Case], answer: Callable[[Case], Answer], show: bool = False) -> dict[str, float]:
    """Shares: must-have groups drawn, must-nots kept out, settings right (only where the words decide them)."""
    hits: dict[str, list[bool]] = {"must": [], "clean": [], **{about: [] for about in SETTINGS}}
    for case in some:
        subjects, setting = answer(case)
        drawn = frozenset(subjects)
        hits["must"] += [bool(group & drawn) for group in case.must]
        hits["clean"] += [hexcode not in drawn for hexcode in case.never]
        for about, values in case.setting.items():
            hits[about].append(setting[about] in values)
        if show:
            wrong = ["/".join(glyphs()[code].emoji for code in group) for group in case.must if not group & drawn]
            wrong += [f"not {glyphs()[code].emoji}" for code in case.never & drawn]
            wrong += [f"{about} {setting[about]}" for about, values in case.setting.items() if setting[about] not in values]
            if wrong:
                print(f"  {case.passage}\n    drew {''.join(glyphs()[code].emoji for code in subjects)}; wrong: {', '.join(wrong)}")
    return {name: sum(values) / len(values) if values else 1.0 for name, values in hits.items()}


def main() -> None:
    """Score both, print the table, write `out/scene_reading.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="the same: it takes seconds")
    parser.add_argument("--show", choices=["dev"])
    arguments = parser.parse_args()
    start = time.perf_counter()
    read("预热一下。", "zh")
    first = time.perf_counter() - start
    everything = cases()
    rows = []
    for half in ("held-out", "dev"):
        some = [case for case in everything if case.dev == (half == "dev")]
        for lang in ("zh", "en"):
            chosen = [case for case in some if case.lang == lang]
            if arguments.show and half == "dev":
                print(lang)
            mine, theirs = score(chosen, ours, bool(arguments.show) and half == "dev"), score(chosen, peer)
            for name, goal in GOALS.items():
                ratio = mine[name] / theirs[name] if theirs[name] else None
                rows.append(Row(f"{half} {lang} ({len(chosen)} passages): {name}", "share right", mine[name], theirs[name],
                                "keywords over CLDR labels and tags", ratio, f">= {goal}", mine[name] >= goal))  # fmt: skip
    start = time.perf_counter()
    for case in everything:
        ours(case)
    each = (time.perf_counter() - start) / len(everything)
    rows.append(Row("first Chinese call", "s", first, goal="<= 1.5", met=first <= 1.5))
    rows.append(Row("every later passage", "ms", 1000 * each))
    report("scene_reading", rows)


if __name__ == "__main__":
    main()
