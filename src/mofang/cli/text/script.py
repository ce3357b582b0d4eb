"""`mofang text script`: a script from a one-line brief."""

from pathlib import Path

import click

from mofang.cli.terminal import note
from mofang.studio.words import say


@click.command(help=say("Write a script from a one-line BRIEF.", "由一句话写出脚本。"))
@click.argument("brief")
@click.option("--text-engine", "engine", default="",
              help="gguf, gguf:FILE, own:NAME, transformers:PATH, openai:MODEL")  # fmt: skip
@click.option("--scenes", type=click.IntRange(3, 40), default=8, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.pass_obj
def script(studio: Path, /, brief: str, engine: str, scenes: int, seed: int) -> None:
    """One passage a line, ready for `mofang make`."""
    from mofang.apps.make.script import from_brief

    written = from_brief(brief, engine, scenes, seed, studio)
    click.echo(f"# {written.title}\n")
    for said in written.said:
        click.echo(said.text + "\n")
    for each in written.notes:
        note(each)
