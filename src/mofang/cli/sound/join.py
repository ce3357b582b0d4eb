"""`mofang sound join`: an acoustic model and a vocoder as one voice."""

from pathlib import Path

import click

from mofang.cli.numbers import Real
from mofang.cli.session import plain
from mofang.studio.errors import UserError
from mofang.studio.words import say


@click.command(help=say("Make a voice of an ACOUSTIC model and a VOCODER.", "把声学模型 ACOUSTIC 与声码器 VOCODER 合成一个音色。"))
@click.argument("acoustic")
@click.argument("vocoder")
@click.option("--name", default="", help=say("what to call it; kept in the studio", "音色名；保存在工作室中"))
@click.option("--out", type=click.Path(path_type=Path), help=say("a folder instead of the studio's", "文件夹（默认在工作室内）"))
@click.option("--temperature", type=Real(0, 2), default=1.0, show_default=True,
              help=say("of the samples drawn; lower is cleaner and duller", "采样温度；低则干净而平"))  # fmt: skip
@click.pass_obj
def join(studio: Path, acoustic: str, vocoder: str, name: str, out: Path | None, temperature: float) -> None:
    """Both must have been trained on one corpus."""
    from mofang.models import own
    from mofang.sound.own import join as joining

    if not out and not plain(name):
        raise UserError(f"'{name[:40]}' is no name for a voice; give a plain one: --name mine, or a folder with --out")
    target = out or studio / "models" / (name or "voice")
    made = joining.join(own.find(acoustic, studio), own.find(vocoder, studio), target, temperature=temperature, studio=studio)
    click.echo(say(f"the voice is {made}; hear it with: mofang sound speak TEXT out.wav --voice {made}",
                   f"音色在 {made}；试听：mofang sound speak TEXT out.wav --voice {made}"))  # fmt: skip
