"""How fast and in how much memory a corpus is prepared, beside a script with jieba and datasketch.

    python benchmarks/text_prepare.py [--quick] [--megabytes 20] [--rounds 3] [--large 1000] [--folder DIR]

The text is real sentences in a new order: paragraphs of Chinese verse (`recipes/poem_zh.py`) and of English prose
(`recipes/prose_en.py`), half of the documents each, of 1,500 bytes on average, as JSON Lines. Both sides read the same file,
drop duplicates and near-duplicates (MinHash), segment and count words, split by document, learn a character vocabulary and
write tokens; `text_prepare_peer.py` is the other side. Ours is the command as a user runs it, its start included; the
peer's clock starts when its dictionary is loaded. Rounds alternate.

Memory is the peak of resident pages of the command on a gigabyte, of documents of 1,500 bytes and of 150 (poems); with
--quick on a fiftieth of it, where only the order of size says something.
"""

import argparse
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import HERE, Row, peer_python, report

POOL = HERE / ".peers" / "sentences"
PEER = HERE / "text_prepare_peer.py"
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def sentences() -> tuple[list[str], list[str]]:
    """Chinese and English sentences, from the recipes of the shipped models."""
    for recipe, name in (("poem_zh.py", "poems.jsonl"), ("prose_en.py", "prose.jsonl")):
        if not (POOL / name).exists():
            POOL.mkdir(parents=True, exist_ok=True)
            subprocess.run([sys.executable, str(HERE.parent / "recipes" / recipe), str(POOL)], check=True)
    texts = {name: [json.loads(line)["text"] for line in (POOL / name).open(encoding="utf-8")]
             for name in ("poems.jsonl", "prose.jsonl")}  # fmt: skip
    chinese = [line for text in texts["poems.jsonl"] for line in text.split("\n")[1:]]
    english = [found + " " for text in texts["prose.jsonl"] for found in re.split(r"(?<=[.!?])\s+", " ".join(text.split()))]
    return chinese, [sentence for sentence in english if len(sentence) > 20]


def write_corpus(path: Path, megabytes: float, size: int, pools: tuple[list[str], list[str]]) -> None:
    """A JSON Lines file of that many megabytes, documents of half to one and a half times `size` bytes."""
    rng = random.Random(0)
    written = 0
    with path.open("w", encoding="utf-8") as file:
        while written < megabytes * 1e6:
            pool = rng.choice(pools)
            wanted, text = size * (0.5 + rng.random()), ""
            while len(text.encode()) < wanted:
                text += rng.choice(pool)
            line = json.dumps({"text": text}, ensure_ascii=False) + "\n"
            written += len(line.encode())
            file.write(line)


def measured(python: str | Path, *command: str | Path) -> tuple[float, float, list[str]]:
    """Seconds of a command, megabytes at its peak, and the lines it printed."""
    start = time.perf_counter()
    done = subprocess.run([python, "-c", MEASURE, *command], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    *lines, peak = done.stdout.splitlines()
    return time.perf_counter() - start, int(peak) / 1024, lines


def ours(source: Path, out: Path) -> tuple[float, float]:
    """Seconds, and megabytes at the peak."""
    mofang = Path(sys.executable).with_name("mofang")
    seconds, peak, _ = measured(sys.executable, mofang, "text", "prepare", source, "--out", out, "--licence", "own")
    return seconds, peak


def theirs(python: Path, source: Path, out: Path) -> tuple[float, float]:
    """Seconds, and megabytes at the peak."""
    _, peak, lines = measured(python, python, PEER, source, out)
    return json.loads(lines[-1])["seconds"], peak


def memory(megabytes: int, size: int, folder: Path, pools: tuple[list[str], list[str]]) -> Row:
    """The peak of our command on so much text."""
    source = folder / "large.jsonl"
    write_corpus(source, megabytes, size, pools)
    seconds, peak = ours(source, folder / "large")
    print(f"{megabytes} MB in documents of {size} bytes: {seconds:.0f} s, {peak:.0f} MB at the peak", flush=True)
    source.unlink()
    whole = megabytes >= 1000
    return Row(f"peak memory, {megabytes:,} MB of documents of {size:,} bytes", "MB", peak, goal="≤ 1,500 MB" if whole else "",
               met=peak <= 1500 if whole else None)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", type=int, default=1000, help="megabytes of the text that memory is measured on")
    parser.add_argument("--folder", type=Path, help="where there is room for four times that (default: the temporary folder)")
    options = parser.parse_args()
    megabytes, rounds, large = (4, 1, 20) if options.quick else (options.megabytes, options.rounds, options.large)
    python = peer_python("prepare", "jieba==0.42.1", "datasketch>=1.6", "setuptools<81")
    pools = sentences()
    speeds: dict[str, list[float]] = {"ours": [], "peer": []}
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        write_corpus(folder / "works.jsonl", megabytes, 1500, pools)
        for _ in range(rounds):
            seconds, peak = ours(folder / "works.jsonl", folder / "ours")
            peer_seconds, peer_peak = theirs(python, folder / "works.jsonl", folder / "peer")
            speeds["ours"].append(megabytes / seconds)
            speeds["peer"].append(megabytes / peer_seconds)
            print(f"ours {megabytes / seconds:.2f} MB/s, {peak:.0f} MB; peer {megabytes / peer_seconds:.3f} MB/s, {peer_peak:.0f} MB",
                  flush=True)  # fmt: skip
        rows = [memory(large, size, folder, pools) for size in (1500, 150)]
    mean = {side: statistics.mean(values) for side, values in speeds.items()}
    ratio = mean["ours"] / mean["peer"]
    report("text_prepare", [
        Row("preparing", "MB/s", mean["ours"], mean["peer"], "jieba + datasketch", ratio, "≥ 4×", ratio >= 4,
            statistics.pstdev(speeds["ours"])),
        *rows,
    ])  # fmt: skip


if __name__ == "__main__":
    main()
