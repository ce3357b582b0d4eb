"""`mofang sound speak`: a text in a voice of one's own, or a ready one."""

from pathlib import Path

import click

from mofang.cli.numbers import Real
from mofang.cli.terminal import note
from mofang.studio.words import say


@click.command(help=say("Speak TEXT into TARGET (wav, flac, mp3, m4a).", "把 TEXT 读成音频文件 TARGET（wav、flac、mp3、m4a）。"))
@click.argument("text")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--voice", required=True, help=say("a voice's folder or name, with #SPEAKER for one of several",
                                                 "音色的文件夹或名称；多个说话人时加 #SPEAKER"))  # fmt: skip
@click.option("--speed", type=Real(0.5, 2.0), default=1.0, show_default=True)
@click.pass_obj
def speak(folder: Path, text: str, target: Path, voice: str, speed: float) -> None:
    """Readings may be given inline: [重](chong2)庆."""
    from mofang import sound
    from mofang.apps.speak import speak_to, terms
    from mofang.studio import Studio

    name = sound.voice(voice, folder).name
    click.echo(str(speak_to(Studio(folder), text, target, name, speed)))
    if told := terms(name):
        note(told)
