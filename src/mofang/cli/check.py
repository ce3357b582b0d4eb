"""`mofang speech check`: a spoken file read back."""

import json
from pathlib import Path
from typing import Literal

import click

from mofang.cli.numbers import Real
from mofang.studio.words import say


@click.command(help=say(
    "Hear FILE (sound or film) and compare it with what it should say: how many errors, which words, when. Exit 1 above --most.",
    "听写 FILE（音频或影片）并与应读文字比较：错误率、错词与时间。超过 --most 时退出码为 1。"))  # fmt: skip
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--text", default="", help=say("what is spoken [what the file's recipe says]", "应读的文字 [默认取文件配方]"))
@click.option("--script", type=click.Path(path_type=Path),
              help=say("or a script, storyboard, book or captions", "或剧本、分镜、书、字幕文件"))  # fmt: skip
@click.option("--cast", "cast", multiple=True, metavar="NAME",
              help=say("who speaks in --script, as NAME: …, if the file does not tell (several)",
                       "--script 中说话的角色（写作“角色：…”，可多个），文件未注明时用"))  # fmt: skip
@click.option("--language", type=click.Choice(["zh", "en"]), help=say("the text's own if not given", "默认由文字判断"))
@click.option("--most", type=Real(0, 10), default=0.1, show_default=True,
              help=say("errors let pass, as a share", "容许的错误率"))  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help=say("everything as JSON", "以 JSON 输出"))
@click.pass_context
def check(ctx: click.Context, file: Path, text: str, script: Path | None, cast: tuple[str, ...],
          language: Literal["zh", "en"] | None, most: float, as_json: bool) -> None:  # fmt: skip
    """By Whisper, on this computer."""
    from mofang.apps.check import check_file
    from mofang.cli.terminal import Line
    from mofang.studio import Studio
    from mofang.studio.progress import Stages

    line = Line()
    try:
        names = [each.partition("=")[0].strip() for each in cast]  # `perform` has NAME=VOICE.
        done = check_file(Studio(ctx.obj), file, text, script, language, progress=Stages({"hear": 1}, line).of("hear"), cast=names)
    finally:
        line.close()
    if as_json:
        faults = [{"start": round(each.start, 2), "end": round(each.end, 2), "meant": each.meant, "heard": each.heard}
                  for each in done.faults]  # fmt: skip
        told = {"rate": done.rate, "characters": done.characters, "count": done.count, "faults": faults, "transcript": done.transcript}
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        for each in done.faults:
            minutes, seconds = divmod(each.start, 60)
            click.echo(f"{int(minutes)}:{seconds:04.1f}\t{each.meant or '–'} → {each.heard or '–'}")
        click.echo(_summary(done.rate, done.characters, done.count))
    if done.rate > most:
        ctx.exit(1)


def _summary(rate: float, characters: float | None, count: int) -> str:
    if characters is None:
        return say(f"{rate:.1%} of {count} words went wrong", f"{count} 个词，词错误率 {rate:.1%}")
    return say(f"{rate:.1%} of {count} syllables went wrong (as written: {characters:.1%})",
               f"{count} 个音节，拼音错误率 {rate:.1%}，字错误率 {characters:.1%}")  # fmt: skip
