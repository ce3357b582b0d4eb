"""One line on a terminal that says how far the work is; plain lines or JSON events elsewhere."""

import json
import shutil
import sys
import time
import unicodedata
from dataclasses import asdict

import click

from mofang.studio.progress import Event
from mofang.studio.words import say

NAMES = {
    "script": "脚本",
    "storyboard": "分镜",
    "pictures": "画面",
    "voices": "配音",
    "timeline": "时间线",
    "render": "渲染",
    "publish": "发布",
    "models": "模型",
    "music": "音乐",
    "hear": "听写",
    "index": "索引作品",
    "bits": "测比特",
    "samples": "写样本",
    "copies": "查抄袭",
    "read": "读图",
    "compare": "比对",
    "project": "投影",
    "write": "写出",
}


def note(line: str) -> None:
    """What the creator should know, beside what was made."""
    click.echo(say("note: ", "提示：") + line, err=True)


def clock(seconds: float) -> str:
    """Seconds as `3:07`."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def width(text: str) -> int:
    """Columns the text takes on a terminal."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def clip(text: str, columns: int) -> str:
    """The text cut to so many columns."""
    while width(text) > columns:
        text = text[:-1]
    return text


class Line:
    """Shows events: a rewritten line on a terminal, a line per stage elsewhere, JSON lines if asked."""

    def __init__(self, as_json: bool = False) -> None:
        self._json = as_json
        self._live = sys.stderr.isatty() and not as_json
        self._last = 0.0
        self._stage = ""

    def __call__(self, event: Event) -> None:
        if self._json:
            sys.stderr.write(json.dumps(asdict(event), ensure_ascii=False) + "\n")
            return
        stage = say(event.stage, NAMES.get(event.stage, event.stage))
        if not self._live:
            if stage != self._stage:
                sys.stderr.write(f"{clock(event.gone)} {stage}\n")
                self._stage = stage
            return
        moment = time.monotonic()
        if moment - self._last < 0.1 and event.share < 1:
            return
        self._last = moment
        left = "" if event.left is None else say(f" {clock(event.left)} left", f" 还需 {clock(event.left)}")
        bar = "━" * round(event.share * 20)
        text = f"{bar:─<20} {event.share:4.0%} {stage}: {event.what} {clock(event.gone)}{left}"
        sys.stderr.write("\r\x1b[K" + clip(text, shutil.get_terminal_size().columns - 1))
        sys.stderr.flush()

    def close(self) -> None:
        """End the rewritten line, so that what is printed next starts on its own."""
        if self._live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
