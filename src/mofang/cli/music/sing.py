"""`mofang music sing`: lyrics set to a tune, syllable by syllable."""

from pathlib import Path
from typing import Any

import click

from mofang.cli.music.sampling import sampled, wished, write
from mofang.studio.words import say


@click.command(help=say("Set LYRICS (a text or a .txt file) to a tune; the words stand in MIDI and MusicXML.",
                        "为歌词 LYRICS（文字或 .txt 文件）谱曲；歌词写入 MIDI 与 MusicXML。"))  # fmt: skip
@click.argument("lyrics")
@click.argument("targets", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--style", required=True, help="folk-zh, fiddle, irish …")
@click.option("--melody", type=click.Path(path_type=Path),
              help=say("a MIDI file whose tune is sung, instead of a new one", "改用这个 MIDI 的旋律"))  # fmt: skip
@click.option("--accompany", "under", default="",
              help=say("a style of several parts to put under it: chorale …", "伴奏的多声部风格：chorale …"))  # fmt: skip
@click.option("--key", default="", help="G, Bb, F#m, Em …")
@click.option("--metre", default="", help="4/4, 6/8 …")
@sampled
@click.pass_obj
def sing(folder: Path, /, lyrics: str, targets: tuple[Path, ...], style: str, melody: Path | None, under: str, model: str,
         soundfont: Path | None, **options: Any) -> None:  # fmt: skip
    """One Chinese character or one English syllable a note."""
    from mofang.apps.compose import Order
    from mofang.sound.music.lyrics import read

    order = Order(wished(style, **options), model, melody, soundfont, "sing", lyrics=read(lyrics), under=under)
    write(folder, order, targets)
