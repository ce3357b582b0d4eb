"""`mofang image sample`: pictures of a model of one's own."""

from pathlib import Path

import click

from mofang.cli.numbers import Real
from mofang.studio import Studio
from mofang.studio.words import say


@click.command(help=say("Pictures of MODEL, one for each seed.", "用 MODEL 生成图片，每个种子一张。"))
@click.argument("model")
@click.option("--seeds", default="0-15", show_default=True, help="0-35, 1,2,7-9")
@click.option("--out", required=True, type=click.Path(path_type=Path), help=say("a folder", "输出文件夹"))
@click.option("--truncation", type=Real(0, 2), default=1.0, show_default=True,
              help=say("less: fewer surprises, fewer failures", "越小越稳妥，变化也越少"))  # fmt: skip
@click.option("--mix", nargs=2, default=None, metavar="A B",
              help=say("a table: coarse features of seeds A, fine ones of seeds B", "风格混合表：A 定形、B 定色与细节"))  # fmt: skip
@click.option("--grid", is_flag=True, help=say("one sheet instead of single files", "拼成一张，而不是逐张输出"))
@click.option("--nearest", type=click.Path(path_type=Path), metavar="DATA",
              help=say("a sheet too: each beside its nearest training picture", "另出一张：每张与最相近的训练图并排"))  # fmt: skip
@click.option("--new", type=click.Path(path_type=Path), metavar="DATA",
              help=say("leave out pictures that are nearly one of the training set", "略去与训练图几乎相同的图片"))  # fmt: skip
@click.pass_obj
def sample(folder: Path, model: str, seeds: str, out: Path, truncation: float, mix: tuple[str, str] | None, grid: bool,
           nearest: Path | None, new: Path | None) -> None:  # fmt: skip
    """Published one by one, or on one sheet."""
    from mofang.apps import generate

    studio, numbers = Studio(folder), generate.seeds_of(seeds)
    if new:
        kept = generate.new_among(studio, model, numbers, new, truncation)
        if left := sorted({*numbers} - {*kept}):
            click.echo(say(f"left out, too near to a training picture: {', '.join(map(str, left))}",
                           f"已略去（与训练图过近）：{'、'.join(map(str, left))}"), err=True)  # fmt: skip
        numbers = kept
    made = []
    if mix:
        made.append(generate.mix_to(studio, model, generate.seeds_of(mix[0]), generate.seeds_of(mix[1]), out / "mix.png", truncation))
    elif grid:
        made.append(generate.grid_to(studio, model, numbers, out / "grid.png", truncation))
    else:
        made += generate.sample_to(studio, model, numbers, out, truncation)
    if nearest:
        made.append(generate.nearest_to(studio, model, numbers, nearest, out / "nearest.png", truncation))
    click.echo("\n".join(map(str, made)))
