"""`mofang image interpolate`: a film from picture to picture."""

from pathlib import Path

import click

from mofang.cli.numbers import Real
from mofang.studio import Studio
from mofang.studio.words import say


@click.command(help=say("A film of MODEL that goes from seed to seed and back.", "在种子之间渐变的短片，首尾相接。"))
@click.argument("model")
@click.option("--seeds", default="1,2,3", show_default=True, help="1,2,3")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="mp4")
@click.option("--seconds", type=Real(0.1, 60), default=2.0, show_default=True, help=say("for each way", "每段时长"))
@click.option("--truncation", type=Real(0, 2), default=1.0, show_default=True)
@click.pass_obj
def interpolate(folder: Path, model: str, seeds: str, out: Path, seconds: float, truncation: float) -> None:
    """Rendered frame by frame, labelled, published."""
    from mofang.apps import generate

    click.echo(str(generate.interpolate_to(Studio(folder), model, generate.seeds_of(seeds), out, seconds, truncation)))
