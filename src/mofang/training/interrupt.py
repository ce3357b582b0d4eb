"""Ctrl-C, once: finish the step and save. Twice: stop at once. What a system that shuts down sends counts as Ctrl-C."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

STOPS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """A context in which the first SIGINT or SIGTERM only sets `asked`; the second raises KeyboardInterrupt wherever the
    program is.

    Signals can only be handled in the main thread; elsewhere, they are left alone and `asked` stays false.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Interrupt":
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._handle) for number in STOPS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
