"""`mofang image layout`: a page from a template, words and perhaps a picture."""

from pathlib import Path

import click

from mofang.studio import Studio, UserError
from mofang.studio.words import say


@click.command(
    help=say(
        "Set words, and perhaps a picture, in TEMPLATE: see --list. Line breaks in words are kept; \\n is one too.",
        "把文字（和图片）排进 TEMPLATE 版面，模板见 --list。文字里的换行（或 \\n）保留。",
    )
)
@click.argument("template", required=False, default="")
@click.option("--title", default="", help=say("the largest words", "标题"))
@click.option("--subtitle", default="", help=say("the second largest", "副标题"))
@click.option("--text", default="", help=say("body, a poem's lines, or points, a line each", "正文、诗句，或一行一条的要点"))
@click.option("--author", default="", help=say("who says so; a seal in poem", "署名；诗笺里成印章"))
@click.option("--note", default="", help=say("a date, a place, a source", "日期、地点、出处"))
@click.option("--picture", type=click.Path(path_type=Path), help=say("a picture of yours", "你的图片"))
@click.option("--words", default="", help=say("words to paint a picture from", "用文字画一张配图"))
@click.option("--style", default="noto", show_default=True, help="noto, fluent, twemoji, openmoji")
@click.option("--qr", "link", default="", help=say("a link as QR code", "二维码链接"))
@click.option("--format", "where", default="xiaohongshu", show_default=True, help=say("where it goes: see --list", "版式，见 --list"))
@click.option("--place", default="", help=say("of the words: see --list [where they leave the subject free]",
                                              "文字的位置，见 --list [默认避开画面主体]"))  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help=say("other colours", "换一套颜色"))
@click.option("--out", type=click.Path(path_type=Path), help="png, jpg, webp, pdf")
@click.option("--list", "listing", is_flag=True, help=say("list templates and formats", "列出模板与版式"))
@click.pass_obj
def layout(
    folder: Path, template: str, title: str, subtitle: str, text: str, author: str, note: str, picture: Path | None,
    words: str, style: str, link: str, where: str, place: str, seed: int, out: Path | None, listing: bool,
) -> None:  # fmt: skip
    """One page."""
    if listing:
        _list()
        return
    if not template or out is None:
        raise UserError("name a template and a file: mofang image layout poster --title … --out poster.png (templates: --list)")
    from mofang.apps.layout import Order, layout_to

    fields = {"title": title, "subtitle": subtitle, "text": text, "author": author, "note": note}
    laid = layout_to(Studio(folder), Order(template, where, fields, picture, words, style, link, seed, place), out)
    if missing := laid.facts.get("missing"):
        click.echo(say(f"left out, no font has them: {missing}", f"以下字符没有字体，已略去：{missing}"), err=True)
    shortened = laid.facts.get("shortened")
    if isinstance(shortened, list) and shortened:
        names = ", ".join(shortened)
        click.echo(say(f"too long for the page and cut short: {names}", f"太长，已截短：{names}"), err=True)
    click.echo(str(laid.path))


def _list() -> None:
    from mofang.image.layout import SHAPES, formats, templates
    from mofang.studio.words import language

    lang = language()
    click.echo(say("templates", "模板"))
    for name, template in templates().items():
        places = list(dict.fromkeys(place for shape in SHAPES for place in template.places(shape)))
        told = f" (--place {', '.join(places)})" if len(places) > 1 else ""
        click.echo(f"  {name:<12} {template.title[lang]}{told}")
    click.echo(say("formats", "版式"))
    for name, where in formats().items():
        click.echo(f"  {name:<12} {where.title[lang]} ({where.size[0]}×{where.size[1]})")
