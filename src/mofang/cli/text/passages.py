"""`mofang text passages`: how a text is cut into scenes."""

from pathlib import Path

import click

from mofang.cli.terminal import note
from mofang.studio.words import say


@click.command(help=say("Show how FILE is cut into scenes.", "查看文本如何分成场景。"))
@click.argument("file", type=click.Path(path_type=Path))
def passages(file: Path) -> None:
    """One line for each scene of the film it would make."""
    from mofang.apps.make.script import from_file

    written = from_file(file)
    click.echo(f"# {written.title} ({written.lang})")
    for number, said in enumerate(written.said, 1):
        click.echo(f"{number:3}  " + " ".join(said.text.split()))
    for each in written.notes:
        note(each)
