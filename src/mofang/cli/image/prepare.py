"""`mofang image prepare`: pictures made into a dataset."""

from pathlib import Path

import click

from mofang.cli.numbers import Real
from mofang.studio.words import say


@click.command(help=say("Turn folders of pictures into a dataset to train on.", "把图片文件夹整理成可训练的图集。"))
@click.argument("folders", metavar="DIR…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help=say("the dataset folder to write", "要写出的图集文件夹"))
@click.option("--size", type=click.IntRange(8, 1024), default=64, show_default=True, help=say("pixels a side", "边长（像素）"))
@click.option("--alpha", is_flag=True, help=say("keep transparency; else it is laid on white", "保留透明；否则衬白底"))
@click.option("--val", type=Real(0, 0.5), default=0.05, show_default=True, help=say("share held out", "留作验证的比例"))
@click.option("--val-by", type=click.Choice(["subject", "picture"]), default="subject", show_default=True,
              help=say("hold out whole subjects, or single pictures of them", "按主题整组留出，或按单张留出"))  # fmt: skip
@click.option("--no-crop", is_flag=True, help=say("pad to a square instead of cutting", "补成正方形，而不裁切"))
@click.option("--drop-near", is_flag=True, help=say("leave near-duplicates out", "近似重复的只留一张"))
@click.option("--licence", default="", help=say("of pictures the studio does not know: own, CC-BY-4.0, …",
                                                "未登记图片的许可：own、CC-BY-4.0 等"))  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help=say("of the split", "划分用的种子"))
@click.option("--json", "as_json", is_flag=True, help=say("progress as JSON lines", "以 JSON 行输出进度"))
@click.pass_obj
def prepare(studio: Path, folders: tuple[Path, ...], out: Path, size: int, alpha: bool, val: float, val_by: str, no_crop: bool,
            drop_near: bool, licence: str, seed: int, as_json: bool) -> None:  # fmt: skip
    """Reads, crops, compares, splits; prints what came of it."""
    from mofang.cli.terminal import Line
    from mofang.image.data.prepare import Preparing
    from mofang.image.data.prepare import prepare as make
    from mofang.image.data.report import summary

    line = Line(as_json)
    try:
        settings = Preparing(size, alpha, val, val_by == "picture", not no_crop, drop_near, licence, seed)
        made = make(folders, out, settings, studio=studio, on_event=line)
    finally:
        line.close()
    click.echo("\n".join(summary(made.manifest)))
    click.echo(say("look at: ", "请看：") + f"{out / 'contact.png'}, {out / 'report.html'}")
