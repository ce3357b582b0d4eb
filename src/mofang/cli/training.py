"""The live view of a training: a curve, the numbers that matter, what the model writes by now."""

import json
import math
import shutil
import sys
import time
from collections.abc import Sequence
from typing import Any, TextIO

from mofang.cli.terminal import clip, clock, width
from mofang.studio.words import say
from mofang.training.budget import Budget
from mofang.training.history import thin

Record = dict[str, Any]

ROWS, SAMPLE_ROWS = 5, 6
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a braille cell's four rows of two dots (Unicode, Braille Patterns)."""


def braille(values: Sequence[float], columns: int, rows: int = ROWS) -> list[str]:
    """The values as a curve of `rows` lines of `columns` braille cells, 2 × 4 dots each; the top is the largest."""
    values = thin(values, columns * 2)
    finite = [value for value in values if math.isfinite(value)]
    cells = [[0] * columns for _ in range(rows)]
    if finite:
        low, high = min(finite), max(finite)
        across, down = columns * 2, rows * 4
        last: int | None = None
        for x in range(across):
            value = values[min(x * len(values) // across, len(values) - 1)]
            if not math.isfinite(value):
                continue
            y = round((high - value) / ((high - low) or 1) * (down - 1))
            # Join to the point before, or a steep fall would be a scatter of dots.
            for dot in range(min(y, y if last is None else last), max(y, y if last is None else last) + 1):
                cells[dot // 4][x // 2] |= DOTS[dot % 4][x % 2]
            last = y
    return ["".join(chr(0x2800 + cell) for cell in row) for row in cells]


def short(number: float) -> str:
    """A count in few letters: 950, 12.3k, 4.56M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.0f}"


class Trail:
    """The loss so far in at most `most` means, however long the run."""

    def __init__(self, most: int = 1024) -> None:
        self._most, self._stride = most, 1
        self._sum, self._count = 0.0, 0
        self.values: list[float] = []

    def add(self, value: float) -> None:
        """Take in one more value."""
        self._sum, self._count = self._sum + value, self._count + 1
        if self._count == self._stride:
            self.values.append(self._sum / self._count)
            self._sum, self._count = 0.0, 0
        if len(self.values) == self._most:
            pairs = zip(self.values[::2], self.values[1::2], strict=True)
            self.values, self._stride = [(a + b) / 2 for a, b in pairs], self._stride * 2


class Watch:
    """Shows the records of a run: a few rewritten lines on a terminal, plain lines elsewhere, JSON lines if asked.

    A listener for `training.loop.train`; call `close` when the run ends, however it ends.
    """

    def __init__(
        self, budget: Budget, as_json: bool = False, *, out: TextIO | None = None, live: bool | None = None, unit: str = ""
    ) -> None:
        self._budget, self._json, self._unit = budget, as_json, unit or say("tokens", "词元")
        self._out = out or sys.stderr
        self._live = not as_json and (self._out.isatty() if live is None else live)
        self._trail = Trail()
        self._loss = math.nan
        self._validated: Record | None = None
        self._best: Record | None = None
        self._sample = ""
        self._marks: list[tuple[float, int]] = []
        self._drawn, self._moment = 0, -math.inf

    def __call__(self, record: Record) -> None:
        """Take in one log record and show it."""
        kind = record.get("kind")
        if self._json:
            self._out.write(json.dumps(record, ensure_ascii=False) + "\n")
            self._out.flush()
            return
        if kind == "train":
            self._train(record)
        elif kind == "validate":
            self._validated = record
            if self._best is None or record["loss"] < self._best["loss"]:
                self._best = record
        elif kind == "sample":
            self._sample = str(record.get("text", ""))
        self._show(record)

    def close(self) -> None:
        """Leave the last picture standing and let the next output start on its own line."""
        self._drawn = 0

    def _train(self, record: Record) -> None:
        loss = float(record["loss"])
        self._trail.add(loss)
        self._loss = loss if math.isnan(self._loss) else 0.9 * self._loss + 0.1 * loss
        self._marks.append((float(record["seconds"]), int(record["tokens"])))
        # The speed over the last steps, not since the start: a laptop that slows down should say so.
        del self._marks[:-50]

    # -- what is said ------------------------------------------------------------------------------------------------

    def _show(self, record: Record) -> None:
        if self._live:
            moment = time.monotonic()
            if record["kind"] == "train" and moment - self._moment < 0.2:
                return
            self._moment = moment
            self._draw(record)
        elif record["kind"] == "sample":
            # A file's name, and below it what is wrong with it; or the beginning of a text.
            self._out.write("".join(f"  {_plain(line)}\n" for line in self._lines()[:2]))
        elif record["kind"] in ("validate", "done"):
            self._out.write(f"{self._bar(record)}  {self._numbers()}\n")
            self._out.flush()

    def _bar(self, record: Record) -> str:
        seconds, steps = float(record["seconds"]), int(record["step"])
        share = self._budget.progress(seconds, steps, int(record["tokens"]))
        filled = round(share * 20)
        left = seconds * (1 - share) / share if share > 0.005 else None
        rest = "" if left is None else say(f", {clock(left)} left", f"，还需 {clock(left)}")
        return f"{'━' * filled}{'─' * (20 - filled)} {share:4.0%} " + say(
            f"step {steps:,}, {clock(seconds)}{rest}", f"第 {steps:,} 步，已用 {clock(seconds)}{rest}"
        )

    def _numbers(self) -> str:
        parts = [] if math.isnan(self._loss) else [say(f"loss {self._loss:.4f}", f"损失 {self._loss:.4f}")]
        if self._validated and self._best:
            now, best = self._validated["loss"], self._best
            parts.append(say(
                f"validation {now:.4f} (best {best['loss']:.4f} at {best['step']:,})",
                f"验证 {now:.4f}（最佳 {best['loss']:.4f}，第 {best['step']:,} 步）"))  # fmt: skip
        if len(self._marks) > 1 and self._marks[-1][0] > self._marks[0][0]:
            speed = (self._marks[-1][1] - self._marks[0][1]) / (self._marks[-1][0] - self._marks[0][0])
            parts.append(say(f"{short(speed)} {self._unit}/s", f"{short(speed)} {self._unit}/秒"))
        return "  ".join(parts)

    def _lines(self) -> list[str]:
        return [line for line in self._sample.splitlines() if line.strip()]

    def _draw(self, record: Record) -> None:
        columns = shutil.get_terminal_size().columns - 1
        lines = [self._bar(record), self._numbers()]
        if len(self._trail.values) > 1:
            finite = [value for value in self._trail.values if math.isfinite(value)] or [0.0]
            edge = [f"{max(finite):8.3f} ", *[" " * 9] * (ROWS - 2), f"{min(finite):8.3f} "]
            curve = braille(self._trail.values, max(4, min(columns - 9, 80)))
            lines += [left + row for left, row in zip(edge, curve, strict=True)]
        lines += [f"│ {row}" for line in self._lines() for row in _wrapped(_plain(line), columns - 2)][:SAMPLE_ROWS]
        up = f"\r\x1b[{self._drawn}A" if self._drawn else ""
        self._out.write(up + "".join(f"\x1b[K{_fit(line, columns)}\n" for line in lines) + "\x1b[J")
        self._out.flush()
        self._drawn = len(lines)


def _plain(line: str) -> str:
    # What a model writes may hold control characters; a terminal must not obey them.
    return "".join(letter if letter.isprintable() else " " for letter in line)


def _wrapped(line: str, columns: int) -> list[str]:
    """The line in rows of at most so many columns."""
    rows = []
    while line:
        row = clip(line[:columns], columns) or line[0]
        rows.append(row)
        line = line[len(row) :]
    return rows


def _fit(line: str, columns: int) -> str:
    shown = _plain(line)
    return shown if width(shown) <= columns else clip(shown, columns - 1) + "…"
