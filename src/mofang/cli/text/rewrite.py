"""`mofang text rewrite`: a text turned into another by a model trained on pairs."""

import sys
from pathlib import Path

import click

from mofang.studio.words import say

LARGEST = 64 << 20
"""Bytes of a text to rewrite."""


@click.command(help=say("Translate or rewrite TEXT, a file or - (standard input) with MODEL, sentence by sentence.",
                        "用 MODEL 逐句翻译或改写 TEXT（文字、文件，或 - 表示标准输入）。"))  # fmt: skip
@click.argument("model")
@click.argument("text")
@click.option("--beams", type=click.IntRange(1, 64), default=4, show_default=True,
              help=say("versions weighed; 1: greedy", "束宽；1 为贪心"))  # fmt: skip
@click.option("--versions", type=click.IntRange(1, 64), default=1, show_default=True,
              help=say("so many versions of each sentence", "每句给出几个版本"))  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), help=say("write it there", "写入文件"))
@click.pass_obj
def rewrite(studio: Path, model: str, text: str, beams: int, versions: int, out: Path | None) -> None:
    """Lines, blank lines and the space between sentences stay as they are."""
    from mofang.models.own import find
    from mofang.studio.atomic import write_atomic
    from mofang.text.rewriting import Rewriter

    source = _read(text)
    rewriter = Rewriter.open(find(model, studio))
    if versions > 1:
        lines = [line.strip() for line in source.splitlines() if line.strip()]
        found = rewriter.sentences(lines, max(beams, versions))
        written = "".join("\n".join(each[:versions]) + "\n\n" for each in found)
    else:
        written = rewriter.text(source, beams, _progress if sys.stderr.isatty() else _silent)
    if out:
        write_atomic(out, written)
    else:
        click.echo(written, nl=not written.endswith("\n"))


def _read(text: str) -> str:
    """What to rewrite: standard input, a file if there is one of that name, else the words themselves."""
    from mofang.studio.errors import UserError
    from mofang.text.decode import decode

    if text == "-":
        data, name = sys.stdin.buffer.read(LARGEST + 1), say("the input", "输入")
    else:
        try:
            if not Path(text).is_file():
                return text
            with Path(text).open("rb") as file:
                data, name = file.read(LARGEST + 1), text
        except (OSError, ValueError):  # Too long for a file's name, or with a zero byte: words.
            return text
    if len(data) > LARGEST:
        raise UserError(f"{name} is larger than {LARGEST >> 20} MB; split it")
    return decode(data, name)[0] if data else ""


def _progress(done: int, count: int) -> None:
    click.echo(f"\r{done}/{count}" + ("\n" if done == count else ""), nl=False, err=True)


def _silent(done: int, count: int) -> None:
    pass
