"""Threads that share the rows of a batch."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def cores() -> int:
    """Processor cores this process may use, hardware threads of one core counted once."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    siblings = set()
    for cpu in allowed:
        try:
            siblings.add(Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text())
        except OSError:
            return len(allowed)
    return max(1, len(siblings))


class Team:
    """`threads` workers, the caller being one of them; 0 means one per core, four at most."""

    def __init__(self, threads: int = 0) -> None:
        self.size = threads or min(4, cores())
        self._pool: ThreadPoolExecutor | None = None

    def share(self, work: Callable[[int, int], object], count: int) -> None:
        """Call `work(first, end)` over 0…count in as many equal parts as there are workers; all are done on return."""
        parts = min(self.size, count)
        if parts <= 1:
            work(0, count)
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.size - 1, "mofang-rows")
        borders = [count * part // parts for part in range(parts + 1)]
        others = [self._pool.submit(work, borders[part], borders[part + 1]) for part in range(1, parts)]
        work(borders[0], borders[1])
        for other in others:
            other.result()
