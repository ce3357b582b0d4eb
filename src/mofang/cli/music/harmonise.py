"""`mofang music harmonise`: parts under a melody."""

from pathlib import Path
from typing import Any

import click

from mofang.cli.music.sampling import sampled, wished, write
from mofang.studio.words import say


@click.command(help=say("Put parts under MELODY, which stays note for note, and write TARGETS.",
                        "为 MELODY 配和声（旋律不变），写入 TARGETS。"))  # fmt: skip
@click.argument("melody", type=click.Path(path_type=Path))
@click.argument("targets", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--style", default="chorale", show_default=True, help=say("a style of several parts", "多声部的风格"))
@sampled
@click.pass_obj
def harmonise(folder: Path, /, melody: Path, targets: tuple[Path, ...], style: str, model: str, soundfont: Path | None,
              **options: Any) -> None:  # fmt: skip
    """The same options and seed make the same parts."""
    from mofang.apps.compose import Order

    write(folder, Order(wished(style, **options), model, melody, soundfont, "harmonise"), targets)
