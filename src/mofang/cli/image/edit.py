"""`mofang image edit`: what can be done to a photograph, one verb each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mofang.cli.numbers import Real
from mofang.studio import Studio, UserError
from mofang.studio.words import say

F = TypeVar("F", bound=Callable[..., Any])
_PATH = click.Path(path_type=Path)


@click.group(help=say("Repair and change photographs.", "修图与改图。"))
def edit() -> None:
    """The group."""


def _verb(name: str, en: str, zh: str) -> Callable[[F], click.Command]:
    """A command `name PICTURE OUT` with the options all verbs have."""

    def made(function: F) -> click.Command:
        for option in reversed((
            click.argument("picture", type=_PATH),
            click.argument("out", type=_PATH),
            click.option("--mask", type=_PATH, help=say("a picture, white where to work", "蒙版图片，白色处生效")),
            click.option("--key", default="", help=say("the colour painted over it, as #ff00ff", "涂抹所用的颜色，如 #ff00ff")),
            click.option("--box", default="", help=say("left,top,width,height in pixels", "左,上,宽,高（像素）")),
            click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True),
        )):  # fmt: skip
            function = option(function)
        return edit.command(name, help=say(en, zh))(click.pass_obj(function))

    return made


def _run(studio: Path, verb: str, picture: Path, out: Path, /, **options: Any) -> None:
    """Make the order of a verb's options and print where the result is. Options that are None were not given."""
    from mofang.apps.edit import Order, edit_to

    given = {name: options.pop(name) for name in ("mask", "key", "box", "seed", "other", "model", "engine") if name in options}
    params = {name: value for name, value in options.items() if value is not None}
    click.echo(str(edit_to(Studio(studio), Order(verb, picture, params, **given), out)))


_network = click.option("--model", type=_PATH, help=say("a network of yours (--kind repair)", "你的修复网络（--kind repair）"))
_engine = click.option("--engine", default="", help=say("somebody's network: onnx:FILE_OR_FOLDER, ncnn:PARAM",
                                                        "他人的网络：onnx:文件或文件夹、ncnn:PARAM"))  # fmt: skip
_strength = click.option("--strength", type=Real(0, 3), default=1.0, show_default=True, help=say("how much of it", "力度"))


@_verb("inpaint", "Take what the mask covers out, and fill the hole from the rest.", "去掉蒙版盖住的东西，并用其余画面补全。")
@click.option("--method", type=click.Choice(["auto", "exemplar", "smooth"]), default="auto", show_default=True,
              help=say("copy patches, continue smoothly, or by thickness", "复制图块、平滑延续，或按粗细自动选择"))  # fmt: skip
@click.option("--grow", type=click.IntRange(0, 64), default=0, show_default=True, help=say("pixels more around it", "外扩像素"))
@_network
def inpaint(studio: Path, picture: Path, out: Path, **options: Any) -> None:
    """Large holes are filled from the picture's own patches, thin ones by what is around them, those between by both."""
    _run(studio, "inpaint", picture, out, **options)


@_verb("outpaint", "Continue the picture past its frame.", "把画面向外延展。")
@click.option("--sides", default="", help=say("pixels: top,right,bottom,left", "像素：上,右,下,左"))
@click.option("--ratio", default="", help=say("a shape instead, as 16:9", "或给出画幅比例，如 16:9"))
def outpaint(studio: Path, picture: Path, out: Path, sides: str, ratio: str, **options: Any) -> None:
    """By sides, or to a ratio with the picture in the middle."""
    from mofang.image.edit.outpaint import read_sides, sides_for
    from mofang.image.safe import open_picture

    if bool(sides) == bool(ratio):
        raise UserError("say how far: --sides top,right,bottom,left in pixels, or --ratio 16:9")
    how = read_sides(sides) if sides else sides_for(ratio, open_picture(picture).shape)
    _run(studio, "outpaint", picture, out, sides=list(how), **options)


@_verb("denoise", "Take noise out, as much as is measured.", "降噪，强度自动测定。")
@click.option("--sigma", type=Real(0, 76), help=say("the noise's deviation of 255, if known", "已知的噪声标准差（0–76）"))
@_strength
@_network
@_engine
def denoise(studio: Path, picture: Path, out: Path, **options: Any) -> None:
    """BM3D."""
    _run(studio, "denoise", picture, out, **options)


@_verb("deblur", "Undo a blur: out of focus, or the camera moved.", "去模糊：失焦或手抖。")
@click.option("--blur", default="auto", show_default=True,
              help=say("auto, gaussian:2, disk:4, motion:15,30", "auto、gaussian:2、disk:4、motion:长度,角度"))  # fmt: skip
