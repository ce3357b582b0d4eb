"""`mofang jukebox prepare`: recordings into what a jukebox learns from."""

from pathlib import Path

import click

from mofang.studio.words import say


@click.command(help=say("Make data to learn from of recordings and folders of them; a folder's name is a style, NAME.txt beside a "
                        "recording its lyrics.",
                        "把录音（文件或文件夹）整理成训练数据；文件夹名为风格，录音旁的同名 .txt 为歌词。"))  # fmt: skip
@click.argument("works", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help=say("a folder for the data", "数据文件夹"))
@click.option("--rate", type=click.IntRange(8000, 48_000), default=16_000, show_default=True, help=say("samples a second", "采样率"))
@click.option("--style", default="", help=say("of all of them, whatever their folders", "统一指定风格"))
@click.option("--licence", default="LicenseRef-own", show_default=True, help=say("on what terms you have them", "录音的许可"))
@click.pass_obj
def prepare(studio: Path, /, works: tuple[Path, ...], out: Path, **options: object) -> None:
    """Files that cannot be used are named and left out."""
    from mofang.cli.terminal import Line
    from mofang.sound.jukebox import data
    from mofang.studio.progress import Stages

    line = Line()
    try:
        made = data.prepare(works, out, studio=studio, progress=Stages({"read": 1}, line).of("read"), **options)  # type: ignore[arg-type]
    finally:
        line.close()
    for why in made.manifest["passed_over"][:10]:
        click.echo(say(f"passed over: {why}", f"跳过：{why}"), err=True)
    minutes, styles = made.manifest["seconds"] / 60, ", ".join(made.styles)
    held = len(made.part("validation"))
    click.echo(say(f"{out}: {len(made.entries)} recordings, {minutes:.1f} minutes ({styles}), {held} held out",
                   f"{out}：{len(made.entries)} 段录音，{minutes:.1f} 分钟（{styles}），留出 {held} 段"))  # fmt: skip
