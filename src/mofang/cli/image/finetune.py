"""`mofang image finetune`: a style or a subject put on a Stable Diffusion checkpoint."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mofang.cli.numbers import Real
from mofang.cli.session import need_torch, run_folder, session
from mofang.studio.words import say

F = TypeVar("F", bound=Callable[..., Any])

_HELP = {
    "base": say("the checkpoint: a folder, a safetensors file, or owner/model", "底模：文件夹、safetensors 文件或 owner/model"),
    "kind": say("a style (lora), or one subject beside its class (dreambooth)", "学风格（lora），或学某个主体（dreambooth）"),
    "subject": say("words that will call it: 'a photo of sks dog'", "唤出它的词：'a photo of sks dog'"),
    "group": say("DreamBooth: the class: 'a photo of a dog'", "DreamBooth：所属类别：'a photo of a dog'"),
    "prior": say("DreamBooth: pictures of the class to keep true to; 0: none", "DreamBooth：类别图片的张数；0 为无"),
    "prior-weight": say("DreamBooth: their weight", "DreamBooth：类别图片的权重"),
    "name": say("what to call it; kept in the studio", "模型名；保存在工作室中"),
    "out": say("a folder for the run instead of the studio's", "训练文件夹（默认在工作室内）"),
    "budget": "30min, 2h, 1000steps",
    "rank": say("how much it can learn", "适配器的秩"),
    "size": say("pixels a side; the checkpoint's own unless given", "训练边长（像素），默认同底模"),
    "batch": say("pictures a step", "每步图片数"),
    "lr": say("learning rate", "学习率"),
    "ema": say("how slowly the averaged weights follow", "平均权重的衰减"),
    "prompt": say("paint this now and then to look at (several)", "训练中用来试画的文字（可多次）"),
    "precision": say("of the products while it learns", "训练时矩阵乘法的精度"),
    "licence": say("of pictures the studio does not know: own, CC-BY-4.0, …", "未登记图片的许可：own、CC-BY-4.0 等"),
    "seed": say("of everything drawn by lot", "随机种子"),
    "threads": say("processor cores to use", "使用的核数"),
    "fresh": say("start over instead of going on", "重新开始而不是续训"),
    "json": say("progress as JSON lines", "以 JSON 行输出进度"),
}


def _option(name: str, *names: str, **settings: Any) -> Callable[[F], F]:
    return click.option(name, *names, help=_HELP[name[2:]], show_default=settings.get("default") not in (None, "", 0), **settings)


@click.command(
    help=say(
        "Teach a Stable Diffusion checkpoint the pictures in DATA (a folder, or what `mofang image prepare` made). The result is "
        "a LoRA for: mofang image make --engine diffusers:BASE --lora NAME",
        "让 Stable Diffusion 底模学会 DATA（图片文件夹或 mofang image prepare 的图集）。得到的 LoRA 用于："
        "mofang image make --engine diffusers:底模 --lora 名字",
    )
)
@click.argument("data", type=click.Path(path_type=Path))
@_option("--base", required=True)
@_option("--kind", type=click.Choice(["lora", "dreambooth"]), default="lora")
@_option("--subject", default="")
@_option("--group", default="")
@_option("--prior", type=click.IntRange(0, 2000), default=100)
@_option("--prior-weight", type=Real(0, 10), default=1.0)
@_option("--name", default="")
@_option("--out", type=click.Path(path_type=Path))
@_option("--budget", default="1000steps")
@_option("--rank", type=click.IntRange(1, 512), default=8)
@_option("--size", type=click.IntRange(8, 1024))
@_option("--batch", type=click.IntRange(1, 256), default=1)
@_option("--lr", type=Real(min=0, min_open=True), default=1e-4)
@_option("--ema", type=Real(0, 1, max_open=True), default=0.98)
@_option("--prompt", "prompts", multiple=True)
@_option("--precision", type=click.Choice(["auto", "bf16", "float32"]), default="auto")
@_option("--licence", default="")
@_option("--seed", type=click.IntRange(0, 2**31 - 1), default=0)
@_option("--threads", type=click.IntRange(1, 1024))
@_option("--fresh", is_flag=True)
@_option("--json", "as_json", is_flag=True)
@click.pass_obj
def finetune(studio: Path, /, data: Path, base: str, kind: Any, subject: str, group: str, prior: int, prior_weight: float, name: str,
             out: Path | None, budget: str, rank: int, size: int | None, batch: int, lr: float, ema: float, prompts: tuple[str, ...],
             precision: Any, licence: str, seed: int, threads: int | None, fresh: bool, as_json: bool) -> None:  # fmt: skip
    """Runs to the end of the budget; the same command goes on after a stop."""
    need_torch("fine-tuning needs torch, diffusers and peft", "diffusers")
    from mofang.image.engines.diffusers import find
    from mofang.training.loop import Plan

    find.library()
    from mofang.image.finetune import Tuning
    from mofang.image.finetune import finetune as tune
    from mofang.image.train.adapt import AdaptSettings

    settings = AdaptSettings(rank, batch, lr, prior_weight=prior_weight, precision=precision, seed=seed)
    folder = run_folder(studio, out, name, f"{data.resolve().name}-{kind}")
    with session(budget, threads, as_json, say("pictures", "张")) as run:
        plan = Plan(run.budget, seed, ema, validations=10)
        tuning = Tuning(settings, plan, kind, subject, group, prior, size or 0, licence, prompts)
        model = tune(find.find(base), data, folder, tuning, run.listen, studio=studio, fresh=fresh, command=run.command)
    if run.speaks:
        report = folder / "report.html"
        click.echo(say(f"the LoRA is {model}\nhow it went: {report}", f"LoRA 在 {model}\n训练报告：{report}"))
