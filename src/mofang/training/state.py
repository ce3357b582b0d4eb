"""Where a run is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mofang.training.history import MOST


@dataclass
class State:
    """Where a run is. `seconds` counts training steps only, over all sessions; validation and saving are not counted."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    best: float = math.inf
    best_step: int = 0
    stale: int = 0

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> "State":
        """What `asdict` wrote. Raises `ValueError` for what no run can have come to."""
        try:
            state = cls(**facts)
            counts = (state.step, state.tokens, state.best_step, state.stale)
            state = replace(state, seconds=float(state.seconds), best=float(state.best))
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError("it counts no steps") from error
        if math.isnan(state.best) or not all(type(each) is int and 0 <= each <= MOST for each in counts) or \
                not 0 <= state.seconds <= MOST:  # fmt: skip
            raise ValueError("it counts no steps")
        return state