@click.option("--size", type=click.IntRange(5, 61), default=25, show_default=True, help=say("auto: widest", "auto：最大宽度"))
@_strength
@_engine
def deblur(studio: Path, picture: Path, out: Path, blur: str, **options: Any) -> None:
    """One blur, the same everywhere, given or found."""
    from mofang.image.edit.blur import read_blur

    if blur != "auto":
        read_blur(blur)
    _run(studio, "deblur", picture, out, blur=blur, **options)


@_verb("scratches", "Take scratches and dust off an old print.", "去除老照片的划痕与灰尘。")
@click.option("--sensitivity", type=Real(0.2, 5), default=1.0, show_default=True,
              help=say("higher finds fainter ones", "越高越敏感"))  # fmt: skip
@_network
def scratches(studio: Path, picture: Path, out: Path, **options: Any) -> None:
    """Thin straight lines and small spots; a mask says where to look."""
    _run(studio, "scratches", picture, out, **options)


@_verb("colourise", "Colour a grey picture, by one of the like or by strokes.", "给黑白图上色：参照相似的彩图，或按涂色。")
@click.option("--reference", type=_PATH, help=say("a colour picture of the like", "相似的彩色图片"))
@click.option("--strokes", type=_PATH, help=say("a copy of the picture with colours painted on", "在原图副本上涂好颜色的图片"))
def colourise(studio: Path, picture: Path, out: Path, reference: Path | None, strokes: Path | None, **options: Any) -> None:
    """Colours come from these hints alone: nothing here knows what things are."""
    if (reference is None) == (strokes is None):
        raise UserError("say where the colours come from: --reference picture.jpg, or --strokes painted.png")
    by = "reference" if reference else "strokes"
    _run(studio, "colourise", picture, out, by=by, other=reference or strokes, **options)


@_verb("unjpeg", "Take JPEG's blocks and rings out.", "去除 JPEG 方块与振铃。")
@_strength
@_engine
def unjpeg(studio: Path, picture: Path, out: Path, **options: Any) -> None:
    """The file's own quantisation says how much."""
    _run(studio, "unjpeg", picture, out, **options)


@_verb("enlarge", "Enlarge by 2 or 4, or as a network of somebody's does.", "放大 2 倍或 4 倍，或按所给网络的倍数。")
@click.option("--factor", type=click.Choice(["2", "3", "4", "8"]),
              help=say("[2; with --engine: the network's own]", "[2；用 --engine 时为网络自身的倍数]"))  # fmt: skip
@click.option("--sharpness", type=Real(0, 2), default=1.0, show_default=True)
@click.option("--model", type=_PATH, help=say("a network of yours (--kind enlarge)", "你的放大网络（--kind enlarge）"))
@_engine
def enlarge(studio: Path, picture: Path, out: Path, factor: str | None, engine: str, **options: Any) -> None:
    """Bound to what was seen, unless by an engine (Real-ESRGAN, waifu2x, SwinIR …)."""
    others = engine or str(options["model"]).endswith(".onnx")
    wanted = int(factor) if factor else None if others else 2
    _run(studio, "enlarge", picture, out, factor=wanted, engine=engine, **options)


@_verb("cutout", "Cut the subject out of its background (png, webp).", "抠图，去除背景（png、webp）。")
def cutout(studio: Path, picture: Path, out: Path, **options: Any) -> None:
    """By a guess, a box around the subject, or a rough mask of it."""
    _run(studio, "cutout", picture, out, **options)


@_verb("style", "Give a picture the colours, or the brushwork, of another.", "让图片带上另一张图的色彩或笔触。")
@click.option("--like", "other", type=_PATH, required=True, help=say("whose style", "风格来源图片"))
@click.option("--mode", type=click.Choice(["colours", "full"]), default="colours", show_default=True,
              help=say("colours alone, or strokes and textures too", "只换色彩，或连笔触与质感"))  # fmt: skip
@click.option("--strength", type=Real(0, 1), default=1.0, show_default=True, help=say("how much of it", "力度"))
def style(studio: Path, picture: Path, out: Path, **options: Any) -> None:
    """By optimal transport of colours, or by patches. A film (mp4, mov …) stays steady from frame to frame."""
    from mofang.apps.restyle import SUFFIXES, restyle_to

    if picture.suffix.lower() in SUFFIXES:
        if options["mask"] or options["key"] or options["box"]:
            raise UserError("a film is restyled whole; leave --mask, --key and --box out")
        done = restyle_to(Studio(studio), picture, options["other"], out, options["mode"], options["strength"], options["seed"])
        click.echo(str(done))
        return
    _run(studio, "style", picture, out, **options)
