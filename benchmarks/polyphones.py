"""How many Mandarin polyphones are read right: Mofang, pypinyin, jieba + pypinyin, g2pM and pinyin-pro, in one run.

    python benchmarks/polyphones.py [--quick] [--errors dev]

The test set, `sets/polyphones.tsv`, says how it is divided: rules are tuned on the development half; the figures that
count are the held-out half and a late part written after the rules. Peers are installed into `.peers/`; pinyin-pro
needs Node and is left out without it.
--quick scores every fourth sentence. --errors lists what Mofang misreads, in the development half only.
"""

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import time

from common import HERE, Row, peer_python, report

PACKAGES = ["setuptools<70", "numpy", "pypinyin==0.55.0", "jieba==0.42.1", "g2pM==0.1.2.5"]
TARGET = re.compile(r"(.)\{([a-z]+[1-5])\}")

PEER_CODE = """
import json, sys, time
import logging, jieba
jieba.setLogLevel(logging.ERROR)
from pypinyin import lazy_pinyin, Style
from g2pM import G2pM
sentences = json.load(sys.stdin)
g2pm = G2pM()
style = dict(style=Style.TONE3, neutral_tone_with_five=True, errors=lambda s: list(s))
peers = {
    "pypinyin": lambda s: lazy_pinyin(s, **style),
    "jieba+pypinyin": lambda s: [p for w in jieba.lcut(s) for p in lazy_pinyin(w, **style)],
    "g2pM": lambda s: g2pm(s, tone=True, char_split=True),
}
print(json.dumps({name: [read(s) for s in sentences] for name, read in peers.items()}))
"""
NODE_CODE = """
const { pinyin } = require('pinyin-pro');
const sentences = JSON.parse(require('fs').readFileSync(0, 'utf8'));
console.log(JSON.stringify(sentences.map(s => pinyin(s, { toneType: 'num', type: 'array', v: true, toneSandhi: false })
  .map(p => p.replace(/0$/, '5')))));
"""


def load(quick: bool) -> list[tuple[str, str, dict[int, str]]]:
    """(half, sentence, position → reading) of each line; the halves are checked against the rule that divides them."""
    items = []
    for line in (HERE / "sets" / "polyphones.tsv").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        half, marked = line.split("\t")
        sentence, targets, at = "", {}, 0
        for match in TARGET.finditer(marked):
            sentence += marked[at : match.start()] + match[1]
            targets[len(sentence) - 1] = match[2]
            at = match.end()
        sentence += marked[at:]
        assert half == "late" or half == ("held" if hashlib.sha256(sentence.encode()).digest()[0] % 2 else "dev"), (
            sentence
        )
        items.append((half, sentence, targets))
    return items[::4] if quick else items


def ours(sentences: list[str]) -> list[list[str]]:
    from mofang.sound.frontend.mandarin.readings import readings
    from mofang.sound.frontend.mandarin.segment import segment

    return [readings(s, segment(s)) for s in sentences]


def peers(sentences: list[str]) -> dict[str, list[list[str]]]:
    """Readings by every peer that can be installed here."""
    data = json.dumps(sentences)
    python = peer_python("polyphones", *PACKAGES)
    done = subprocess.run([python, "-W", "ignore", "-c", PEER_CODE], input=data, capture_output=True, text=True, check=True)
    read: dict[str, list[list[str]]] = json.loads(done.stdout)
    if shutil.which("npm") and shutil.which("node"):
        folder = HERE / ".peers" / "polyphones"
        if not (folder / "node_modules" / "pinyin-pro").exists():
            subprocess.run(["npm", "install", "--silent", "--no-fund", "--prefix", folder, "pinyin-pro@3.29.0"], check=True)
        done = subprocess.run(["node", "-e", NODE_CODE], input=data, capture_output=True, text=True, check=True, cwd=folder)
        read["pinyin-pro"] = json.loads(done.stdout)
    else:
        print("pinyin-pro is left out: Node is not installed", file=sys.stderr)
    return read


def score(items: list[tuple[str, str, dict[int, str]]], read: list[list[str]]) -> tuple[int, int, list[str]]:
    """Right answers, targets, and the misreadings in words."""
    right = total = 0
    wrong = []
    for (_, sentence, targets), sounds in zip(items, read, strict=True):
        for at, reading in targets.items():
            said = sounds[at].replace("u:", "v") if len(sounds) == len(sentence) else "?"
            total += 1
            right += said == reading
            if said != reading:
                before, after = sentence[max(0, at - 8) : at], sentence[at + 1 : at + 6]
                wrong.append(f"{before}[{sentence[at]}]{after}  {reading}, said {said}")
    return right, total, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="every fourth sentence")
    parser.add_argument("--errors", choices=["dev"], help="list our misreadings in the development half")
    options = parser.parse_args()
    items = load(options.quick)
    sentences = [s for _, s, _ in items]
    ours(sentences[:1])
    began = time.perf_counter()
    read = {"mofang": ours(sentences)}
    spent = time.perf_counter() - began
    if options.errors:
        chosen = [n for n, item in enumerate(items) if item[0] == "dev"]
        right, total, wrong = score([items[n] for n in chosen], [read["mofang"][n] for n in chosen])
        print(*wrong, f"{right}/{total}", sep="\n")
        return
    read |= peers(sentences)
    rows = []
    print(f"{'':16}{'dev':>16}{'held out':>16}{'late':>16}{'all':>16}{'held, no 了着得地':>22}")
    table: dict[str, dict[str, tuple[int, int]]] = {}
    for name, sounds in read.items():
        cells = {}
        for half in ("dev", "held", "late", "all", "words"):
            chosen = [
                n for n, item in enumerate(items) if half == "all" or item[0] == ("held" if half == "words" else half)
            ]
            # The four particles are many and mostly easy; the last column leaves out their neutral readings.
            kept = [
                (h, s, {a: r for a, r in t.items() if half != "words" or r not in ("de5", "le5", "zhe5")})
                for h, s, t in (items[n] for n in chosen)
            ]
            cells[half] = score(kept, [sounds[n] for n in chosen])[:2]
        table[name] = cells
        print(f"{name:16}" + "".join(f"{r / t:>9.1%} {f'{r}/{t}':>6}" if t else " " * 16 for r, t in cells.values()))
    print(f"Mofang took {spent / len(sentences) * 1000:.1f} ms a sentence")
    for half in ("dev", "held", "late", "words"):
        mine = table["mofang"][half][0] / table["mofang"][half][1]
        for name in list(read)[1:]:
            theirs = table[name][half][0] / table[name][half][1]
            rows.append(Row(f"polyphone accuracy, {half}", "share right", mine, theirs, name, mine / theirs, "ahead", mine > theirs))
    report("polyphones", rows)


if __name__ == "__main__":
    main()
