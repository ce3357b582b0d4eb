"""How long to train: minutes, steps or tokens, written as a person writes them."""

import math
import re
from dataclasses import dataclass
from typing import Literal

from mofang.studio.errors import UserError

Unit = Literal["seconds", "steps", "tokens"]

UNITS: dict[str, tuple[Unit, float]] = {
    "s": ("seconds", 1), "sec": ("seconds", 1), "m": ("seconds", 60), "min": ("seconds", 60), "h": ("seconds", 3600),
    "hour": ("seconds", 3600), "hours": ("seconds", 3600), "steps": ("steps", 1), "step": ("steps", 1),
    "tokens": ("tokens", 1), "token": ("tokens", 1),
    "分钟": ("seconds", 60), "小时": ("seconds", 3600), "步": ("steps", 1),
}  # fmt: skip


@dataclass(frozen=True)
class Budget:
    """So much of one thing: seconds of training time, optimisation steps, or tokens (examples, for pictures)."""

    amount: float
    unit: Unit

    def progress(self, seconds: float, steps: int, tokens: int) -> float:
        """The share used up, 0..1."""
        return min({"seconds": seconds, "steps": steps, "tokens": tokens}[self.unit] / self.amount, 1.0)


def parse(text: str) -> Budget:
    """`30min`, `2h`, `90s`, `2000steps`, `5M tokens`. Raises `UserError` for anything else."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kKMG]?)\s*([A-Za-z]+|分钟|小时|步)\s*", text)
    unit, factor = UNITS.get(match[3] if match else "", ("steps", 0.0))
    amount = float(match[1]) * {"": 1, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}[match[2]] * factor if match else 0.0
    if not 0 < amount < math.inf:
        raise UserError(f"'{text[:40]}' is no budget; write it as 30min, 2h, 2000steps or 5M tokens")
    return Budget(amount, unit)
