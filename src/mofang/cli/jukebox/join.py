"""`mofang jukebox join`: a codec and its priors as one model."""

from pathlib import Path

import click

from mofang.cli.session import plain
from mofang.studio.words import say


@click.command(help=say("Make one model of CODEC and PRIORS: the top level's, and those below it without a gap.",
                        "把 CODEC 与 PRIORS（自最粗层向下，不可缺层）合成一个模型。"))  # fmt: skip
@click.argument("codec")
@click.argument("priors", nargs=-1, required=True)
@click.option("--name", required=True, help=say("what to call it; kept in the studio", "模型名；保存在工作室中"))
@click.pass_obj
def join(studio: Path, codec: str, priors: tuple[str, ...], name: str) -> None:
    """The parts stay as they are."""
    from mofang.models import own
    from mofang.sound.jukebox.join import join as joined
    from mofang.studio import Studio, UserError

    if not name or not plain(name):
        raise UserError(f"'{name[:40]}' is no name for a model; give a plain one: --name mine")
    made = joined(own.find(codec, studio), [own.find(each, studio) for each in priors], Studio(studio).folder / "models" / name)
    click.echo(say(f"the model is {made}", f"模型在 {made}"))
