"""`mofang music vary` and `restyle`: the same tune, otherwise."""

from pathlib import Path
from typing import Any

import click

from mofang.cli.music.sampling import sampled, wished, write
from mofang.studio.words import say

STYLE = say("the style the model varies in", "变奏所用的风格")


@click.command(help=say("Vary the tune of FILE: the notes on its beats stay, those between are new.",
                        "变奏：FILE 中正拍上的音不变，其余重写。"))  # fmt: skip
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("targets", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--style", required=True, help=STYLE)
@sampled
@click.pass_obj
def vary(folder: Path, /, file: Path, targets: tuple[Path, ...], style: str, model: str, soundfont: Path | None,
         **options: Any) -> None:  # fmt: skip
    """The metre and tempo stay; another seed makes another variation."""
    from mofang.apps.compose import Order

    write(folder, Order(wished(style, **options), model, file, soundfont, "vary"), targets)


@click.command(help=say("Put FILE's tune into another style, with its metre, tempo and parts.",
                        "把 FILE 的曲调改成另一种风格（拍子、速度、声部随之）。"))  # fmt: skip
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("targets", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--style", required=True, help="folk-zh, fiddle, irish, chorale, ragtime …")
@click.option("--metre", default="", help=say("instead of the style's: 4/4, 6/8 …", "代替风格的拍号：4/4、6/8 …"))
@sampled
@click.pass_obj
def restyle(folder: Path, /, file: Path, targets: tuple[Path, ...], style: str, model: str, soundfont: Path | None,
            **options: Any) -> None:  # fmt: skip
    """Beat for beat: what a beat of the tune was is a beat of the style's metre."""
    from mofang.apps.compose import Order

    write(folder, Order(wished(style, **options), model, file, soundfont, "restyle"), targets)
