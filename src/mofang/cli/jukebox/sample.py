"""`mofang jukebox sample` and `continue`: new music as sound."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mofang.cli.numbers import Real
from mofang.studio.words import say


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--model", required=True, help=say("a model's folder or name", "模型的文件夹或名称")),
        click.option("--style", required=True, help=say("one it has learned", "它学过的风格")),
        click.option("--seconds", type=Real(min=0, min_open=True), default=10.0, show_default=True,
                     help=say("how long in all", "总时长")),
        click.option("--lyrics", default="", help=say("the words, or a .txt file with them", "歌词，或歌词 .txt 文件")),
        click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True),
        click.option("--temperature", type=Real(0.05, 3), default=0.95, show_default=True),
        click.option("--top-p", type=Real(0.05, 1), default=0.98, show_default=True),
        click.pass_obj,
    ):  # fmt: skip
        command = option(command)
    return command


@click.command(help=say("Make music into TARGET (.wav, .flac, .mp3, .m4a).", "生成音乐并写入 TARGET（.wav、.flac、.mp3、.m4a）。"))
@click.argument("target", type=click.Path(path_type=Path))
@_options
def sample(studio: Path, /, target: Path, **options: Any) -> None:
    """The same options and seed make the same sound."""
    _make(studio, target, None, **options)


@click.command("continue", help=say("Go on from RECORDING, into TARGET.", "从 RECORDING 续奏，写入 TARGET。"))
@click.argument("recording", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@_options
def continue_(studio: Path, /, recording: Path, target: Path, **options: Any) -> None:
    """The recording is kept as it is; `--seconds` counts it."""
    _make(studio, target, recording, **options)


def _make(studio: Path, target: Path, beginning: Path | None, model: str, lyrics: str, **wish: Any) -> None:
    from mofang.apps.jukebox import Order, make_to
    from mofang.cli.terminal import Line
    from mofang.sound.jukebox.sample import Wish
    from mofang.sound.music.lyrics import read
    from mofang.studio import Studio
    from mofang.studio.progress import Stages

    line = Line()
    try:
        order = Order(Wish(lyrics=read(lyrics).strip() if lyrics else "", **wish), model, beginning)
        path = make_to(Studio(studio), order, target, Stages({"codes": 1}, line).of("codes"))
    finally:
        line.close()
    click.echo(str(path))
