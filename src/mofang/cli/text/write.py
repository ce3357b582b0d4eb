"""`mofang text write`: a model goes on with a text."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from mofang.cli.terminal import note
from mofang.studio.words import say

F = TypeVar("F", bound=Callable[..., Any])
LARGEST = 16 << 20
"""Bytes of a prompt's file; a model sees far less."""

_HELP = {
    "tokens": say("tokens to write at most", "最多写多少词元"),
    "n": say("texts; the i-th is what seed + i writes alone", "写几篇；第 i 篇即种子 seed+i 单独所写"),
    "temperature": say("0: always the likeliest token", "温度；0 总取最可能的词元"),
    "top-k": say("only the k likeliest", "只取最可能的 k 个"),
    "top-p": say("only the likeliest with this share together", "只取概率之和达到此数的"),
    "min-p": say("only those this likely beside the likeliest", "只取不低于最大概率此比例的"),
    "typical": say("only those of typical information", "只取信息量典型的"),
    "repetition": say("above 1: what was said becomes less likely", "大于 1 时减少重复"),
    "no-repeat": say("no run of so many tokens twice", "不让这么长的一串出现两次"),
    "stop": say("end before these words (several)", "遇到此词即止（可多次）"),
    "beams": say("beam search instead of drawing", "改用集束搜索"),
    "bias": say("a word made likelier, \"rain=2\" (several)", "让某词更可能，如 \"雨=2\"（可多次）"),
    "ban": say("a word that must not come (several)", "不许出现的词（可多次）"),
    "form": say("a form the text keeps, like 七绝", "所守的格式，如 七绝"),
    "out": say("publish to a .txt or .md file, labelled and signed", "发布为 .txt 或 .md 文件（带标识与签名）"),
    "interactive": say("write together: pick, edit, undo, go on", "与模型一起写：选、改、撤销、续"),
    "fresh": say("write again what was written before", "已写过的也重写"),
}  # fmt: skip


def _option(name: str, *names: str, **settings: Any) -> Callable[[F], F]:
    return click.option(name, *names, help=_HELP.get(name[2:]), show_default="default" in settings, **settings)


@click.command(help=say(
    "Go on with PROMPT. MODEL: a model of yours (name or folder), a .gguf file, transformers:PATH or openai:MODEL. "
    "PROMPT may be @FILE, or - for what is piped in.",
    "续写 PROMPT。MODEL 为自己的模型（名字或文件夹）、.gguf 文件、transformers:路径 或 openai:模型。"
    "PROMPT 可为 @文件，或 - 读标准输入。",
))  # fmt: skip
@click.argument("model")
@click.argument("prompt", default="")
@_option("--tokens", type=click.IntRange(1, 65536), default=256)
@_option("--n", type=click.IntRange(1, 256), default=None)
@_option("--temperature", type=float, default=0.9)
@_option("--top-k", type=int, default=0)
@_option("--top-p", type=float, default=1.0)
@_option("--min-p", type=float, default=0.0)
@_option("--typical", type=float, default=1.0)
@_option("--repetition", type=float, default=1.0)
@_option("--no-repeat", type=int, default=0)
@_option("--seed", type=click.IntRange(0, 2**62), default=0)
@_option("--stop", multiple=True, metavar="WORDS")
@_option("--beams", type=click.IntRange(0, 256), default=0)
@_option("--bias", multiple=True, metavar="WORD=NUMBER")
@_option("--ban", multiple=True, metavar="WORD")
@_option("--form", default="", metavar="SPEC")
@_option("--out", type=click.Path(path_type=Path))
@_option("--interactive", "-i", is_flag=True)
@_option("--fresh", is_flag=True)
@click.pass_obj
def write(studio: Path, /, model: str, prompt: str, n: int | None, bias: tuple[str, ...], out: Path | None, interactive: bool,
          fresh: bool, **options: Any) -> None:  # fmt: skip
    """Prints the texts; every one is an asset of the studio."""
    from mofang.apps.write import Order, check_target, is_own, publish
    from mofang.apps.write import write as written
    from mofang.cli.text.copied import warn
    from mofang.models.own import find
    from mofang.studio import Studio

    order = Order(_prompt(prompt), n=n or 1, bias=_biases(bias), **options)
    if out is not None:
        check_target(out)
    if interactive:
        _together(studio, model, order, n, out, fresh)
        return
    opened = Studio(studio)
    try:
        makings = written(opened, model, order, _show, fresh, note)
        click.echo()
        for place, making in enumerate(makings[1:], 2):
            click.echo("\n" + say(f"── {place}", f"── 第 {place} 篇") + (f" (--seed {making.recipe.seed})" if not order.beams else ""))
            _show(making.asset.path.read_bytes().decode())
            click.echo()
        for place, making in enumerate(makings, 1):
            target = out if out is None or len(makings) == 1 else out.with_stem(f"{out.stem}-{place}")
            if target is not None:
                path = publish(opened, making, target)
                click.echo(say(f"published: {path}", f"已发布：{path}"), err=True)
        if is_own(model):
            written_now = [making.asset.path.read_bytes().decode().removeprefix(order.prompt) for making in makings]
            warn(find(model.removeprefix("own:"), studio), studio, order.prompt, written_now)
    finally:
        opened.close()


def _show(piece: str) -> None:
    """Text as it comes. What a model writes must not steer a terminal."""
    if sys.stdout.isatty():
        piece = "".join(letter if letter == "\n" or letter.isprintable() else " " for letter in piece)
    click.echo(piece, nl=False)


def _prompt(given: str) -> str:
    from mofang.studio import UserError
    from mofang.text.decode import check_text, decode

    if given == "-":
        data, name = sys.stdin.buffer.read(LARGEST + 1), say("what was piped in", "标准输入")
    elif given.startswith("@"):
        name = given[1:]
        try:
            with Path(name).expanduser().open("rb") as file:
                data = file.read(LARGEST + 1)
        except (OSError, ValueError, RuntimeError) as error:
            raise UserError(f"cannot read {name[:200]} ({getattr(error, 'strerror', None) or error}); a prompt that begins with @ "
                            "names a file: pipe it in (-) if it is meant as it is") from error  # fmt: skip
    else:
        return check_text(given, say("the prompt", "开头"))
    if len(data) > LARGEST:
        raise UserError(f"{name} is larger than {LARGEST >> 20} MB; give the part that is to be gone on with")
    # Editors and `echo` end a text with a line break that the writer did not write.
    return decode(data, name)[0].removesuffix("\n").removesuffix("\r")


def _biases(given: tuple[str, ...]) -> dict[str, float]:
    from mofang.studio import UserError

    found = {}
    for each in given:
        word, _, number = each.rpartition("=")
        try:
            found[word] = float(number)
        except ValueError:
            word = ""
        if not word or not abs(found[word]) <= 100:
            raise UserError(f"'{each[:40]}' is no bias; write a word and a number from -100 to 100, like 雨=2 (--ban bans a word)")
    return found


def _together(studio: Path, model: str, order: Any, n: int | None, out: Path | None, fresh: bool) -> None:
    from mofang.apps.write import Order
    from mofang.apps.writing import USUAL
    from mofang.cli.text import desk
    from mofang.studio import Studio

    opened = Studio(studio)
    try:
        # A desk wants shorter pieces and more of them than a text written at one go.
        tokens = order.tokens if order.tokens != Order("").tokens else USUAL.tokens
        writer, order = desk.seated(opened, model, replace(order, n=n or USUAL.n, tokens=tokens))
        desk.run(opened, writer, order, out, fresh)
    finally:
        opened.close()
