"""`mofang image make`: a picture from words."""

from pathlib import Path
from typing import Any

import click

from mofang.cli.numbers import Real
from mofang.studio import Studio
from mofang.studio.errors import UserError
from mofang.studio.words import say

_FILE = click.Path(path_type=Path)


@click.command(help=say("Paint WORDS into TARGET (png, jpg, webp).", "把文字画成 TARGET（png、jpg、webp）。"))
@click.argument("words")
@click.argument("target", type=_FILE)
@click.option("--engine", default="collage", show_default=True,
              help="collage, sticker, own:MODEL, folder:DIR, diffusers:PATH, openai:MODEL")  # fmt: skip
@click.option("--size", default="", help=say("width x height [collage: 1080x1920]", "宽x高 [collage：1080x1920]"))
@click.option("--style", default="", help=say("collage: noto, fluent, twemoji, openmoji; others: their own",
                                              "collage：noto、fluent、twemoji、openmoji；其他引擎用各自的"))  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**53), default=0, show_default=True)
@click.option("--count", type=click.IntRange(1, 100), default=1, help=say("pictures, of one seed after another", "张数，种子依次加一"))
@click.option("--negative", default="", help=say("what it should not show", "不要出现的内容"))
@click.option("--steps", type=click.IntRange(1, 500), default=None, help=say("of taking noise away", "去噪步数"))
@click.option("--guidance", type=Real(0, 50), default=None, help=say("how closely to keep to the words", "贴合文字的程度"))
@click.option("--sampler", default="", help="euler, euler-a, ddim, dpm++, dpm++-karras, unipc, …")
@click.option("--image", type=_FILE, help=say("begin from this picture", "从这张图片开始"))
@click.option("--mask", type=_FILE, help=say("white where the picture is made anew", "白色处重画"))
@click.option("--strength", type=Real(0, 1, min_open=True), default=None,
              help=say("how far to go from the picture", "离开原图的程度"))  # fmt: skip
@click.option("--lora", "loras", multiple=True, help=say("FILE, FILE:weight, or one of yours by name (several)",
                                                         "文件、文件:权重，或自己训练的名字（可多次）"))  # fmt: skip
@click.option("--controlnet", default="", help=say("folder of a ControlNet", "ControlNet 文件夹"))
@click.option("--control", type=_FILE, help=say("the picture it follows", "ControlNet 所依的图片"))
@click.option("--quality", default="", help=say("services: low, high, hd, …", "在线服务：low、high、hd 等"))
@click.option("--background", default="", help=say("services: transparent, opaque", "在线服务：transparent、opaque"))
@click.option("--explain", is_flag=True, help=say("say which word called for what", "说明哪个词画成了什么"))
@click.pass_obj
def make(folder: Path, /, words: str, target: Path, engine: str, size: str, style: str, seed: int, explain: bool,
         **options: Any) -> None:  # fmt: skip
    """One illustration, or several."""
    from mofang.apps.draw import draw_to, read_size
    from mofang.apps.paint import numbered

    if engine == "collage":
        for name, value in options.items():
            if value and name != "count":
                told = "lora" if name == "loras" else name
                raise UserError(f"the collage is not told --{told}; choose another --engine")
        for number, place in enumerate(numbered(target, options["count"])):
            path, why = draw_to(Studio(folder), words, place, size or "1080x1920", style or "noto", seed + number)
            if explain and not number:
                click.echo(why)
            click.echo(str(path))
        return
    from mofang.apps.paint import Order, paint_to
    from mofang.cli.terminal import Line, note
    from mofang.studio.progress import Stages

    given = {name: value for name, value in options.items() if value is not None}
    order = Order(engine, words, size=read_size(size) if size else None, style=style, seed=seed, **given)
    line = Line(False)
    try:
        done = paint_to(Studio(folder), order, target, Stages({"pictures": 1.0}, line).of("pictures"))
    finally:
        line.close()
    for each in done.notes:
        note(each)
    for path in done.paths:
        click.echo(str(path))
