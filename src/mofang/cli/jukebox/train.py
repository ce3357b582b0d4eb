"""`mofang jukebox train`: a codec of recordings, or a prior over the codes of one."""

from pathlib import Path
from typing import Any

import click

from mofang.cli.numbers import Real
from mofang.cli.session import need_torch, options, run_folder, session
from mofang.studio.errors import UserError
from mofang.studio.words import say

_option = options({
    "kind": say("codec: sound to codes and back; prior: which code comes next", "codec：声音↔编码；prior：预测下一个编码"),
    "codec": say("prior: the codec's name or folder", "prior：编解码器的名称或文件夹"),
    "level": say("prior: 0 is the finest; the top if not given", "prior：层级，0 最细，默认最粗"),
    "budget": "30min, 2h, 2000steps",
    "codes": say("codec: entries of each codebook", "codec：码本大小"),
    "channels": say("codec: channels of its convolutions", "codec：卷积通道数"),
    "window": say("codec: samples of a window", "codec：每窗采样数"),
    "context": say("prior: codes seen at once", "prior：一次看到的编码数"),
    "layers": say("prior: layers", "prior：层数"),
    "width": say("prior: width", "prior：宽度"),
    "heads": say("prior: heads", "prior：注意力头数"),
    "lyrics": say("prior: bytes of lyrics seen at once; 0: none", "prior：一次看到的歌词字节数；0 为不用"),
    "batch": say("windows a step; 4 for a codec, 8 for a prior", "每步窗口数；codec 默认 4，prior 默认 8"),
    "lr": say("AdamW's learning rate", "AdamW 学习率"),
    "matrix-lr": say("prior: Muon's; 0: AdamW for everything", "prior：Muon 学习率；0 为全用 AdamW"),
})


@click.command(help=say("Train on DATA (see `mofang jukebox prepare`).", "用 DATA 训练（见 mofang jukebox prepare）。"))
@click.argument("data", type=click.Path(path_type=Path))
@_option("--kind", type=click.Choice(["codec", "prior"]), default="codec")
@_option("--codec", default="")
@_option("--level", type=click.IntRange(0, 3))
@_option("--name", default="")
@_option("--out", type=click.Path(path_type=Path))
@_option("--budget", default="2h")
@_option("--codes", type=click.IntRange(2, 16_384), default=512)
@_option("--channels", type=click.IntRange(8, 1024), default=64)
@_option("--window", type=click.IntRange(2048, 1 << 20), default=8192)
@_option("--context", type=click.IntRange(16, 16_384), default=512)
@_option("--layers", type=click.IntRange(1, 96), default=4)
@_option("--width", type=click.IntRange(16, 8192), default=256)
@_option("--heads", type=click.IntRange(1, 64), default=4)
@_option("--lyrics", type=click.IntRange(0, 4096), default=0)
@_option("--batch", type=click.IntRange(1, 4096))
@_option("--lr", type=Real(min=0, min_open=True), default=1e-3)
@_option("--matrix-lr", type=Real(min=0), default=0.01)
@_option("--dropout", type=Real(0, 0.9), default=0.1)
@_option("--ema", type=Real(0, 1, max_open=True), default=0.995)
@_option("--validations", type=click.IntRange(1, 1000), default=20)
@_option("--patience", type=click.IntRange(0), default=0)
@_option("--precision", type=click.Choice(["auto", "bf16", "float32"]), default="auto")
@_option("--seed", type=click.IntRange(0, 2**31 - 1), default=0)
@_option("--threads", type=click.IntRange(1, 1024))
@_option("--fresh", is_flag=True)
@_option("--json", "as_json", is_flag=True)
@click.pass_obj
def train(studio: Path, /, data: Path, kind: str, name: str, out: Path | None, budget: str, threads: int | None, fresh: bool,
          as_json: bool, **options: Any) -> None:  # fmt: skip
    """Runs to the end of the budget; the same command goes on after a stop."""
    need_torch()
    from mofang.sound.jukebox.data import Corpus
    from mofang.sound.jukebox.learn import learn

    opened = Corpus.open(data)
    folder = run_folder(studio, out, name, f"{data.resolve().name}-{kind}{'' if options['level'] is None else options['level']}")
    with session(budget, threads, as_json) as run:
        model = learn(opened, folder, _course(kind, opened, run.budget, options, studio), studio, run.listen, fresh=fresh,
                      command=run.command)  # fmt: skip
    run.tell(model, folder)


def _course(kind: str, corpus: Any, budget: Any, options: dict[str, Any], studio: Path) -> Any:
    from mofang.models import own
    from mofang.sound.jukebox.codec import Codec
    from mofang.sound.jukebox.learn import Course, prior_shape
    from mofang.sound.jukebox.shape import CodecShape
    from mofang.sound.jukebox.train import Settings
    from mofang.training.loop import Plan

    options["batch"] = options["batch"] or (4 if kind == "codec" else 8)
    settings = Settings(**{key: options[key] for key in ("batch", "window", "lr", "matrix_lr", "dropout", "precision", "seed")})
    plan = Plan(budget, options["seed"], options["ema"], validations=options["validations"], patience=options["patience"])
    if kind == "codec":
        return Course(CodecShape(corpus.rate, width=options["channels"], codes=options["codes"]), settings, plan)
    if not options["codec"]:
        raise UserError("a prior is trained over the codes of a codec; say which: --codec NAME")
    codec = own.find(options["codec"], studio)
    shape = Codec.open(codec).shape
    level = len(shape.hops) - 1 if options["level"] is None else options["level"]
    sizes = {key: options[key] for key in ("context", "layers", "width", "heads", "lyrics")}
    return Course(prior_shape(corpus, shape, level, **sizes), settings, plan, codec)
