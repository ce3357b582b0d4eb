"""`mofang speech perform`: a script with several speakers, performed."""

from pathlib import Path

import click

from mofang.cli.numbers import Real
from mofang.studio.words import say


@click.command(help=say(
    "Perform SCRIPT (.txt, .md, .fountain) into TARGET (wav, flac, mp3, m4a), with captions beside it. A speaker is named as "
    "【小狐狸】…, [Fox]: … or Fox: …; (happy), （低声）, (pause 2s) say how.",
    "把剧本 SCRIPT（.txt、.md、.fountain）演播成 TARGET（wav、flac、mp3、m4a），并写出字幕。角色写作【小狐狸】…、[Fox]: … 或 "
    "Fox: …；语气写作（高兴）、(whispering)、（停顿2秒）。"))  # fmt: skip
@click.argument("script", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--cast", "casts", multiple=True, help=say("NAME=VOICE (several), or a file with such lines; the rest is cast by itself",
                                                         "角色=音色（可多个），或写有这些行的文件；其余自动分配"))  # fmt: skip
@click.option("--room", type=click.Choice(["none", "studio", "room", "hall", "church"]), default="studio", show_default=True)
@click.option("--gap", type=Real(0, 5), default=1.0, show_default=True, help=say("stretches the rests between lines",
                                                                                           "台词间停顿的倍数"))  # fmt: skip
@click.option("--speed", type=Real(0.5, 2.0), default=1.0, show_default=True)
@click.pass_obj
def perform(folder: Path, script: Path, target: Path, casts: tuple[str, ...], room: str, gap: float, speed: float) -> None:
    """Lines spoken before are not spoken again."""
    from mofang.apps.perform import Wish, perform_to
    from mofang.cli.terminal import Line, note
    from mofang.sound.stage.casting import pairs
    from mofang.studio import Studio
    from mofang.studio.progress import Stages

    given: list[str] = []
    for each in casts:
        given += [each] if "=" in each else _lines(Path(each))
    line = Line()
    try:
        wish = Wish(pairs(given), speed, room, gap)
        done = perform_to(Studio(folder), script, target, wish, Stages({"voices": 1}, line).of("voices"))
    finally:
        line.close()
    for name, voice in done.cast.items():
        click.echo(f"{name or say('narrator', '旁白')} = {voice.name}", err=True)
    for path in done.paths:
        click.echo(str(path))
    for each in done.notes:
        note(each)


def _lines(path: Path) -> list[str]:
    from mofang.studio.errors import UserError

    if not path.is_file() or path.stat().st_size > 1 << 20:
        raise UserError(f"{path} is no cast; write --cast NAME=VOICE, or give a text file with such lines")
    try:
        return path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no UTF-8 text; save it as UTF-8") from error
