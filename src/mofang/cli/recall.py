"""`mofang recall`: how a made file was made, as a command."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from mofang.studio import Studio
from mofang.studio.words import say


@click.command(help=say("Print the command that made FILE, from the recipe it carries.", "读出文件里的配方，打印重做它的命令。"))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--model", type=click.Path(path_type=Path), help=say("where the model that made it lies", "制作它的模型所在位置"))
@click.option("--json", "as_json", is_flag=True, help=say("the whole recipe as JSON", "以 JSON 输出完整配方"))
@click.pass_obj
def recall(folder: Path, file: Path, model: Path | None, as_json: bool) -> None:
    """Works for pictures, speech, performances and audiobooks, music, edited sounds, stems and effects."""
    from mofang.apps.recall import recall as again
    from mofang.cli.terminal import note

    studio = Studio(folder)
    found = again(studio, file, model)
    if not found.signed:
        click.echo(say("its signature does not hold: somebody may have changed this recipe", "签名无效：配方可能被人改动过"), err=True)
    if found.maker and not found.maker.here:
        note(found.maker.missing(studio))
    if as_json:
        told = {"recipe": found.recipe.to_json(), "command": found.arguments, "signed": found.signed, "files": dict(found.files),
                "model": asdict(found.maker) if found.maker else None}  # fmt: skip
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        click.echo(found.command)
