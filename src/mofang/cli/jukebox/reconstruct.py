"""`mofang jukebox reconstruct`: a recording as a codec gives it back."""

from pathlib import Path

import click

from mofang.studio.words import say


@click.command(help=say("Write RECORDING as it comes back from the codec's codes to TARGET.",
                        "把 RECORDING 经编解码器还原后写入 TARGET。"))  # fmt: skip
@click.argument("recording", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--model", required=True, help=say("a codec's folder or name", "编解码器的文件夹或名称"))
@click.option("--level", type=click.IntRange(0, 3), default=0, show_default=True, help=say("0 is the finest", "层级，0 最细"))
@click.pass_obj
def reconstruct(studio: Path, recording: Path, target: Path, model: str, level: int) -> None:
    """What a level loses is heard here."""
    from mofang.apps.reconstruct import reconstruct_to
    from mofang.studio import Studio

    click.echo(str(reconstruct_to(Studio(studio), recording, model, level, target)))
