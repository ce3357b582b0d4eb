"""`mofang image train`: a picture model of one's own from a dataset."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from mofang.cli.numbers import Real
from mofang.cli.session import need_torch, options, run_folder, session
from mofang.cli.terminal import note
from mofang.image.train.kinds import DIALS, KINDS
from mofang.studio.errors import UserError
from mofang.studio.words import say

ADAPTERS = ("lora", "dreambooth")
"""What is trained on another's checkpoint: the same as `mofang image finetune`."""
WRITTEN = {"dial": "size", "start": "from"}
"""Parameters whose options go by another name."""

_option = options({
    "kind": say("what learns", "模型种类"),
    "size": say("how large; the options below override it", "模型大小；可用下列选项细调"),
    "budget": "30min, 2h, 2000steps",
    "width": say("channels next to the picture", "靠近图像一端的通道数"),
    "latent": say("numbers a picture is made from", "潜变量维数"),
    "batch": say("pictures a step", "每步图片数"),
    "lr": say("learning rate", "学习率"),
    "loss": say("GANs: the game", "GAN 损失"),
    "gamma": say("GANs: weight of the R1 and R2 penalties; 0: none", "GAN：R1、R2 梯度惩罚的权重；0 为无"),
    "augment": say("GANs: DiffAugment, of a strength that adapts or not", "GAN：数据增强（自适应、固定、无）"),
    "mirror": say("show half of the pictures mirrored", "一半图片左右翻转"),
    "kl": say("VAE: weight of the divergence", "VAE：KL 散度的权重"),
    "codes": say("VQ-VAE: entries of the codebook", "VQ-VAE：码本大小"),
    "from": say("a model of the same kind whose weights it begins with", "以同种模型的权重为起点"),
    "base": say("flow, decoder: the autoencoder; chooser: the flow; lora, dreambooth: the checkpoint",
                "flow、decoder：自编码器；chooser：flow 模型；lora、dreambooth：底模"),
    "subject": say("lora, dreambooth: words that will call it", "lora、dreambooth：唤出它的词"),
    "group": say("dreambooth: the subject's class", "dreambooth：所属类别"),
    "prior": say("dreambooth: pictures of the class to keep true to", "dreambooth：类别图片的张数"),
    "licence": say("lora, dreambooth: of pictures the studio does not know", "lora、dreambooth：未登记图片的许可"),
    "rank": say("lora, dreambooth: how much it can learn", "lora、dreambooth：适配器的秩"),
    "layers": say("flow: blocks", "flow：层数"),
    "heads": say("flow: of attention", "flow：注意力头数"),
    "words": say("flow: tokens read of a caption", "flow：读取的说明词元数"),
    "matrix-lr": say("flow: Muon's learning rate; 0: AdamW for everything", "flow：Muon 学习率；0 为全用 AdamW"),
    "samples": say("how often to make a sheet", "共输出多少张样图"),
})

_ABOVE_ZERO = Real(min=0, min_open=True)


