"""A minute of Mandarin film from text, every stage, models on disk; then again with one caption changed.

    python benchmarks/make.py [--quick]

No program of the field does this job offline, so there is no peer in the table; MoneyPrinterTurbo and its kin fetch
stock clips and voices from the network. The goals are the ones this project set itself.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import Row, report

TEXT = """---
title: 灯塔与渔船
---

从前，海边的小岛上有一座白色的灯塔。老爷爷每天傍晚都要爬上九十九级台阶，点亮塔顶的灯。

一个秋天的夜晚，暴风雨来了。大风吹得窗户直响，海浪拍打着黑色的岩石。

远处的海面上，一艘小渔船迷失了方向，船上有三个渔夫，他们又冷又怕。

忽然，他们看见了一点亮光。那光一闪一闪，像一颗落在海上的星星。

渔夫们用力划船，朝着灯光前进。雨越下越大，可是他们心里不再害怕。

太阳升起来了，彩虹挂在大海的上空。渔夫们说：谢谢您，灯塔爷爷。

老爷爷笑着摇摇头：只要灯还亮着，回家的路就不会消失。
"""


def run(folder: Path, *arguments: str) -> float:
    start = time.perf_counter()
    command = [sys.executable, "-m", "mofang", "--studio", str(folder / "studio"), "make", *arguments]
    subprocess.run([*command, "--out", str(folder / "out")], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a third of the text")
    quick = parser.parse_args().quick
    os.environ["OMP_NUM_THREADS"] = "2"
    text = TEXT if not quick else TEXT[: TEXT.index("远处")]
    folder = Path(tempfile.mkdtemp(prefix="mofang-bench-"))
    try:
        (folder / "story.md").write_text(text, "utf-8")
        first = run(folder, str(folder / "story.md"))
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
        from mofang.video import probe

        film = next((folder / "out").rglob("film.mp4"))
        seconds = probe(film).seconds
        board = film.with_name("storyboard.json")
        edited = folder / "edited.json"
        edited.write_text(board.read_text("utf-8").replace("海浪拍打着黑色的岩石", "海浪拍打着高高的岩石"), "utf-8")
        assert edited.read_text("utf-8") != board.read_text("utf-8")
        again = run(folder, str(edited))
        rows = [
            Row("film made", "s of film", seconds),
            Row("from text to published film", "s", first, goal="<= 60 for 60 s of film", met=first <= 60 * seconds / 60),
            Row("film per second of work", "x real time", seconds / first),
            Row("peak memory", "GB", peak, goal="<= 2.5", met=peak <= 2.5),
            Row("again, one caption changed", "s", again, goal="<= 40% of the first", met=again <= 0.4 * first),
        ]
        report("make", rows)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
