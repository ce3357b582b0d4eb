"""`mofang verify`: what a file says about itself, in plain words."""

from pathlib import Path

import click

from mofang.studio.words import language, say


@click.command(help=say("Say what a file says about itself; exit 1 if anything is broken or nothing is said.",
                        "读出文件自带的来源说明；若有破损或没有说明则退出码为 1。"))  # fmt: skip
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.pass_context
def verify(ctx: click.Context, files: tuple[Path, ...]) -> None:
    """Signatures are held against this studio's own certificate."""
    from mofang.trust import verify as look

    fine = True
    for file in files:
        report = look(file, ctx.obj)
        for line in report.lines(language()):
            click.echo(line)
        fine = fine and report.ok
    if not fine:
        ctx.exit(1)
