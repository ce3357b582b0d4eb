"""`mofang music fill`: bars of a piece made anew to join what is around them."""

import re
from pathlib import Path
from typing import Any

import click

from mofang.cli.music.sampling import sampled, wished, write
from mofang.studio.errors import UserError
from mofang.studio.words import say


@click.command(help=say("Make bars of FILE anew, joined to what is before and after them.", "重写 FILE 中的若干小节，与前后衔接。"))
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("targets", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--bars", required=True, help=say("which: 5-8, or 5", "哪些小节：5-8 或 5"))
@click.option("--style", required=True, help="folk-zh, fiddle, irish, chorale, ragtime, own …")
@sampled
@click.pass_obj
def fill(folder: Path, /, file: Path, targets: tuple[Path, ...], bars: str, style: str, model: str, soundfont: Path | None,
         **options: Any) -> None:  # fmt: skip
    """All other bars stay as they are."""
    from mofang.apps.compose import Order

    found = re.fullmatch(r"(\d{1,3})(?:\s*[-–]\s*(\d{1,3}))?", bars.strip(), re.ASCII)
    if found is None:
        raise UserError(f"'{bars[:20]}' names no bars; write 5-8, or 5")
    gap = (int(found[1]), int(found[2] or found[1]))
    write(folder, Order(wished(style, **options), model, file, soundfont, "fill", gap), targets)
