"""`mofang speech book`: an audiobook with chapters and a cover."""

from pathlib import Path

import click

from mofang.cli.numbers import Real
from mofang.studio.words import say


@click.command(help=say("Read BOOK (.epub, .md, .txt) aloud into TARGET (.m4b or .mp3) with chapters, cover and tags. Stopped, it "
                        "goes on where it was.",
                        "把书 BOOK（.epub、.md、.txt）读成带章节、封面和标签的有声书 "
                        "TARGET（.m4b 或 .mp3）。中断后可续做。"))  # fmt: skip
@click.argument("book", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--voice", default="", help=say("a name from `mofang speech voices`", "音色名（见 mofang speech voices）"))
@click.option("--speed", type=Real(0.5, 2.0), default=1.0, show_default=True)
@click.option("--cover", type=click.Path(path_type=Path), help=say("a picture instead of the book's own", "封面图片（默认用书的）"))
@click.pass_obj
def book(folder: Path, book: Path, target: Path, voice: str, speed: float, cover: Path | None) -> None:
    """Passages spoken before are not spoken again."""
    from mofang.apps.audiobook import book_to
    from mofang.cli.terminal import Line, clock, note
    from mofang.studio import Studio
    from mofang.studio.progress import Stages

    line = Line()
    stages = Stages({"voices": 30, "publish": 1}, line)
    try:
        done = book_to(Studio(folder), book, target, voice, speed, cover, stages.of("voices"), stages.of("publish"))
    finally:
        line.close()
    count, length = len(done.chapters), clock(done.seconds)
    click.echo(say(f"{done.path}: {count} chapters, {length}", f"{done.path}：{count} 章，{length}"))
    for each in done.notes:
        note(each)
