"""What every training from the command line shares: torch, cores, processes, the live view."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mofang.studio.errors import UserError
from mofang.studio.words import say

if TYPE_CHECKING:
    from mofang.training.budget import Budget
    from mofang.training.loop import Listener


@dataclass(frozen=True)
class Session:
    """A training under way: how long it may take, who listens, whether this process speaks for all of them, and the
    command that began it."""

    budget: "Budget"
    listen: "Listener"
    speaks: bool
    command: tuple[str, ...]

    def tell(self, model: Path, folder: Path) -> None:
        """Say where the model is and how it went. After the session, when the live view is gone."""
        if self.speaks:
            report = folder / "report.html"
            click.echo(say(f"the model is {model}\nhow it went: {report}", f"模型在 {model}\n训练报告：{report}"))


def need_torch(what: str = "training needs torch", extra: str = "train") -> None:
    """Raise `UserError` saying what to install if torch is not there."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise UserError(f"{what}; run: pip install 'mofang[{extra}]'") from error


@contextmanager
def session(budget: str, threads: int | None, as_json: bool, unit: str = "") -> Iterator[Session]:
    """A training of `budget` on `threads` cores, alone or among processes of torchrun. `unit`: what is counted, if it is
    not tokens. Raises `UserError`."""
    import torch

    from mofang.cli.training import Watch
    from mofang.training import budget as budgets
    from mofang.training import distributed

    torch.set_num_threads(threads or torch.get_num_threads())
    allowed = budgets.parse(budget)
    distributed.start()
    watch = Watch(allowed, as_json, unit=unit) if distributed.rank() == 0 else None
    try:
        yield Session(allowed, watch or _silent, watch is not None, ("mofang", *sys.argv[1:]))
    finally:
        if watch:
            watch.close()
        distributed.stop()


def _silent(record: dict[str, Any]) -> None:
    """Of several processes, one speaks."""
