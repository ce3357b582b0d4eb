"""`mofang image make`: a picture from words."""

from pathlib import Path

import click

from mofang.studio import Studio
from mofang.studio.words import say


@click.command(help=say("Paint WORDS into TARGET (png, jpg, webp).", "把文字画成 TARGET（png、jpg、webp）。"))
@click.argument("words")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--size", default="1080x1920", show_default=True, help=say("width x height", "宽x高"))
@click.option("--style", default="noto", show_default=True, help="noto, fluent, twemoji, openmoji")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--explain", is_flag=True, help=say("say which word called for what", "说明哪个词画成了什么"))
@click.pass_obj
def make(folder: Path, words: str, target: Path, size: str, style: str, seed: int, explain: bool) -> None:
    """One illustration."""
    from mofang.apps.draw import draw_to

    path, why = draw_to(Studio(folder), words, target, size, style, seed)
    if explain:
        click.echo(why)
    click.echo(str(path))
