"""`mofang image evaluate`: how good a model's pictures are, and whether it makes or copies."""

from pathlib import Path

import click

from mofang.studio.words import say


@click.command(help=say("KID, diversity and copy rate of MODEL; kept in its card.", "测 MODEL 的 KID、多样性与抄袭率，并写入模型卡。"))
@click.argument("model")
@click.option("--data", type=click.Path(path_type=Path),
              help=say("the dataset, if not the one its card names", "图集（默认用模型卡所记的）"))  # fmt: skip
@click.option("--count", type=click.IntRange(16, 10_000), default=512, show_default=True,
              help=say("pictures to make", "生成多少张来测"))  # fmt: skip
@click.pass_obj
def evaluate(folder: Path, model: str, data: Path | None, count: int) -> None:
    """Measures, prints, and notes in the card."""
    from mofang.image.data import Pictures
    from mofang.image.measure.run import measured
    from mofang.models import own
    from mofang.studio.errors import UserError

    place = own.find(model, folder)
    card = own.read_card(place)
    if data is None and not isinstance(card.get("data"), str):
        raise UserError("its card names no dataset; give one with --data")
    found = measured(place, Pictures.open(data or Path(card["data"])), count)
    before = card.get("measured")
    own.write_card(place, {**card, "measured": {**(before if isinstance(before, dict) else {}), **found}})
    names = {
        "kid": say("distance from held-out pictures (KID)", "与留出图的距离（KID）"),
        "kid_floor": say("the same of training pictures: the least there can be", "训练图的同一指标（下限）"),
        "diversity": say("diversity, real pictures: 1", "多样性（真实图为 1）"),
        "copy_rate": say("copy rate", "抄袭率"), "copy_expected": say("the same of new pictures", "全新图片的同一指标"),
    }  # fmt: skip
    for key, value in found.items():
        click.echo(f"{value:10.4f}  {names[key]}")
    if found.get("copy_rate", 0) > 4 * found.get("copy_expected", 1):
        click.echo(say("it copies: train on more pictures, shorter, or with --augment fixed; to see the pairs: "
                       "mofang image sample --nearest DATA",
                       "它在抄训练图：请增加图片或缩短训练；查看：mofang image sample --nearest DATA"))  # fmt: skip
