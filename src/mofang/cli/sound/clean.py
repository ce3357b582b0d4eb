"""`mofang sound clean`: a recording without its faults."""

from pathlib import Path

import click

from mofang.cli.numbers import Real
from mofang.studio import Studio
from mofang.studio.words import say


@click.command(help=say("Clean up a recording: clipping, clicks, hum, noise, silence at the ends, loudness.",
                        "清理录音：削波、爆音、电流声、噪声、首尾静音、响度。"))  # fmt: skip
@click.argument("sound", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--only", default="", help=say("some steps: clip,click,hum,noise,silence,loudness",
                                             "只做几步：clip,click,hum,noise,silence,loudness"))  # fmt: skip
@click.option("--strength", type=Real(0, 2), default=1.0, show_default=True, help=say("of noise reduction", "降噪力度"))
@click.option("--pause", type=Real(0, 60), default=0.0, show_default=True,
              help=say("longest pause left inside, in seconds; 0: any", "中间停顿最长几秒；0 为不限"))  # fmt: skip
@click.option("--lufs", type=Real(-50, -5), default=-16.0, show_default=True)
@click.pass_obj
def clean(studio: Path, sound: Path, out: Path, only: str, strength: float, pause: float, lufs: float) -> None:
    """Everything in the order that works."""
    from mofang.apps.sound_edit import Order, edit_to
    from mofang.sound.clean.clean import STEPS

    steps = [step.strip() for step in only.replace("，", ",").split(",") if step.strip()] or list(STEPS)
    params = {"steps": steps, "strength": strength, "pause": pause, "lufs": lufs}
    click.echo(str(edit_to(Studio(studio), Order("clean", (sound,), params), out)))
