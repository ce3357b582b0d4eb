"""`mofang models`: what is here, what could be, and under which licence."""

import sys
from pathlib import Path

import click

from mofang import models as store
from mofang.cli.terminal import Line, width
from mofang.studio.progress import Stages
from mofang.studio.words import say


@click.group(
    help=say("List, fetch, check and remove models, art and fonts.", "模型、素材与字体的列表、下载、校验与删除。")
)
def models() -> None:
    """The group."""


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _row(cells: list[str], widths: list[int]) -> str:
    return "  ".join(cell + " " * (space - width(cell)) for cell, space in zip(cells, widths, strict=True)).rstrip()


def _agree(card: store.Card) -> bool:
    """Ask a person at a terminal; elsewhere nobody has agreed."""
    if not sys.stdin.isatty():
        return False
    _tell(f"{card.title} · {card.author} · {card.licence} {card.licence_url}")
    return click.confirm(say("Do you agree to this licence?", "是否同意该许可？"), err=True)


@models.command("list", help=say("Every model this program knows.", "列出所有已知模型。"))
def list_() -> None:
    """Name, kind, size, licence, whether it is here."""
    rows = []
    for card in store.cards():
        mark = "●" if store.installed(card.name) else "○"
        needed = say("default", "默认") if card.default else ""
        rows.append([mark, card.name, card.kind, f"{card.size / 1e6:6.1f} MB", card.licence, needed, card.title])
    widths = [max(width(row[column]) for row in rows) for column in range(7)]
    for row in rows:
        click.echo(_row(row, widths))
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
    wanted = [store.card(name) for name in dict.fromkeys(names)]
    wanted += [card for card in store.cards() if defaults and card.default and card not in wanted]
    if not wanted:
        raise click.UsageError(say("name a model, or say --default", "请给出模型名称，或使用 --default"))
    line = Line()
    stages = Stages({card.name: card.size for card in wanted}, line)
    for card in wanted:
        agreed = accept_licence or (card.accept and not store.installed(card.name) and _agree(card))
        try:
            model = store.ensure(card.name, accept=agreed, progress=stages.of(card.name), notify=_tell)
        finally:
            line.close()
        click.echo(f"{card.name}: {model.folder}")


@models.command(help=say("A model's card, and how much of it is here.", "查看模型卡与本机状态。"))
@click.argument("name")
def info(name: str) -> None:
    """Everything the card says."""
    card, here = store.card(name), store.status(name)
    lines = [
        (say("title", "名称"), card.title),
        (say("author", "作者"), card.author),
        (say("licence", "许可"), f"{card.licence}  {card.licence_url}"),
        (say("attribution", "署名"), card.attribution),
        (say("home", "主页"), card.url),
        (say("kind", "类别"), card.kind),
        (say("architecture", "结构"), card.architecture),
        (say("languages", "语言"), ", ".join(card.languages)),
        (say("trained on", "训练数据"), card.trained_on),
        (say("notes", "说明"), card.notes),
        (say("size", "大小"), f"{card.size / 1e6:.1f} MB, {len(card.files)} " + say("files", "个文件")),
        (say("here", "本机"), say("ready", "就绪") if here.ready else
         say(f"{len(here.missing)} files missing", f"缺 {len(here.missing)} 个文件")),
    ]  # fmt: skip
    space = max(width(label) for label, _ in lines)
    for label, text in lines:
        if text:
            click.echo(_row([label, text], [space, 0]))
    for file in card.files[:8]:
        ways = ", ".join(source.kind for source in file.sources)
        click.echo(f"  {file.role:20} {file.size:>11}  {file.sha256[:16]}…  {ways}")
    if len(card.files) > 8:
        click.echo(say(f"  … and {len(card.files) - 8} more files", f"  ……以及另外 {len(card.files) - 8} 个文件"))


@models.command("card", help=say("Print a card for a weights file of your own.", "为你自己的权重文件生成模型卡。"))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", default="", help=say("what it will be called", "模型名称"))
@click.option("--kind", type=click.Choice(store.KINDS), default="text", show_default=True)
@click.option("--author", required=True, help=say("whose it is", "作者"))
@click.option("--licence", required=True, help=say("SPDX identifier, e.g. CC-BY-4.0", "SPDX 许可标识，如 CC-BY-4.0"))
def card_(file: Path, name: str, kind: str, author: str, licence: str) -> None:
    """Keep what is printed in the folder of cards: $MOFANG_CARDS, or mofang/cards in the configuration folder."""
    text = store.draft(file, name=name, kind=kind, author=author, licence=licence)
    click.echo(text, nl=False)
    found = store.parse(text, file.name)
    _tell(say("keep it as ", "请保存为 ") + str(store.folders()[0] / f"{found.name}.toml"))


@models.command(
    help=say("Hash every file again; exit 1 if one is damaged.", "重新校验每个文件；若有损坏则退出码为 1。")
)
@click.argument("names", nargs=-1)
@click.pass_context
def verify(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Damaged files are fetched anew when they are next needed."""
    broken = False
    for name in names or [card.name for card in store.cards() if store.installed(card.name)]:
        bad = store.verify(name)
        broken = broken or bool(bad)
        verdict = say("missing or damaged: ", "缺失或损坏：") + ", ".join(bad) if bad else say("whole", "完好")
        click.echo(f"{name}: {verdict}")
    if broken:
        ctx.exit(1)


@models.command(help=say("Delete a model from this computer.", "从本机删除模型。"))
@click.argument("name")
def remove(name: str) -> None:
    """What is removed can be fetched again."""
    freed = store.remove(name, notify=_tell) / 1e6
    click.echo(say(f"freed {freed:.1f} MB", f"已释放 {freed:.1f} MB"))
