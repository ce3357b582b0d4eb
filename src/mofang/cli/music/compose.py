"""`mofang music compose`: a piece in a style the model has learned."""

from pathlib import Path
from typing import Any

import click

from mofang.studio.errors import UserError
from mofang.studio.words import say


@click.command(help=say("Compose a piece into TARGETS: .mid, .musicxml, staves (.svg, .notation.png), a piano roll (.png), sound.",
                        "作曲并写入 TARGETS：.mid、.musicxml、五线谱（.svg、.notation.png）、卷帘谱（.png）或声音。"))  # fmt: skip
@click.argument("targets", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--style", required=True, help="folk-zh, fiddle, irish, chorale, ragtime, own …")
@click.option("--model", default="score", show_default=True, help=say("a model's folder or name", "模型的文件夹或名称"))
@click.option("--bars", type=click.IntRange(1, 64), help=say("how long; 16 if not said otherwise", "小节数，默认 16"))
@click.option("--seconds", type=click.FloatRange(1, 600), help=say("how long instead of --bars", "时长，代替 --bars"))
@click.option("--key", default="", help="G, Bb, F#m, Em …")
@click.option("--metre", default="", help="4/4, 6/8 …")
@click.option("--tempo", type=click.FloatRange(30, 250), help=say("quarter notes a minute", "每分钟四分音符数"))
@click.option("--scale", type=click.Choice(["pentatonic", "western", "chromatic"]),
              help=say("the style's if not given", "音阶（默认随风格）"))  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option("--temperature", type=click.FloatRange(0.05, 3), default=0.95, show_default=True)
@click.option("--top-p", type=click.FloatRange(0.05, 1), default=0.95, show_default=True)
@click.option("--form", default="A A' B A''", show_default=True,
              help=say("what returns: intro A A' B A outro; '': nothing", "曲式：intro A A' B A outro；'' 为不重复"))  # fmt: skip
@click.option("--mood", default="",
              help=say("calm, bright, lively, sad, solemn, restless", "平静、明亮、活泼、忧伤、庄严、激动"))  # fmt: skip
@click.option("--continue", "beginning", type=click.Path(path_type=Path), help=say("go on from this MIDI file", "从这个 MIDI 续写"))
@click.option("--soundfont", type=click.Path(path_type=Path), help=say("an .sf2 or .sf3 to play with", "演奏用的音色库"))
@click.pass_obj
def compose(folder: Path, /, targets: tuple[Path, ...], model: str, beginning: Path | None, soundfont: Path | None,
            key: str, metre: str, scale: str | None, mood: str, bars: int | None, seconds: float | None,
            **options: Any) -> None:  # fmt: skip
    """The same options and seed compose the same piece."""
    from mofang.apps.compose import Order, compose_to
    from mofang.sound.music.compose import Wish, lasting
    from mofang.sound.music.mood import CHINESE
    from mofang.sound.music.score import key_named, metre_named
    from mofang.studio import Studio

    try:
        wish = Wish(key=key_named(key) if key else None, metre=metre_named(metre) if metre else None, scale=scale or "",
                    mood=CHINESE.get(mood, mood), bars=bars or 16, **options)  # fmt: skip
    except ValueError as error:
        raise UserError(str(error)) from error
    if bars and seconds:
        raise UserError("--bars and --seconds both say how long; give one of them")
    if seconds:
        wish = lasting(wish, seconds)
    done = compose_to(Studio(folder), Order(wish, model, beginning, soundfont), targets)
    if done.copied.longest:
        click.echo(say(f"note: {done.copied.longest} notes in a row stand in a training score ({done.copied.share:.0%} of the piece)",
                       f"提示：有 {done.copied.longest} 个连续音与训练曲目相同（占 {done.copied.share:.0%}）"), err=True)  # fmt: skip
    for path in done.paths:
        click.echo(str(path))
