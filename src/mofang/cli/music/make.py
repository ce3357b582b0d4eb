"""`mofang music make`: music as sound, from words, by a pretrained model."""

from pathlib import Path
from typing import Any

import click

from mofang.studio.words import say


@click.command(help=say("Make music like WORDS into TARGET (.wav, .flac, .mp3, .m4a), with MusicGen.",
                        "按 WORDS 的描述用 MusicGen 生成音乐，写入 TARGET（.wav、.flac、.mp3、.m4a）。"))  # fmt: skip
@click.argument("words")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--engine", required=True, help="transformers:FOLDER, transformers:facebook/musicgen-small")
@click.option("--seconds", type=float, default=10.0, show_default=True, help=say("how long in all", "总时长（秒）"))
@click.option("--continue", "beginning", type=click.Path(path_type=Path),
              help=say("go on from this recording, which is kept as it is", "从这段录音续奏（原样保留）"))  # fmt: skip
@click.option("--melody", type=click.Path(path_type=Path),
              help=say("follow the tune of this recording (melody models)", "跟随这段录音的旋律（melody 模型）"))  # fmt: skip
@click.option("--guidance", type=float, default=3.0, show_default=True, help=say("how closely to keep to the words", "贴合文字的程度"))
@click.option("--temperature", type=float, default=1.0, show_default=True)
@click.option("--top-k", type=int, default=250, show_default=True, help=say("0: of all codes", "0 为不限"))
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.pass_obj
def make(studio: Path, /, words: str, target: Path, engine: str, beginning: Path | None, melody: Path | None, **wish: Any) -> None:
    """The same options and seed make the same sound."""
    from mofang.apps.musicgen import Order, make_to
    from mofang.cli.terminal import Line, note
    from mofang.sound.engines.musicgen import Wish
    from mofang.studio import Studio
    from mofang.studio.progress import Stages

    line = Line()
    try:
        order = Order(Wish(words, **wish), engine, beginning, melody)
        done = make_to(Studio(studio), order, target, Stages({"music": 1}, line).of("music"))
    finally:
        line.close()
    for each in done.notes:
        note(each)
    click.echo(str(done.path))
