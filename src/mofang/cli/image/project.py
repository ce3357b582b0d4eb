"""`mofang image project`: the nearest a model comes to a given picture."""

from pathlib import Path

import click

from mofang.studio.words import say


@click.command(help=say("Find what MODEL makes nearest to PICTURE.", "在 MODEL 中找出最接近 PICTURE 的图。"))
@click.argument("model")
@click.argument("picture", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path),
              help=say("png: the picture, and what came nearest", "png：原图与最接近的图并排"))  # fmt: skip
@click.option("--steps", type=click.IntRange(1, 100_000), default=300, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.pass_obj
def project(folder: Path, model: str, picture: Path, out: Path, steps: int, seed: int) -> None:
    """Searched with torch, published side by side."""
    from mofang.studio.errors import UserError

    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise UserError("projection needs torch; run: pip install 'mofang[train]'") from error
    from mofang.apps.project import project_to
    from mofang.cli.terminal import Line
    from mofang.studio import Studio
    from mofang.studio.progress import Stages

    line = Line()
    try:
        path, error_left = project_to(Studio(folder), model, picture, out, steps, seed, Stages({"project": 1}, line).of("project"))
    finally:
        line.close()
    click.echo(say(f"{path}\nmean difference {error_left:.1f} of 255", f"{path}\n平均差异 {error_left:.1f}/255"))
