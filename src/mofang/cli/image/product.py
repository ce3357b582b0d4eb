"""`mofang image product`: product pictures in several sizes at once."""

from pathlib import Path

import click

from mofang.studio import Studio
from mofang.studio.words import say


@click.command(help=say("Cut the product out of PICTURE and set it on a ground, in several sizes at once.",
                        "把商品从 PICTURE 抠出，换上背景与阴影，一次出多个尺寸。"))  # fmt: skip
@click.argument("picture", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help=say("a folder", "输出文件夹"))
@click.option("--format", "formats", multiple=True, default=("square",), show_default=True,
              help=say("where it goes (several): see image layout --list", "版式（可多次），见 image layout --list"))  # fmt: skip
@click.option("--backdrop", default="gradient", show_default=True,
              help=say("gradient, plain, #rrggbb, or a picture", "背景：gradient、plain、#rrggbb 或图片"))
@click.option("--shadow/--no-shadow", default=True, show_default=True, help=say("cast a shadow", "加阴影"))
@click.option("--title", default="", help=say("the product's name", "品名"))
@click.option("--subtitle", default="", help=say("what it is", "副标题"))
@click.option("--price", default="", help=say("on a bar, as ￥39.9", "价格，如 ￥39.9"))
@click.option("--box", default="", help=say("where the product is: left,top,width,height", "商品位置：左,上,宽,高"))
@click.option("--mask", type=click.Path(path_type=Path), help=say("a picture, white where the product is", "蒙版图片，白色处为商品"))
@click.option("--as", "suffix", type=click.Choice(["png", "jpg", "webp", "pdf"]), default="jpg", show_default=True)
@click.pass_obj
def product(folder: Path, picture: Path, out: Path, formats: tuple[str, ...], backdrop: str, shadow: bool, title: str, subtitle: str,
            price: str, box: str, mask: Path | None, suffix: str) -> None:  # fmt: skip
    """One file a format."""
    from mofang.apps.product import Order, product_to

    words = {"title": title, "subtitle": subtitle, "note": price}
    order = Order(picture, formats, backdrop, shadow, words, box, mask, "." + suffix)
    for path in product_to(Studio(folder), order, out):
        click.echo(str(path))
