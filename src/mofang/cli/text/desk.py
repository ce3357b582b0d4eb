"""The writing desk in a terminal: continuations side by side, one line for every wish."""

import contextlib
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

import click

from mofang.apps.write import Order, is_own
from mofang.apps.writing import Desk, EngineWriter, Offer, OwnWriter, Writer
from mofang.cli.terminal import width
from mofang.cli.text.copied import Notice
from mofang.models.own import find
from mofang.studio import Studio, UserError
from mofang.studio.linebreak import pieces
from mofang.studio.words import language, say

NARROWEST = 24
"""Columns that a continuation needs to stand beside another."""
GAP = 3
TAIL = 8
"""Lines of the text shown above the continuations."""

HELP = (
    ("1", "take that continuation", "选用该续写"),
    ("+words", "go on with words of your own (\\n: new line)", "自己接着写（\\n 换行）"),
    ("/old/new/", "replace the last `old`", "替换最后一处 old"),
    ("e, e 2", "edit the text, or continuation 2, in your editor", "用编辑器修改全文，或第 2 条续写"),
    ("Enter, r", "other continuations", "换一批续写"),
    ("u, y", "undo, redo", "撤销、重做"),
    ("t 0.7", "temperature", "温度"),
    ("l 60", "tokens of a continuation at most", "续写最多的词元数"),
    ("n 3", "how many continuations", "续写条数"),
    ("p", "the whole text", "显示全文"),
    ("s FILE", "publish to a .txt or .md file", "发布到 .txt 或 .md 文件"),
    ("q", "done; the same command goes on another time", "结束；再次运行同一命令可继续"),
)


def run(studio: Studio, writer: Writer, order: Order, out: Path | None = None, fresh: bool = False) -> None:
    """Sit down and write until the writer is done (`q` or the end of input); then publish to `out` if it is given.

    Everything accepted is in the studio at every moment: after Ctrl-C or a crash the same command goes on. Raises `UserError`.
    """
    desk = Desk(studio, writer, order, fresh)
    if desk.resumed:
        click.echo(say(f"going on where you stopped, after {len(desk.steps) - 1} steps (--fresh starts over)",
                       f"接着上次写，已有 {len(desk.steps) - 1} 步（--fresh 重新开始）"))  # fmt: skip
    click.echo(say("? lists what you can do", "输入 ? 查看可用操作"))
    _line_editing()
    while True:
        try:
            if not desk.offers:
                desk.again()
            show(desk)
            line = input("> ")
            while not _do(desk, line):
                line = input("> ")
        except UserError as error:
            click.echo(str(error))
        except (EOFError, _Done):
            break
    click.echo()
    if out is not None:
        path = desk.publish(out)
        click.echo(say(f"published: {path}", f"已发布：{path}"))
    else:
        asset = desk.making().asset.id[:8]
        click.echo(say(f"kept in the studio: {asset}", f"已存入工作室：{asset}"))


def seated(studio: Studio, model: str, order: Order) -> tuple[Writer, Order]:
    """The model at the desk, named as `mofang text write` takes it, and what the desk begins with. Raises `UserError`."""
    if not is_own(model):
        from mofang.apps.make.script import text_engine

        return EngineWriter(model, text_engine(model, language())), order
    from mofang.apps.verse import PoemWriter, is_poet
    from mofang.text.own import OwnModel

    opened = OwnModel.open(find(model.removeprefix("own:"), studio.folder))
    if is_poet(opened):
        poet = PoemWriter(opened, studio, order.prompt, order.form, Notice())
        return poet, replace(order, prompt=poet.start, form="")
    return OwnWriter(opened, studio, Notice()), order


# -- what a line means -----------------------------------------------------------------------------------------------------


class _Done(Exception):
    """The writer is done."""


