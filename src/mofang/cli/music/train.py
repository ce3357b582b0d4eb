"""`mofang music train`: a model that composes, from prepared pieces."""

from pathlib import Path
from typing import Any

import click

from mofang.cli.session import need_torch, session
from mofang.studio.words import say


@click.command(help=say("Train a model on DATA (see `mofang music prepare`).", "用 DATA 训练作曲模型（见 mofang music prepare）。"))
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--name", default="", help=say("what to call it; kept in the studio", "模型名；保存在工作室中"))
@click.option("--out", type=click.Path(path_type=Path),
              help=say("a folder for the run instead of the studio's", "训练文件夹（默认在工作室内）"))  # fmt: skip
@click.option("--size", type=click.Choice(["nano", "micro", "mini", "small", "base"]), default="small", show_default=True)
@click.option("--budget", default="2h", show_default=True, help="30min, 2h, 2000steps")
@click.option("--context", type=click.IntRange(32, 4096), default=512, show_default=True,
              help=say("events seen at once", "一次看到的事件数"))  # fmt: skip
@click.option("--batch", type=click.IntRange(1, 4096), default=16, show_default=True, help=say("pieces a step", "每步乐曲数"))
@click.option("--lr", type=click.FloatRange(min=0, min_open=True), default=2e-3, show_default=True,
              help=say("AdamW's learning rate", "AdamW 学习率"))  # fmt: skip
@click.option("--matrix-lr", type=click.FloatRange(min=0), default=0.02, show_default=True,
              help=say("Muon's; 0: AdamW for everything", "Muon 学习率；0 为全用 AdamW"))  # fmt: skip
@click.option("--dropout", type=click.FloatRange(0, 0.9), default=0.1, show_default=True)
@click.option("--ema", type=click.FloatRange(0, 1, max_open=True), default=0.995, show_default=True,
              help=say("decay of the averaged weights", "权重滑动平均的衰减"))  # fmt: skip
@click.option("--patience", type=click.IntRange(0), default=0, show_default=True,
              help=say("stop after so many validations without gain; 0: never", "多少次验证无改进即停；0 为不停"))  # fmt: skip
@click.option("--precision", type=click.Choice(["auto", "bf16", "float32"]), default="auto", show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option("--threads", type=click.IntRange(1, 1024), help=say("processor cores to use", "使用的核数"))
@click.option("--fresh", is_flag=True, help=say("start over instead of going on", "重新开始而不是续训"))
@click.option("--json", "as_json", is_flag=True, help=say("progress as JSON lines", "以 JSON 行输出进度"))
@click.pass_obj
def train(studio: Path, /, data: Path, name: str, out: Path | None, size: str, budget: str, dropout: float, ema: float, patience: int,
          threads: int | None, fresh: bool, as_json: bool, **options: Any) -> None:  # fmt: skip
    """Runs to the end of the budget; the same command goes on after a stop."""
    need_torch()
    from mofang.sound.music.data import open_data
    from mofang.sound.music.learn import Course, learn
    from mofang.sound.music.train import Settings
    from mofang.training.loop import Plan

    folder = out or studio / "runs" / (name or f"{data.resolve().name}-{size}")
    with session(budget, threads, as_json) as run:
        plan = Plan(run.budget, options["seed"], ema, patience=patience)
        model = learn(open_data(data), folder, Course(size, Settings(**options), plan, dropout), run.listen, fresh=fresh,
                      command=run.command)  # fmt: skip
    run.tell(model, folder)
