"""Makes a demo voice: a ready voice speaks sentences made here, an acoustic model and a WaveNet learn from them.

    python recipes/voice_demo.py FOLDER [--language zh|en] [--sentences 1500] [--acoustic 40min] [--vocoder 8h]

Writes `sentences.txt`, the corpus, both runs and the voice into FOLDER, by the program's own commands, which it prints.
Run again after a stop, it goes on. Mandarin sentences are patterns filled with words of jieba's dictionary (MIT), so
that they cover the syllables as common words do; English ones are from the books of `prose_en.py` (public domain). The
voices are Kokoro-82M's and hibari's (Apache-2.0). The same seed makes the same sentences.
"""

import argparse
import json
import random
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from mofang.studio.atomic import write_atomic

VOICES = {"zh": "zf_xiaobei", "en": "hibari"}

PATTERNS = """
{t}，{who}在{s}看见了一{m}{n}，心里觉得很{a}。
{who}说，{n}和{n}都很{a}，可是没有人愿意{v}。
你知道{ns}的{n}为什么这么{a}吗？
如果{t}下雨，我们就不去{ns}了，在家里{v}也好。
这{m}{n}是{who}从{ns}带回来的。
{who}一边{v}，一边想着{t}的{n}。
请把{n}放在{n}的旁边，然后再{v}。
{t}的{n}比{t}更{a}，大家都这么说。
为了{v}{n}，{who}用了三年的时间。
听说{ns}有很多{a}的{n}，我一直想去看看。
{who}站在{s}，看着远处的{n}慢慢{v}。
不要{v}！那{m}{n}非常{a}。
从{ns}到{ns}，坐火车要十几个小时。
他问{who}：“你的{n}是不是{a}了？”
{n}、{n}和{n}，哪一个更{a}？
{t}，孩子们跑到{s}，高高兴兴地{v}起来。
虽然{n}有些{a}，{who}还是决定{v}。
{who}写了一封信，信里说{n}已经{v}了。
我从来没有见过这么{a}的{n}，真是太{a}了。
老人{v}了{n}，又给我们讲起{ns}的故事。
{s}有一{m}{a}的{n}，{who}每天都来{v}。
我们应该{v}{n}，而不是{v}{n}。
{who}的{n}{v}了，{who}却一点也不着急。
关于{n}的{n}，请在{t}之前告诉我们。
""".strip().splitlines()  # fmt: skip
PEOPLE = ["老师", "爷爷", "奶奶", "妈妈", "爸爸", "小王", "小李", "哥哥", "妹妹", "医生", "司机", "邻居", "画家", "船长",
          "他", "她", "我", "大家", "王先生", "陈小姐", "阿姨", "老板"]  # fmt: skip
MEASURES = ["个", "件", "种", "座", "条", "张", "把", "本", "块", "片", "只", "次"]


def words() -> dict[str, tuple[list[str], list[float]]]:
    """jieba's words by part of speech with a weight: common ones first, but not those alone."""
    import jieba

    found: dict[str, list[tuple[float, str]]] = {tag: [] for tag in ("n", "v", "a", "ns", "s", "t")}
    for line in (Path(jieba.__file__).with_name("dict.txt")).read_text("utf-8").splitlines():
        word, count, tag = line.split(" ")
        if tag in found and len(word) == 2 and int(count) >= 20:
            found[tag].append((int(count) ** 0.4, word))
    most = {"n": 4000, "v": 2000, "a": 600, "ns": 300, "s": 80, "t": 60}
    kept = {tag: sorted(pairs, reverse=True)[: most[tag]] for tag, pairs in found.items()}
    return {tag: ([word for _, word in pairs], [weight for weight, _ in pairs]) for tag, pairs in kept.items()}


def mandarin(count: int, seed: int) -> Iterator[str]:
    """Sentences of everyday length; they need not be true."""
    rng, known = random.Random(seed), words()

    def fill(match: re.Match[str]) -> str:
        tag = match[1]
        if tag in ("who", "m"):
            return rng.choice(PEOPLE if tag == "who" else MEASURES)
        choices, weights = known[tag]
        return rng.choices(choices, weights)[0]

    for number in range(count):
        yield re.sub(r"\{(\w+)\}", fill, PATTERNS[number % len(PATTERNS)])


def english(count: int, seed: int, folder: Path) -> list[str]:
    """Sentences of 30 to 140 letters from the books."""
    from prose_en import main as fetch

    if not (folder / "prose.jsonl").exists():
        fetch(folder)
    documents = [json.loads(line)["text"] for line in (folder / "prose.jsonl").read_text("utf-8").splitlines()]
    sentences = [sentence for text in documents for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z])", " ".join(text.split()))
                 if 30 <= len(sentence) <= 140 and sentence.isascii() and not re.search(r"[0-9_\[\]]", sentence)]  # fmt: skip
    return random.Random(seed).sample(sentences, min(count, len(sentences)))


def command(*arguments: str | Path) -> None:
    """Run a `mofang` command, saying which."""
    words_ = ["sound", *map(str, arguments)]
    sys.stdout.write(f"$ mofang {shlex.join(words_)}\n")
    sys.stdout.flush()
    subprocess.run([sys.executable, "-m", "mofang", *words_], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--language", choices=VOICES, default="zh")
    parser.add_argument("--voice", default="", help="a ready voice")
    parser.add_argument("--sentences", type=int, default=1500)
    parser.add_argument("--acoustic", default="40min", help="the acoustic model's budget")
    parser.add_argument("--vocoder", default="8h", help="the WaveNet's budget")
    parser.add_argument("--output", choices=("mulaw", "logistics"), default="mulaw")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    folder: Path = given.folder
    folder.mkdir(parents=True, exist_ok=True)
    sentences, corpus, voice = folder / "sentences.txt", folder / "corpus", given.voice or VOICES[given.language]
    if not sentences.exists():
        made = mandarin(given.sentences, given.seed) if given.language == "zh" else english(given.sentences, given.seed, folder)
        write_atomic(sentences, "".join(f"{sentence}\n" for sentence in made))
    if not (corpus / "corpus.json").exists():
        command("prepare", "--voice", voice, "--texts", sentences, "--out", corpus)
    acoustic, vocoder = folder / "acoustic", folder / "wavenet"
    command("train", corpus, "--kind", "acoustic", "--out", acoustic, "--budget", given.acoustic, "--seed", str(given.seed))
    command("train", corpus, "--kind", "wavenet", "--output", given.output, "--acoustic", acoustic, "--out", vocoder,
            "--budget", given.vocoder, "--seed", str(given.seed))  # fmt: skip
    command("join", acoustic, vocoder, "--out", folder / "voice", "--temperature", "1.0")


if __name__ == "__main__":
    main()
