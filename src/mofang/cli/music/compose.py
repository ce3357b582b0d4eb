"""`mofang music compose`: a piece in a style the model has learned."""

from pathlib import Path
from typing import Any

import click

from mofang.studio.errors import UserError
from mofang.studio.words import say


@click.command(help=say("Compose a piece into TARGETS (.mid, .musicxml, .png, .wav, .flac, .mp3, .m4a).",
                        "作曲并写入 TARGETS（.mid、.musicxml、.png、.wav、.flac、.mp3、.m4a）。"))  # fmt: skip
@click.argument("targets", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--style", required=True, help="folk-zh, fiddle, irish, chorale, ragtime, own …")
@click.option("--model", default="score", show_default=True, help=say("a model's folder or name", "模型的文件夹或名称"))
@click.option("--bars", type=click.IntRange(1, 64), default=16, show_default=True, help=say("how long", "小节数"))
@click.option("--key", default="", help="G, Bb, F#m, Em …")
@click.option("--metre", default="", help="4/4, 6/8 …")
@click.option("--tempo", type=click.FloatRange(30, 250), help=say("quarter notes a minute", "每分钟四分音符数"))
@click.option("--scale", type=click.Choice(["pentatonic", "western"]), help=say("the style's if not given", "音阶（默认随风格）"))
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option("--temperature", type=click.FloatRange(0.05, 3), default=0.95, show_default=True)
@click.option("--top-p", type=click.FloatRange(0.05, 1), default=0.95, show_default=True)
@click.option("--free", is_flag=True, help=say("no return to the beginning (A A' B A'')", "不用 A A' B A'' 曲式"))
@click.option("--continue", "beginning", type=click.Path(path_type=Path), help=say("go on from this MIDI file", "从这个 MIDI 续写"))
@click.option("--soundfont", type=click.Path(path_type=Path), help=say("an .sf2 or .sf3 to play with", "演奏用的音色库"))
@click.pass_obj
def compose(folder: Path, /, targets: tuple[Path, ...], model: str, free: bool, beginning: Path | None, soundfont: Path | None,
            key: str, metre: str, scale: str | None, **options: Any) -> None:  # fmt: skip
    """The same options and seed compose the same piece."""
    from mofang.apps.compose import Order, compose_to
    from mofang.sound.music.compose import Wish
    from mofang.sound.music.score import key_named, metre_named
    from mofang.studio import Studio

    try:
        wish = Wish(key=key_named(key) if key else None, metre=metre_named(metre) if metre else None, scale=scale or "", form=not free,
                    **options)  # fmt: skip
    except ValueError as error:
        raise UserError(str(error)) from error
    done = compose_to(Studio(folder), Order(wish, model, beginning, soundfont), targets)
    if done.copied.longest:
        click.echo(say(f"note: {done.copied.longest} notes in a row stand in a training score ({done.copied.share:.0%} of the piece)",
                       f"提示：有 {done.copied.longest} 个连续音与训练曲目相同（占 {done.copied.share:.0%}）"), err=True)  # fmt: skip
    for path in done.paths:
        click.echo(str(path))