def _do(desk: Desk, line: str) -> bool:
    """Do what the line says; returns whether the desk should be shown again. Raises `UserError`, `_Done`."""
    word, _, rest = line.strip().partition(" ")
    rest = rest.strip()
    if line.startswith("+"):
        desk.add(line[1:].replace("\\n", "\n"))
    elif match := re.fullmatch(r"/(.+?)/(.*?)/?", line.strip()):
        desk.replace(match[1].replace("\\n", "\n"), match[2].replace("\\n", "\n"))
    elif word.isdecimal() and not rest:
        desk.pick(int(word))
    elif word == "e":
        _edit(desk, int(rest) if rest.isdecimal() else 0)
    elif action := {"": desk.again, "r": desk.again, "u": desk.undo, "y": desk.redo}.get(word if not rest else "-"):
        action()
    elif word in ("t", "l", "n"):
        _wish(desk, word, rest)
    elif word == "p":
        click.echo(desk.text)
        return False
    elif word == "s":
        click.echo(str(desk.publish(Path(rest).expanduser())))
        return False
    elif word == "q":
        raise _Done
    else:
        if word not in ("?", "h", "？"):
            click.echo(say("to go on with words of your own begin the line with +", "要自己接着写，请以 + 开头"))
        click.echo("\n".join(f"  {key:<10} {say(en, zh)}" for key, en, zh in HELP))
        return False
    return True


def _wish(desk: Desk, word: str, value: str) -> None:
    name, kind = {"t": ("temperature", float), "l": ("tokens", int), "n": ("n", int)}[word]
    try:
        number = kind(value)
    except ValueError as error:
        raise UserError(f"'{value[:20]}' is no number; write for example: {word} {getattr(desk.order, name)}") from error
    desk.wish(**{name: number})


def _edit(desk: Desk, number: int) -> None:
    before = desk.offer(number).text if number else desk.text
    try:
        after = click.edit(before, require_save=True)
    except click.ClickException as error:
        raise UserError(f"no editor could be opened ({error.message}); set $EDITOR, or use /old/new/") from error
    if after is None:
        raise UserError("the editor was closed without saving; nothing was changed")
    # Editors end a file with a line break that the writer did not write.
    desk.edit(after if before.endswith("\n") else after.removesuffix("\n"), number)


def _line_editing() -> None:
    if sys.stdin.isatty():
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401  (arrow keys and history, by being imported)


# -- what is seen ----------------------------------------------------------------------------------------------------------


def show(desk: Desk) -> None:
    """The end of the text, and what the model offers."""
    columns = min(shutil.get_terminal_size().columns, 160)
    click.echo("\n" + "─" * columns)
    lines = wrapped(desk.text, columns)
    click.echo("\n".join((["…"] if len(lines) > TAIL else []) + lines[-TAIL:]))
    if note := desk.note:
        click.echo(note)
    click.echo()
    click.echo("\n".join(laid_out(desk.offers, columns)))


def laid_out(offers: Sequence[Offer], columns: int) -> list[str]:
    """Numbered continuations, as many side by side as have `NARROWEST` columns each, in rows of equal numbers."""
    count = len(offers)
    rows = -(-count // max(1, (columns + GAP) // (NARROWEST + GAP))) or 1
    abreast = -(-count // rows) or 1
    wide = (columns - GAP * (abreast - 1)) // abreast
    blocks = [_block(at + 1, offer, wide) for at, offer in enumerate(offers)]
    lines = []
    for first in range(0, count, abreast):
        row = blocks[first : first + abreast]
        for parts in zip_longest(*row, fillvalue=""):
            lines.append((" " * GAP).join(part + " " * (wide - width(part)) for part in parts).rstrip())
    return lines


def _block(number: int, offer: Offer, columns: int) -> list[str]:
    head = f"{number}. "
    body = wrapped(offer.text, columns - len(head)) if offer.text.strip() else [say("(the text ends here)", "（到此结束）")]
    said = [line for warning in offer.warnings
            for line in wrapped(say("⚠ in the works: ", "⚠ 训练作品中有：") + warning, columns - len(head))]  # fmt: skip
    return [(head if at == 0 else " " * len(head)) + line for at, line in enumerate(body + said)]


def wrapped(text: str, columns: int) -> list[str]:
    """The text in lines of so many columns; a word longer than a line is cut."""
    lines = []
    for paragraph in "".join(map(_visible, text)).split("\n"):
        line = ""
        for piece in pieces(paragraph):
            if line and width(line + piece.rstrip()) > columns:
                lines.append(line.rstrip())
                line = ""
            for letter in piece if width(piece.rstrip()) > columns else [piece]:
                if line and width(line + letter) > columns and letter.strip():
                    lines.append(line)
                    line = ""
                line += letter
        lines.append(line.rstrip())
    return lines


def _visible(letter: str) -> str:
    """What a model or a file may hold must not steer the terminal."""
    return letter if letter == "\n" or letter.isprintable() else " " if letter == "\t" else "�"
