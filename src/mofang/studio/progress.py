"""How long work says how far it is."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Progress = Callable[[float, str], None]
"""Called with the share done, 0..1, and a short word for what is being done. It may raise KeyboardInterrupt."""


def silent(share: float, what: str) -> None:
    """A `Progress` that says nothing."""


@dataclass(frozen=True, slots=True)
class Event:
    """How far a job is: its stage, what is being done, the share of the whole job, seconds gone and seconds left."""

    stage: str
    what: str
    share: float
    gone: float
    left: float | None


class Stages:
    """A job's stages and how much of its time each usually takes, folded into one share and one estimate of time left.

    >>> stages = Stages({"voices": 3, "render": 5}, on_event=print)
    >>> speak(…, progress=stages.of("voices"))
    """

    def __init__(self, weights: Mapping[str, float], on_event: Callable[[Event], None]) -> None:
        self._weights = dict(weights)
        self._done = dict.fromkeys(weights, 0.0)
        self._on_event = on_event
        self._start = time.monotonic()

    def of(self, stage: str) -> Progress:
        """The progress of one stage; stages may run side by side."""
        assert stage in self._weights, stage

        def report(share: float, what: str) -> None:
            self._done[stage] = min(max(share, self._done[stage]), 1.0)
            total = sum(self._weights[name] * done for name, done in self._done.items()) / sum(self._weights.values())
            gone = time.monotonic() - self._start
            # Under a twentieth of the way an estimate is a guess that jumps; say nothing instead.
            left = gone * (1 - total) / total if total > 0.05 else None
            self._on_event(Event(stage, what, total, gone, left))

        return report
