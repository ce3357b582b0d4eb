"""`mofang music compose`: a piece in a style the model has learned."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mofang.cli.music.sampling import sampled, wished, write
from mofang.cli.numbers import Real
from mofang.studio.errors import UserError
from mofang.studio.words import say


@click.command(help=say("Compose a piece into TARGETS (.mid, .musicxml, .png, .wav, .flac, .mp3, .m4a).",
                        "作曲并写入 TARGETS（.mid、.musicxml、.png、.wav、.flac、.mp3、.m4a）。"))  # fmt: skip
@click.argument("targets", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--style", required=True, help="folk-zh, fiddle, irish, chorale, ragtime, own …")
@click.option("--bars", type=click.IntRange(1, 64), help=say("how long; 16 if nothing is said", "小节数，默认 16"))
@click.option("--seconds", type=Real(1, 600), help=say("how long, instead of --bars", "时长，代替 --bars"))
@click.option("--key", default="", help="G, Bb, F#m, Em …")
@click.option("--metre", default="", help="4/4, 6/8 …")
@click.option("--form", default="A A' B A''", show_default=True,
              help=say("what returns: intro A A' B A outro; '': nothing", "曲式：intro A A' B A outro；'' 为不重复"))  # fmt: skip
@click.option("--continue", "beginning", type=click.Path(path_type=Path), help=say("go on from this MIDI file", "从这个 MIDI 续写"))
@sampled
@click.pass_obj
def compose(folder: Path, /, targets: tuple[Path, ...], model: str, beginning: Path | None, soundfont: Path | None,
            bars: int | None, seconds: float | None, **options: Any) -> None:  # fmt: skip
    """The same options and seed compose the same piece."""
    from mofang.apps.compose import Order
    from mofang.sound.music.compose import lasting

    if bars and seconds:
        raise UserError("--bars and --seconds both say how long; give one of them")
    wish = wished(**options)
    wish = lasting(wish, seconds) if seconds else replace(wish, bars=bars or 16)
    write(folder, Order(wish, model, beginning, soundfont), targets)
