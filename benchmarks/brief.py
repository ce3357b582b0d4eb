"""Scripts from twenty one-line briefs in each language: Mofang's plan and checks beside the same model asked for JSON.

    python benchmarks/brief.py [--quick] [--model FILE.gguf] [--show]

The peer is the usual way: one prompt that asks for a JSON list of scenes, parsed leniently, else read line by line. A
script is finished if it has at least seven of eight scenes that are whole sentences in the brief's language; loops and
repetition are counted by `mofang.text.repeat` for both. --quick takes three briefs a language; --show prints the scripts.
Without --model the default model of each language is used; a language whose model is not installed is left out.
"""

import argparse
import json
import re
import statistics
import time
from pathlib import Path

from common import Row, report
from mofang.studio.errors import UserError
from mofang.text.check import fault
from mofang.text.engines.base import TextEngine
from mofang.text.engines.gguf import GGUFEngine, default_engine
from mofang.text.language import Lang
from mofang.text.repeat import distinct, loops, repeated_sentences
from mofang.text.script import write_script

SCENES = 8
PEER = "same model, one prompt for JSON"
BRIEFS: dict[Lang, list[str]] = {
    "zh": ["小狐狸和月亮", "中秋节的由来", "如何泡一杯好茶", "秋天的校园", "为什么天空是蓝色的", "老街的早晨", "一只不会飞的小鸟",
           "机器人第一次看见大海", "茶的历史", "怎样养一只猫", "为什么冬天会下雪", "渔夫和金鱼", "爷爷的旧手表", "春节的习俗",
           "如何学会游泳", "星星为什么会发光", "雨夜的图书馆管理员", "小女孩和流浪狗", "丝绸之路的历史", "蝴蝶是怎么变来的"],
    "en": ["a lighthouse keeper's last night", "the origin of the Mid-Autumn Festival", "how to make a good cup of tea",
           "winter in the mountains", "why is the sky blue", "morning in the market", "a bird that could not fly",
           "a robot sees the sea for the first time", "the history of chocolate", "how to keep a cat happy", "why do leaves fall",
           "the fox and the moon", "my grandfather's old watch", "the history of the bicycle", "how to learn to swim",
           "why do stars shine", "the librarian who loved rain", "the girl and the lost dog", "a dragon who was afraid of fire",
           "how butterflies grow"],
}  # fmt: skip
PROMPT = {
    "zh": "把下面的题目写成短片脚本，用 JSON 数组输出 {n} 个场景，每个场景一句话。\n题目：{brief}\nJSON：[\"",
    "en": "Write a short film script about the brief below, as a JSON array of {n} scenes, one sentence each.\n"
          "Brief: {brief}\nJSON: [\"",
}  # fmt: skip


def ours(engine: TextEngine, brief: str, lang: Lang, seed: int) -> list[str]:
    try:
        return list(write_script(brief, engine, lang=lang, scenes=SCENES, seed=seed).passages)
    except UserError:
        return []


def plain(engine: TextEngine, brief: str, lang: Lang, seed: int) -> list[str]:
    written = engine.generate(PROMPT[lang].format(n=SCENES, brief=brief), max_tokens=400, temperature=0.7, seed=seed).text
    text = '["' + written
    try:
        scenes = json.loads(text[: text.index("]") + 1])
    except ValueError:
        quoted = re.findall(r'"([^"\n]+)"', text)
        scenes = quoted if len(quoted) > 1 else [line.strip(' ",[]') for line in text.splitlines()]
    return [scene.strip() for scene in scenes if isinstance(scene, str) and scene.strip()][:SCENES]


def measure(scripts: list[list[str]], lang: Lang) -> dict[str, float]:
    whole = [sum(not fault(line, lang) for line in script) >= SCENES - 1 for script in scripts]
    clean = [bool(script) and not repeated_sentences(script) and not any(loops(line, lang) for line in script) for script in scripts]
    return {"finished": statistics.mean(whole), "no repeated sentence, no loop": statistics.mean(clean),
            "both": statistics.mean(a and b for a, b in zip(whole, clean, strict=True)),
            "distinct-2": statistics.mean(distinct(script, lang) for script in scripts)}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--lang", choices=["zh", "en"])
    options = parser.parse_args()
    rows = []
    for lang, briefs in BRIEFS.items():
        if options.lang not in (None, lang):
            continue
        try:
            engine = GGUFEngine(options.model) if options.model else default_engine(lang)
        except UserError as error:
            print(f"{lang}: left out ({error})")
            continue
        taken = briefs[:3] if options.quick else briefs
        results: dict[str, list[list[str]]] = {}
        seconds: dict[str, list[float]] = {}
        engine.generate("a", max_tokens=1)  # Loading is nobody's writing time.
        for name, writer in (("ours", ours), ("peer", plain)):
            results[name], seconds[name] = [], []
            for seed, brief in enumerate(taken):
                start = time.perf_counter()
                script = writer(engine, brief, lang, seed)
                seconds[name].append(time.perf_counter() - start)
                results[name].append(script)
                if options.show:
                    print(f"\n{name} · {brief}", *script, sep="\n  ")
        engine.close()
        mine, other = measure(results["ours"], lang), measure(results["peer"], lang)
        for what, value in mine.items():
            ratio = value / other[what] if other[what] else None
            goal, met = ("1", value == 1) if what != "distinct-2" else ("", None)
            name = f"{lang}: {what} ({engine.model}, {len(taken)} briefs)"
            rows.append(Row(name, "share", value, other[what], PEER, ratio, goal, met))
        took = [statistics.mean(seconds[name]) for name in ("ours", "peer")]
        rows.append(Row(f"{lang}: time for a script of {SCENES} scenes", "s", took[0], took[1], PEER, took[1] / took[0],
                        spread=statistics.pstdev(seconds["ours"])))  # fmt: skip
    report("brief", rows)


if __name__ == "__main__":
    main()
