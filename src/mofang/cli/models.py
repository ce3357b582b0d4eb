"""`mofang models`: what is here, what could be, and under which licence."""

import click

from mofang import models as store
from mofang.cli.terminal import Line
from mofang.studio.progress import Stages
from mofang.studio.words import say


@click.group(
    help=say("List, fetch, check and remove models, art and fonts.", "模型、素材与字体的列表、下载、校验与删除。")
)
def models() -> None:
    """The group."""


@models.command("list", help=say("Every model this program knows.", "列出所有已知模型。"))
def list_() -> None:
    """Name, kind, size, licence, whether it is here."""
    for card in store.cards().values():
        here = "●" if store.installed(card.name) else "○"
        click.echo(f"{here} {card.name:20} {card.kind:19} {card.size / 1e6:6.0f} MB  {card.licence:18} {card.title}")
    click.echo(say("● on this computer   ○ can be fetched with: mofang models pull NAME",
                   "● 已在本机   ○ 可用 mofang models pull 名称 下载"))  # fmt: skip


@models.command(
    help=say("Fetch models by name, or those the default film needs.", "按名称下载，或下载默认影片所需的模型。")
)
@click.argument("names", nargs=-1)
@click.option(
    "--default", "defaults", is_flag=True, help=say("all that `mofang make` uses", "`mofang make` 用到的全部")
)
@click.option("--accept-licence", is_flag=True, help=say("agree to a licence that asks for it", "同意需要确认的许可"))
def pull(names: tuple[str, ...], defaults: bool, accept_licence: bool) -> None:
    """The licence is shown before anything is fetched."""
    wanted = list(names) + [card.name for card in store.cards().values() if defaults and card.default]
    if not wanted:
        raise click.UsageError(say("name a model, or say --default", "请给出模型名称，或使用 --default"))
    line = Line()
    for name in wanted:
        progress = Stages({"models": 1.0}, line).of("models")
        model = store.ensure(
            name, accept=accept_licence, progress=progress, notify=lambda text: click.echo(text, err=True)
        )
        line.close()
        click.echo(f"{name}: {model.folder}")


@models.command(help=say("A model's card.", "查看模型卡。"))
@click.argument("name")
def info(name: str) -> None:
    """Everything the card says."""
    card = store.card(name)
    click.echo(f"{card.title} ({card.name})\n{card.author}; {card.licence}; {card.licence_url}\n{card.url}")
    click.echo(f"{card.kind}; {', '.join(card.languages)}; {card.size / 1e6:.1f} MB; {card.notes}")
    for file in card.files[:8]:
        ways = ", ".join(source.kind for source in file.sources)
        click.echo(f"  {file.role:20} {file.size:>11}  {file.sha256[:16]}…  {ways}")
    if len(card.files) > 8:
        click.echo(say(f"  … and {len(card.files) - 8} more files", f"  ……以及另外 {len(card.files) - 8} 个文件"))


@models.command(
    help=say("Hash every file again; exit 1 if one is damaged.", "重新校验每个文件；若有损坏则退出码为 1。")
)
@click.argument("names", nargs=-1)
@click.pass_context
def verify(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Damaged files are fetched anew when they are next needed."""
    broken = False
    for name in names or [card.name for card in store.cards().values() if store.installed(card.name)]:
        bad = store.verify(name)
        broken = broken or bool(bad)
        click.echo(
            f"{name}: "
            + (say("missing or damaged: ", "缺失或损坏：") + ", ".join(bad) if bad else say("whole", "完好"))
        )
    if broken:
        ctx.exit(1)


@models.command(help=say("Delete a model from this computer.", "从本机删除模型。"))
@click.argument("name")
def remove(name: str) -> None:
    """What is removed can be fetched again."""
    freed = store.remove(name) / 1e6
    click.echo(say(f"freed {freed:.0f} MB", f"已释放 {freed:.0f} MB"))
