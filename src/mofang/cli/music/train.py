"""`mofang music train`: a model that composes, from prepared pieces."""

from pathlib import Path
from typing import Any

import click

from mofang.cli.numbers import Real
from mofang.cli.session import need_torch, options, run_folder, session
from mofang.studio.words import say

_option = options({
    "budget": "30min, 2h, 2000steps",
    "context": say("events seen at once", "一次看到的事件数"),
    "batch": say("pieces a step", "每步乐曲数"),
    "lr": say("AdamW's learning rate", "AdamW 学习率"),
    "matrix-lr": say("Muon's; 0: AdamW for everything", "Muon 学习率；0 为全用 AdamW"),
})


@click.command(help=say("Train a model on DATA (see `mofang music prepare`).", "用 DATA 训练作曲模型（见 mofang music prepare）。"))
@click.argument("data", type=click.Path(path_type=Path))
@_option("--name", default="")
@_option("--out", type=click.Path(path_type=Path))
@_option("--size", type=click.Choice(["nano", "micro", "mini", "small", "base"]), default="small")
@_option("--budget", default="2h")
@_option("--context", type=click.IntRange(32, 4096), default=512)
@_option("--batch", type=click.IntRange(1, 4096), default=16)
@_option("--lr", type=Real(min=0, min_open=True), default=2e-3)
@_option("--matrix-lr", type=Real(min=0), default=0.02)
@_option("--dropout", type=Real(0, 0.9), default=0.1)
@_option("--ema", type=Real(0, 1, max_open=True), default=0.995)
@_option("--patience", type=click.IntRange(0), default=0)
@_option("--precision", type=click.Choice(["auto", "bf16", "float32"]), default="auto")
@_option("--seed", type=click.IntRange(0, 2**31 - 1), default=0)
@_option("--threads", type=click.IntRange(1, 1024))
@_option("--fresh", is_flag=True)
@_option("--json", "as_json", is_flag=True)
@click.pass_obj
def train(studio: Path, /, data: Path, name: str, out: Path | None, size: str, budget: str, dropout: float, ema: float, patience: int,
          threads: int | None, fresh: bool, as_json: bool, **options: Any) -> None:  # fmt: skip
    """Runs to the end of the budget; the same command goes on after a stop."""
    need_torch()
    from mofang.sound.music.data import open_data
    from mofang.sound.music.learn import Course, learn
    from mofang.sound.music.train import Settings
    from mofang.training.loop import Plan

    folder = run_folder(studio, out, name, f"{data.resolve().name}-{size}")
    with session(budget, threads, as_json) as run:
        plan = Plan(run.budget, options["seed"], ema, patience=patience)
        model = learn(open_data(data), folder, Course(size, Settings(**options), plan, dropout), run.listen, fresh=fresh,
                      command=run.command, studio=studio)  # fmt: skip
    run.tell(model, folder)
