"""What the commands that ask a model of scores have in common: its options, and saying what was written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mofang.cli.numbers import Real
from mofang.studio.errors import UserError
from mofang.studio.words import say

F = TypeVar("F", bound=Callable[..., Any])


def sampled(command: F) -> F:
    """The options `model`, `mood`, `scale`, `tempo`, `seed`, `temperature`, `top_p` and `soundfont`."""
    for option in reversed((
        click.option("--model", default="score", show_default=True, help=say("a model's folder or name", "模型的文件夹或名称")),
        click.option("--mood", default="",
                     help=say("calm, bright, lively, sad, solemn, restless", "平静、明亮、活泼、忧伤、庄严、激动")),
        click.option("--scale", type=click.Choice(["pentatonic", "western", "chromatic"]),
                     help=say("the style's or the piece's if not given", "音阶（默认随风格或原曲）")),
        click.option("--tempo", type=Real(30, 250), help=say("quarter notes a minute", "每分钟四分音符数")),
        click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True),
        click.option("--temperature", type=Real(0.05, 3), default=0.95, show_default=True),
        click.option("--top-p", type=Real(0.05, 1), default=0.95, show_default=True),
        click.option("--soundfont", type=click.Path(path_type=Path), help=say("an .sf2 or .sf3 to play with", "演奏用的音色库")),
    )):  # fmt: skip
        command = option(command)
    return command


def wished(style: str, *, mood: str = "", scale: str | None = None, key: str = "", metre: str = "", **options: Any) -> Any:
    """The `Wish` that options tell. Raises `UserError`."""
    from mofang.sound.music.compose import Wish
    from mofang.sound.music.mood import CHINESE
    from mofang.sound.music.score import key_named, metre_named

    try:
        return Wish(style, key=key_named(key) if key else None, metre=metre_named(metre) if metre else None, scale=scale or "",
                    mood=CHINESE.get(mood, mood), **options)  # fmt: skip
    except ValueError as error:
        raise UserError(str(error)) from error


def write(folder: Path, order: Any, targets: tuple[Path, ...]) -> None:
    """Carry out an `Order` and say what was written, and what of the melody stands in a training score."""
    from mofang.apps.compose import compose_to
    from mofang.studio import Studio

    done = compose_to(Studio(folder), order, targets)
    if done.copied.longest:
        click.echo(say(f"note: {done.copied.longest} notes in a row stand in a training score ({done.copied.share:.0%} of the piece)",
                       f"提示：有 {done.copied.longest} 个连续音与训练曲目相同（占 {done.copied.share:.0%}）"), err=True)  # fmt: skip
    for path in done.paths:
        click.echo(str(path))
