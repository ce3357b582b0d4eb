"""`mofang text finetune`: a style put on a pretrained model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mofang.cli.numbers import Real
from mofang.cli.session import need_torch, run_folder, session
from mofang.studio.words import say

VALIDATED = 24
"""Windows a validation looks at. A pretrained model is large and a fine-tuning short: judging must not take the time."""

F = TypeVar("F", bound=Callable[..., Any])

_HELP = {
    "name": say("what to call it; kept in the studio", "模型名；保存在工作室中"),
    "out": say("a folder for the run instead of the studio's", "训练文件夹（默认在工作室内）"),
    "budget": "10min, 2h, 500steps, 1Mtokens",
    "rank": say("how much it can learn", "适配器的秩"),
    "alpha": say("the adapter's weight; 2 · rank unless given", "适配器权重，默认 2×秩"),
    "context": say("tokens seen at once", "一次看到的词元数"),
    "batch": say("windows a step", "每步窗口数"),
    "accumulate": say("parts a batch is taken in", "梯度累积份数"),
    "lr": say("learning rate", "学习率"),
    "dropout": say("of what goes into the adapter", "适配器输入的丢弃率"),
    "ema": say("how slowly the averaged weights follow", "平均权重的衰减"),
    "patience": say("stop after so many validations without gain; 0: never", "多少次验证无改进即停；0 为不停"),
    "prompts": say("write on from this before and after (several)", "训练前后用来试写的开头（可多次）"),
    "precision": say("of the products while it learns", "训练时矩阵乘法的精度"),
    "dtype": say("of the weights written", "写出权重的类型"),
    "licence": say("of works the studio does not know: own, CC-BY-4.0, …", "未登记作品的许可：own、CC-BY-4.0 等"),
    "consent": say("whose consent you have: self, or a name", "得到谁的授权：self 或姓名"),
    "seed": say("of everything drawn by lot", "随机种子"),
    "threads": say("processor cores to use", "使用的核数"),
    "fresh": say("start over instead of going on", "重新开始而不是续训"),
    "as_json": say("progress as JSON lines", "以 JSON 行输出进度"),
}  # fmt: skip


def _option(*names: str, **settings: Any) -> Callable[[F], F]:
    key = names[-1].removeprefix("--")
    return click.option(*names, help=_HELP[key], show_default=settings.get("default") not in (None, "", 0.0, False), **settings)


@click.command(
    help=say(
        "Put the style of WORKS (texts, or a corpus made by `mofang text prepare`) on BASE: a folder in the Hugging Face "
        "layout, a GGUF file, a model's name, or owner/model of the hub. The base stays as it is.",
        "把 WORKS（文本，或 mofang text prepare 制作的语料）的文风教给 BASE：HF 文件夹、GGUF 文件、模型名，"
        "或 hub 上的 owner/model。原模型不变。",
    )
)
@click.argument("base")
@click.argument("works", nargs=-1, required=True, type=click.Path(path_type=Path))
@_option("--name", default="")
@_option("--out", type=click.Path(path_type=Path))
@_option("--budget", default="10min")
@_option("--rank", type=click.IntRange(1, 1024), default=8)
@_option("--alpha", type=Real(min=0), default=0.0)
@_option("--context", type=click.IntRange(8, 65536), default=256)
@_option("--batch", type=click.IntRange(1, 4096), default=8)
@_option("--accumulate", type=click.IntRange(1, 4096), default=4)
@_option("--lr", type=Real(min=0, min_open=True), default=3e-4)
@_option("--dropout", type=Real(0, 0.9), default=0.0)
@_option("--ema", type=Real(0, 1, max_open=True), default=0.98)
@_option("--patience", type=click.IntRange(0), default=0)
@_option("--prompt", "prompts", multiple=True)
@_option("--precision", type=click.Choice(["auto", "bf16", "float32"]), default="auto")
@_option("--dtype", type=click.Choice(["auto", "float32", "float16", "bfloat16"]), default="auto")
@_option("--licence", default="")
@_option("--consent", default="")
@_option("--seed", type=click.IntRange(min=0), default=0)
@_option("--threads", type=click.IntRange(1, 1024))
@_option("--fresh", is_flag=True)
@_option("--json", "as_json", is_flag=True)
@click.pass_obj
def finetune(studio: Path, /, base: str, works: tuple[Path, ...], name: str, out: Path | None, budget: str, threads: int | None,
             fresh: bool, as_json: bool, **options: Any) -> None:  # fmt: skip
    """Runs to the end of the budget; the same command goes on after a stop."""
    need_torch("fine-tuning needs torch, Transformers and peft", "hf")
    from mofang.models import hub
    from mofang.text import pretrained
    from mofang.text.corpus import Papers
    from mofang.text.finetune import Style
    from mofang.text.finetune import finetune as tune
    from mofang.text.train import Settings
    from mofang.training.loop import Plan

    hub.transformers()
    found = pretrained.find(base, studio)
    parts = min(options["accumulate"], options["batch"])
    settings = Settings(options["context"], options["batch"], parts, options["lr"], matrix_lr=0.0,
                        weight_decay=0.0, precision=options["precision"], seed=options["seed"],
                        validation_windows=VALIDATED)  # fmt: skip
    folder = run_folder(studio, out, name, f"{found.folder.name if found.gguf == '' else found.name}-style")
    with session(budget, threads, as_json) as run:
        plan = Plan(run.budget, options["seed"], options["ema"], validations=6, patience=options["patience"])
        style = Style(settings, plan, options["rank"], options["alpha"], options["dropout"], options["dtype"], options["prompts"])
        tuned = tune(found, works, folder, style, run.listen, studio=studio, fresh=fresh,
                     papers=Papers(options["licence"], options["consent"]), command=run.command)  # fmt: skip
    if not run.speaks:
        return
    before, after = say("before", "之前"), say("after", "之后")
    click.echo(f"── {before}\n{tuned.before}\n\n── {after}\n{tuned.after}\n")
    click.echo(say(f"the model is {tuned.folder}", f"模型在 {tuned.folder}"))
    if tuned.gguf:
        click.echo(say(f"for llama.cpp: {tuned.gguf}", f"给 llama.cpp：{tuned.gguf}"))
    else:
        click.echo(say(f"no GGUF: {tuned.why_no_gguf}", f"没有 GGUF：{tuned.why_no_gguf}"))
    click.echo(say(f"how it went: {folder / 'report.html'}", f"训练报告：{folder / 'report.html'}"))
