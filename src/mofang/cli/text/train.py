"""`mofang text train`: a model of one's own from a corpus."""

from pathlib import Path
from typing import Any

import click

from mofang.cli.numbers import Real
from mofang.cli.session import Session, need_torch, options, run_folder, session
from mofang.studio.errors import UserError
from mofang.studio.words import say
from mofang.text.sizes import NETWORKS, SIZES

_option = options({
    "size": say("how large; the options below override it", "模型大小；可用下列选项细调"),
    "budget": "30min, 2h, 2000steps, 5Mtokens",
    "width": say("hidden size", "隐藏层宽度"),
    "embedding": say("recurrent networks: size of the input", "循环网络：输入向量大小"),
    "context": say("tokens seen at once", "一次看到的词元数"),
    "batch": say("windows a step", "每步窗口数"),
    "accumulate": say("parts a batch is taken in", "梯度累积份数"),
    "lr": say("AdamW's learning rate", "AdamW 学习率"),
    "matrix-lr": say("Muon's; 0: AdamW for everything", "Muon 学习率；0 为全用 AdamW"),
    "clip": say("longest gradient; 0: any", "梯度裁剪；0 为不裁"),
    "warmup": say("share of the budget", "占预算的比例"),
    "decay": say("share of the budget", "占预算的比例"),
    "prompt": say("write on from this as training goes (several)", "训练中用来试写的开头（可多次）"),
    "dtype": say("of the weights kept", "保存权重的类型"),
})

_ABOVE_ZERO = Real(min=0, min_open=True)


@click.command(help=say("Train a model on CORPUS (see `mofang text prepare`).", "用语料 CORPUS 训练模型（见 mofang text prepare）。"))
@click.argument("corpus", type=click.Path(path_type=Path))
@_option("--name", default="")
@_option("--out", type=click.Path(path_type=Path))
@_option("--network", type=click.Choice([*NETWORKS, "seq2seq"]), default="transformer")
@_option("--size", type=click.Choice(SIZES), default="micro")
@_option("--budget", default="30min")
@_option("--layers", type=click.IntRange(1, 200))
@_option("--width", type=click.IntRange(8, 16384))
@_option("--heads", type=click.IntRange(1, 256))
@_option("--kv-heads", type=click.IntRange(1, 256))
@_option("--embedding", type=click.IntRange(4, 16384))
@_option("--context", type=click.IntRange(4, 65536))
@_option("--batch", type=click.IntRange(1, 65536))
@_option("--accumulate", type=click.IntRange(1, 4096), default=1)
@_option("--lr", type=_ABOVE_ZERO)
@_option("--matrix-lr", type=Real(min=0))
@_option("--weight-decay", type=Real(min=0), default=0.05)
@_option("--dropout", type=Real(0, 0.9), default=0.0)
@_option("--clip", type=Real(min=0), default=1.0)
@_option("--ema", type=Real(0, 1, max_open=True), default=0.995)
@_option("--warmup", type=Real(0, 1), default=0.02)
@_option("--decay", type=Real(0, 1), default=0.5)
@_option("--patience", type=click.IntRange(0), default=0)
@_option("--prompt", "prompts", multiple=True)
@_option("--precision", type=click.Choice(["auto", "bf16", "float32"]), default="auto")
@_option("--dtype", type=click.Choice(["float32", "float16", "bfloat16"]), default="float16")
@_option("--seed", type=click.IntRange(0, 2**31 - 1), default=0)
@_option("--threads", type=click.IntRange(1, 1024))
@_option("--fresh", is_flag=True)
@_option("--json", "as_json", is_flag=True)
@click.pass_obj
def train(studio: Path, /, corpus: Path, name: str, out: Path | None, as_json: bool, fresh: bool, threads: int | None,
          budget: str, **options: Any) -> None:  # fmt: skip
    """Runs to the end of the budget; the same command goes on after a stop."""
    need_torch()

    folder = run_folder(studio, out, name, f"{corpus.resolve().name}-{options['network']}-{options['size']}")
    with session(budget, threads, as_json) as run:
        if options["network"] == "seq2seq":
            from mofang.text.seq2seq_train import learn_pairs

            model = learn_pairs(corpus, folder, run.budget, options, listen=run.listen, fresh=fresh, command=run.command)
        else:
            model = _learn(corpus, folder, run, options, fresh)
    run.tell(model, folder)


def _learn(path: Path, folder: Path, run: Session, options: dict[str, Any], fresh: bool) -> Path:
    from mofang.text.corpus import Corpus
    from mofang.text.learn import Course, learn
    from mofang.text.sizes import shape_for
    from mofang.text.train import Settings
    from mofang.training.loop import Plan

    network, size = options["network"], options["size"]
    try:
        shape = shape_for(network, size, **{key: options[key] for key in
                          ("layers", "width", "heads", "kv_heads", "embedding", "context", "batch")})  # fmt: skip
    except ValueError as error:
        raise UserError(str(error)) from error
    rates = {key: value for key in ("lr", "matrix_lr") if (value := options[key]) is not None}
    settings = Settings(shape.context, shape.batch, options["accumulate"], **rates, weight_decay=options["weight_decay"],
                        clip=options["clip"], precision=options["precision"], seed=options["seed"])  # fmt: skip
    plan = Plan(run.budget, options["seed"], options["ema"], options["warmup"], options["decay"], patience=options["patience"])
    course = Course(network, shape, settings, plan, options["dropout"], options["dtype"], options["prompts"])
    return learn(Corpus.open(path), folder, course, run.listen, fresh=fresh, command=run.command)
