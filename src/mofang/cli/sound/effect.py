"""`mofang sound effect`: rain, wind, bells …, made to length."""

from pathlib import Path

import click

from mofang.cli.numbers import Real
from mofang.studio import Studio, UserError
from mofang.studio.words import say


@click.command(help=say("Make a sound effect; every one can be looped. Without arguments: which there are.",
                        "合成音效，首尾相接可循环。不带参数则列出全部。"))  # fmt: skip
@click.argument("name", required=False)
@click.argument("out", type=click.Path(path_type=Path), required=False)
@click.option("--seconds", type=Real(0.5, 3600), default=10.0, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.pass_obj
def effect(studio: Path, name: str | None, out: Path | None, seconds: float, seed: int) -> None:
    """By synthesis: nothing is sampled."""
    from mofang.apps.effect import effect_to
    from mofang.sound.effects import EFFECTS

    if name is None:
        for each, (zh, _) in EFFECTS.items():
            click.echo(f"{each}\t{zh}")
        return
    if out is None:
        raise UserError(f"say where it goes, as: mofang sound effect {name[:30]} {name[:30]}.wav")
    english = next((each for each, (zh, _) in EFFECTS.items() if zh == name), name)
    click.echo(str(effect_to(Studio(studio), english, seconds, seed, out)))
