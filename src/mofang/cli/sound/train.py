"""`mofang sound train`: a vocoder or an acoustic model from a corpus of speech."""

from pathlib import Path
from typing import Any

import click

from mofang.cli.numbers import Real
from mofang.cli.session import need_torch, options, run_folder, session
from mofang.studio.errors import UserError
from mofang.studio.words import say

_option = options({
    "kind": say("wavenet: features to sound; acoustic: phonemes to features", "wavenet：特征→声音；acoustic：音素→特征"),
    "budget": "30min, 2h, 2000steps",
    "output": say("wavenet: a softmax over 256 codes, or a mixture of logistics", "wavenet：256 级 softmax 或逻辑斯谛混合"),
    "layers": say("wavenet: dilated layers", "wavenet：空洞卷积层数"),
    "residual": say("wavenet: residual channels", "wavenet：残差通道"),
    "skip": say("wavenet: skip channels", "wavenet：跳接通道"),
    "emphasis": say("wavenet: pre-emphasis of the sound; 0: none", "wavenet：预加重；0 为不用"),
    "acoustic": say("wavenet: learn from this acoustic model's spectra, which it will be given in use",
                    "wavenet：用该声学模型预测的频谱训练（与使用时一致）"),
    "from": say("a model of the same kind, or a voice, whose weights it begins with", "以同类模型或一个音色的权重为起点"),
    "width": say("acoustic: channels", "acoustic：通道数"),
    "window": say("wavenet: frames of 12.5 ms in a window", "wavenet：每窗帧数（12.5 毫秒）"),
    "batch": say("windows, or clips, a step", "每步窗口（语句）数"),
    "lr": say("Adam's learning rate", "Adam 学习率"),
    "matrix-lr": say("wavenet: Muon's, for the layers' matrices; 0: Adam for everything",
                     "wavenet：各层矩阵的 Muon 学习率；0 为全用 Adam"),
    "decay": say("share of the budget over which the rate falls", "学习率下降段占预算的比例"),
})


@click.command(help=say("Train on CORPUS (see `mofang sound prepare`).", "用语料 CORPUS 训练（见 mofang sound prepare）。"))
@click.argument("corpus", type=click.Path(path_type=Path))
@_option("--kind", type=click.Choice(["wavenet", "acoustic"]), default="wavenet")
@_option("--name", default="")
@_option("--out", type=click.Path(path_type=Path))
@_option("--budget", default="2h")
@_option("--output", type=click.Choice(["mulaw", "logistics"]), default="mulaw")
@_option("--layers", type=click.IntRange(1, 200), default=30)
@_option("--residual", type=click.IntRange(16, 1024), default=64)
@_option("--skip", type=click.IntRange(16, 4096), default=64)
@_option("--emphasis", type=Real(0, 0.99), default=0.85)
@_option("--acoustic", default="")
@_option("--from", "start", default="")
@_option("--width", type=click.IntRange(16, 2048), default=192)
@_option("--window", type=click.IntRange(1, 4000), default=80)
@_option("--batch", type=click.IntRange(1, 4096))
@_option("--lr", type=Real(min=0, min_open=True), default=1e-3)
@_option("--matrix-lr", type=Real(min=0), default=0.01)
@_option("--ema", type=Real(0, 1, max_open=True), default=0.999)
@_option("--decay", type=Real(0, 1), default=0.5)
@_option("--validations", type=click.IntRange(1, 1000), default=20)
@_option("--patience", type=click.IntRange(0), default=0)
@_option("--precision", type=click.Choice(["auto", "bf16", "float32"]), default="auto")
@_option("--seed", type=click.IntRange(0, 2**31 - 1), default=0)
@_option("--threads", type=click.IntRange(1, 1024))
@_option("--fresh", is_flag=True)
@_option("--json", "as_json", is_flag=True)
@click.pass_obj
def train(studio: Path, /, corpus: Path, kind: str, name: str, out: Path | None, budget: str, threads: int | None, fresh: bool,
          as_json: bool, **options: Any) -> None:  # fmt: skip
    """Runs to the end of the budget; the same command goes on after a stop."""
    need_torch()
    from mofang.sound.own.corpus import Corpus
    from mofang.sound.own.learn import learn

    folder = run_folder(studio, out, name, f"{corpus.resolve().name}-{kind}")
    with session(budget, threads, as_json) as run:
        opened = Corpus.open(corpus)
        course = _course(kind, len(opened.speakers), run.budget, options, studio)
        model = learn(opened, folder, course, studio, run.listen, fresh=fresh, command=run.command)
    run.tell(model, folder)


def _course(kind: str, speakers: int, budget: Any, options: dict[str, Any], studio: Path) -> Any:
    from mofang.models import own
    from mofang.sound.own.acoustic import AcousticShape
    from mofang.sound.own.learn import Course
    from mofang.sound.own.train import Settings
    from mofang.sound.wavenet.shape import Shape
    from mofang.training.loop import Plan

    try:
        shape: Shape | AcousticShape = AcousticShape(options["width"], speakers=speakers) if kind == "acoustic" else Shape(
            layers=options["layers"], residual=options["residual"], skip=options["skip"], output=options["output"],
            emphasis=options["emphasis"], speakers=speakers if speakers > 1 else 0)  # fmt: skip
    except ValueError as error:
        raise UserError(str(error)) from error
    settings = Settings(options["window"], options["batch"] or (16 if kind == "acoustic" else 1),
                        options["lr"], options["matrix_lr"],
                        precision=options["precision"], seed=options["seed"])  # fmt: skip
    plan = Plan(budget, options["seed"], options["ema"], decay=options["decay"], validations=options["validations"],
                patience=options["patience"])  # fmt: skip
    return Course(shape, settings, plan, own.find(options["acoustic"], studio) if options["acoustic"] else None,
                  own.find(options["start"], studio) if options["start"] else None)  # fmt: skip
