"""`mofang speech`: the voices, and text spoken aloud."""

from pathlib import Path

import click

from mofang.cli.lazy import Lazy
from mofang.cli.numbers import Real
from mofang.cli.terminal import note
from mofang.studio import Studio, UserError
from mofang.studio.words import language, say

COMMANDS = {
    "perform": ("mofang.cli.perform:perform", "perform a script with several speakers", "多角色演播剧本"),
    "book": ("mofang.cli.book:book", "make an audiobook with chapters and cover", "制作带章节与封面的有声书"),
    "check": ("mofang.cli.check:check", "hear a spoken file and compare it with its text", "听写成品并与原文比对"),
}


class Group(Lazy):
    """Lazy commands beside those of this file."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.commands, *COMMANDS]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return self.commands.get(name) or super().get_command(ctx, name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        click.Group.format_commands(self, ctx, formatter)


@click.group(cls=Group, commands_at=COMMANDS, help=say("Voices, and text spoken aloud.", "音色与朗读。"))
def speech() -> None:
    """The group."""


@speech.command(help=say("List the voices; with --play, hear one.", "列出音色；加 --play 试听。"))
@click.option("--play", default="", help=say("a voice's name", "音色名"))
@click.pass_obj
def voices(folder: Path, play: str) -> None:
    """Samples are kept in the studio, made on first play."""
    from mofang import sound

    if play:
        chosen = sound.voice(play, folder)
        path = _spoken(Studio(folder), sound.sample_text(chosen.language), chosen.name, 1.0)
        click.echo(str(path))
        if click.launch(str(path)) != 0:
            raise UserError(f"no program played it; the sample is {path}")
        return
    for voice in [*sound.own_voices(folder), *sound.voices().values()]:
        click.echo(f"{voice.name:14} {voice.language}  {voice.engine:7} {voice.zh if language() == 'zh' else voice.en}")


@speech.command(
    "say",
    help=say("Speak TEXT into TARGET (wav, flac, mp3, m4a).", "把 TEXT 读成音频文件 TARGET（wav、flac、mp3、m4a）。"),
)
@click.argument("text")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--voice", default="", help=say("a name from `mofang speech voices`, or a voice of your own",
                                              "音色名（见 mofang speech voices），或自己的音色"))
@click.option("--speed", type=Real(0.5, 2.0), default=1.0, show_default=True)
@click.option("--lips", type=click.Path(path_type=Path), help=say("write the mouth's shapes (visemes) to this JSON file",
                                                                  "把口型（visemes）写入这个 JSON 文件"))
@click.pass_obj
def say_(folder: Path, text: str, target: Path, voice: str, speed: float, lips: Path | None) -> None:
    """Readings may be given inline: [重](chong2)庆."""
    from mofang import sound
    from mofang.apps.speak import speak_to, terms
    from mofang.text.language import language_of

    name = (sound.voice(voice, folder) if voice else sound.default_voice(language_of(text))).name
    click.echo(str(speak_to(Studio(folder), text, target, name, speed, lips)))
    if lips:
        click.echo(str(lips))
    if told := terms(name):
        note(told)


def _spoken(studio: Studio, text: str, voice: str, speed: float) -> Path:
    from mofang.apps.speak import spoken

    return spoken(studio, text, voice, speed).asset.path