@click.command(help=say("Train a model on DATA (see `mofang image prepare`).", "用图集 DATA 训练模型（见 mofang image prepare）。"))
@click.argument("data", type=click.Path(path_type=Path))
@_option("--kind", type=click.Choice([*KINDS, *ADAPTERS]), default="gan")
@_option("--name", default="")
@_option("--out", type=click.Path(path_type=Path))
@_option("--size", "dial", type=click.Choice(DIALS), default="small")
@_option("--budget", default="20min")
@_option("--width", type=click.IntRange(4, 1024))
@_option("--latent", type=click.IntRange(2, 1024))
@_option("--batch", type=click.IntRange(2, 4096))
@_option("--lr", type=_ABOVE_ZERO)
@_option("--loss", type=click.Choice(["relativistic", "non-saturating", "minimax"]))
@_option("--gamma", type=Real(min=0))
@_option("--augment", type=click.Choice(["adaptive", "fixed", "none"]))
@_option("--mirror/--no-mirror", default=None)
@_option("--kl", type=Real(min=0))
@_option("--codes", type=click.IntRange(2, 65536))
@_option("--from", "start")
@_option("--base")
@_option("--subject")
@_option("--group")
@_option("--prior", type=click.IntRange(0, 2000))
@_option("--licence")
@_option("--rank", type=click.IntRange(1, 512))
@_option("--layers", type=click.IntRange(1, 100))
@_option("--heads", type=click.IntRange(1, 64))
@_option("--words", type=click.IntRange(1, 256))
@_option("--matrix-lr", type=Real(min=0))
@_option("--ema", type=Real(0, 1, max_open=True))
@_option("--warmup", type=Real(0, 1), default=0.02)
@_option("--decay", type=Real(0, 1), default=0.5)
@_option("--samples", type=click.IntRange(1, 1000), default=10)
@_option("--patience", type=click.IntRange(0), default=0)
@_option("--precision", type=click.Choice(["auto", "bf16", "float32"]))
@_option("--seed", type=click.IntRange(0, 2**31 - 1), default=0)
@_option("--threads", type=click.IntRange(1, 1024))
@_option("--fresh", is_flag=True)
@_option("--json", "as_json", is_flag=True)
@click.pass_context
def train(context: click.Context, /, data: Path, kind: str, name: str, out: Path | None, budget: str, warmup: float, decay: float,
          samples: int, patience: int, seed: int, threads: int | None, fresh: bool, as_json: bool,
          start: str | None, **options: Any) -> None:  # fmt: skip
    """Runs to the end of the budget; the same command goes on after a stop."""
    if kind in ADAPTERS:
        _adapt(context)
        return
    need_torch()
    from mofang.image.data import Pictures
    from mofang.image.train.learn import learn
    from mofang.models import own
    from mofang.training.loop import Plan

    pictures = Pictures.open(data)
    given = {key: value for key, value in options.items() if value is not None}
    if "base" in given:
        given["base"] = str(own.find(given["base"], context.obj))
    folder = run_folder(context.obj, out, name, f"{data.resolve().name}-{kind}-{given['dial']}")
    with session(budget, threads, as_json, say("pictures", "张")) as run:
        plan = Plan(run.budget, seed, given.pop("ema", None) or 0.998, warmup, decay, samples=samples, patience=patience)
        model = learn(pictures, folder, kind, plan, given, run.listen, fresh=fresh, command=run.command,
                      start=None if start is None else own.find(start, context.obj))  # fmt: skip
    if run.speaks:
        _tell(own.read_card(model).get("measured", {}))
    run.tell(model, folder)


def _adapt(context: click.Context) -> None:
    """`mofang image finetune` with the options that were given. Raises `UserError` for those it does not have."""
    from mofang.cli.image.finetune import finetune

    def written(name: str) -> bool:
        return context.get_parameter_source(name) is ParameterSource.COMMANDLINE

    given = {name: value for name, value in context.params.items() if written(name)}
    known = {option.name for option in finetune.params} - {"size"}
    for name in given:
        if name not in known:
            raise UserError(f"--kind {given['kind']} has no --{WRITTEN.get(name, name).replace('_', '-')}; leave it out")
    if "base" not in given:
        raise UserError(f"--kind {given['kind']} needs --base: a Stable Diffusion folder, a safetensors file, or owner/model")
    context.invoke(finetune, **given)


def _tell(measured: dict[str, Any]) -> None:
    from mofang.image.train.judge import warning

    if said := warning(measured.get("diversity", 1.0)):
        note(said)
    if "copy_rate" in measured:
        rate, expected = measured["copy_rate"], measured["copy_expected"]
        click.echo(say(f"copy rate {rate:.1%} (new pictures: {expected:.0%}), KID {measured['kid']:.4f}",
                       f"抄袭率 {rate:.1%}（全新图片为 {expected:.0%}），KID {measured['kid']:.4f}"))  # fmt: skip
