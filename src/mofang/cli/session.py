"""What every training from the command line shares: options, torch, cores, processes, the live view."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mofang.studio.errors import UserError
from mofang.studio.words import say

if TYPE_CHECKING:
    from mofang.training.budget import Budget
    from mofang.training.loop import Listener

F = TypeVar("F", bound=Callable[..., Any])

SHARED = {
    "name": say("what to call it; kept in the studio", "模型名；保存在工作室中"),
    "out": say("a folder for the run instead of the studio's", "训练文件夹（默认在工作室内）"),
    "ema": say("decay of the averaged weights", "权重滑动平均的衰减"),
    "validations": say("how many over the run", "全程验证次数"),
    "patience": say("stop after so many validations without gain; 0: never", "多少次验证无改进即停；0 为不停"),
    "threads": say("processor cores to use", "使用的核数"),
    "fresh": say("start over instead of going on", "重新开始而不是续训"),
    "json": say("progress as JSON lines", "以 JSON 行输出进度"),
}
"""The help of options that trainings have in common."""


def options(own: Mapping[str, str]) -> Callable[..., Callable[[F], F]]:
    """A `click.option` that finds its help by the option's name, in a command's `own` or in `SHARED`, and shows defaults that say
    something."""
    told = SHARED | dict(own)

    def option(name: str, *names: str, **settings: Any) -> Callable[[F], F]:
        shown = settings.get("default") not in (None, "")
        return click.option(name, *names, help=told.get(name[2:].split("/")[0]), show_default=shown, **settings)

    return option


def plain(name: str) -> bool:
    """Whether a name leads nowhere but to a folder of that name that shows."""
    return name == Path(name).name and not name.startswith(".")


def run_folder(studio: Path, out: Path | None, name: str, otherwise: str) -> Path:
    """Where a run lies: in the folder `out`, or in the studio under its name. Raises `UserError` for a name that is a way."""
    if not out and not plain(name):
        raise UserError(f"'{name[:60]}' is no name for a model; give a word without / or a dot before it, or a folder with --out")
    return out or studio / "runs" / (name or otherwise)


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
