"""What a run's log says: the curves, and in plain words whether it still learns."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeGuard

from mofang.studio.words import say

Record = dict[str, Any]

MOST = 2**63
"""Steps, tokens or seconds; more was never counted."""


def read_object(text: str | bytes) -> dict[str, Any] | None:
    """A JSON object, or None for what is none: cut short, nested without end, in bytes that are no text."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def read_record(line: str | bytes) -> Record | None:
    """A line of a `log.jsonl`, or None for one that a kill cut short or that the loop did not write."""
    record = read_object(line)
    if record is None or not isinstance(record.get("kind"), str):
        return None
    counted = [record.get(key) for key in ("step", "tokens", "seconds")]
    if not all(_real(value) and 0 <= value <= MOST for value in counted):
        return None
    judged = record["kind"] in ("train", "validate")
    measured = [record.get("loss", None if judged else 0.0), record.get("scale", 0.0)]
    numbers = [value for value in record.values() if isinstance(value, int | float) and not isinstance(value, bool)]
    return record if all(map(_real, measured + numbers)) else None


def _real(value: Any) -> TypeGuard[float]:
    """Whether it is a number that arithmetic takes: an integer of 400 digits is none."""
    return isinstance(value, float) or (type(value) is int and abs(value) <= MOST)


@dataclass
class History:
    """The records of a `log.jsonl` by kind, in the order of their steps."""

    train: list[Record] = field(default_factory=list)
    validate: list[Record] = field(default_factory=list)
    sample: list[Record] = field(default_factory=list)
    done: Record | None = None

    @classmethod
    def read(cls, log: Path) -> "History":
        """Read a log; lines that are no records are passed over, a missing file is an empty history."""
        history = cls()
        if log.is_file():
            with log.open("rb") as lines:
                for record in filter(None, map(read_record, lines)):
                    history.add(record)
        return history

    def add(self, record: Record) -> None:
        """Take in one record; kinds that have no place here are ignored."""
        if record.get("kind") == "done":
            self.done = record
        elif isinstance(kept := getattr(self, str(record.get("kind")), None), list):
            kept.append(record)

    def best(self) -> Record | None:
        """The validation with the smallest loss."""
        return min((r for r in self.validate if math.isfinite(r["loss"])), key=lambda r: r["loss"], default=None)


def smooth(values: Sequence[float], half_life: float) -> list[float]:
    """Exponential moving average with the given half-life in points; the start is unbiased (as in Adam)."""
    keep = 0.5 ** (1 / max(half_life, 1e-9))
    average, weight, smoothed = 0.0, 0.0, []
    for value in values:
        if math.isfinite(value):
            average, weight = keep * average + (1 - keep) * value, keep * weight + (1 - keep)
        smoothed.append(average / weight if weight else value)
    return smoothed


def thin(values: Sequence[float], most: int = 600) -> list[float]:
    """At most `most` values: each the mean of as many neighbours as it takes."""
    if len(values) <= most:
        return list(values)
    edges = [index * len(values) // most for index in range(most + 1)]
    return [math.fsum(values[a:b]) / (b - a) for a, b in pairwise(edges)]


def rates(train: Sequence[Record], windows: int = 60) -> tuple[list[float], list[float]]:
    """Tokens per second of training time over the run, as (steps, rates); one point per window of steps."""
    stride = max(1, len(train) // windows)
    marks = train[::stride]
    pairs = [(a, b) for a, b in pairwise(marks) if b["seconds"] > a["seconds"]]
    return (
        [float(b["step"]) for _, b in pairs],
        [(b["tokens"] - a["tokens"]) / (b["seconds"] - a["seconds"]) for a, b in pairs],
    )


State = Literal["early", "learning", "level", "overfits", "diverged"]


def judge(history: History) -> tuple[State, str]:
    """Whether the run learns, in a word for programs and a sentence for people."""
    losses = [record["loss"] for record in history.validate if math.isfinite(record["loss"])]
    best = history.best()
    train = [record["loss"] for record in history.train]
    if len(train) >= 20 and not math.isfinite(train[-1]):
        return "diverged", say("The loss is no longer a number: lower the learning rate.", "损失已不是数：请调低学习率。")
    if best is None or len(losses) < 3:
        return "early", say("Too early to say: fewer than three validations.", "为时尚早：验证还不到三次。")
    tail = max(1, len(train) // 20)
    if len(train) >= 100 and _mean(train[-tail:]) > 1.5 * _mean(train[: max(1, tail // 5)]):
        return "diverged", say(
            "The training loss climbed above where it began: lower the learning rate.",
            "训练损失高过了起点：请调低学习率。",
        )
    last, step = losses[-1], best["step"]
    if last > best["loss"] * 1.01 and _mean(train[-tail:]) < best["loss"]:
        return "overfits", say(
            f"It learns by heart since step {step:,}: the training loss still falls, the validation loss rose "
            f"{last / best['loss'] - 1:.1%}. The checkpoint of step {step:,} is kept; more works, dropout or a smaller "
            "network would help.",
            f"自第 {step:,} 步起在死记硬背：训练损失仍在下降，验证损失却升了 {last / best['loss'] - 1:.1%}。"
            f"已保留第 {step:,} 步的模型；可增加作品、加 dropout 或换小一号的网络。",
        )
    back = max(1, len(losses) // 4)
    gain = 1 - best["loss"] / min(losses[:-back]) if min(losses[:-back]) > 0 else 0.0
    if gain > 0.003:
        return "learning", say(
            f"It still learns: the validation loss fell {gain:.1%} over the last {back} validations. "
            "A longer budget would make it better.",
            f"仍在学习：最近 {back} 次验证里损失降了 {gain:.1%}。延长训练会更好。",
        )
    return "level", say(
        f"It has levelled off: nothing gained over the last {back} validations (best at step {step:,}). "
        "More works or a larger network would help, a longer budget would not.",
        f"已趋于平稳：最近 {back} 次验证没有进步（最佳在第 {step:,} 步）。需要更多作品或更大的网络，而不是更久。",
    )


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return math.fsum(finite) / len(finite) if finite else math.inf
