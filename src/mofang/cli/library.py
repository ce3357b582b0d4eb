"""The library from the command line: init, list, show, remake, open, export, doctor."""

import json
import sys
from pathlib import Path

import click

from mofang.studio import Studio, UserError
from mofang.studio.words import say


@click.command(help=say("Start a studio in a folder (default ~/Mofang).", "在文件夹中新建工作室（默认 ~/Mofang）。"))
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def init(default: Path, folder: Path | None) -> None:
    """Create the folders and the catalogue; an existing studio is left as it is."""
    studio = Studio(folder.expanduser() if folder else default)
    click.echo(say(f"your studio is {studio.folder}", f"工作室在 {studio.folder}"))


@click.command("list", help=say("Pieces published and assets made, newest first.", "列出成品与素材，新的在前。"))
@click.option("--kind", default="", help="text, image, audio, video")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000))
@click.pass_obj
def list_(folder: Path, kind: str, limit: int) -> None:
    """Pieces first, then assets: id, kind, size, when, engine and what was asked for."""
    studio = Studio(folder)
    if not kind:
        for piece in studio.pieces()[:limit]:
            click.echo(f"{piece['made'][:16]}  {piece['kind']:6} {piece['title']}  {piece['folder']}")
    for asset in studio.assets(kind, limit):
        recipe = studio.making(asset).recipe
        words = " ".join(str(recipe.prompt).split())
        kilobytes = f"{asset.size / 1024:8.0f} KB"
        click.echo(f"{asset.id[:8]}  {asset.made[:16]}  {asset.kind:6} {kilobytes}  {recipe.engine}  {words[:60]}")


@click.command(help=say("An asset's recipe, credits and file.", "查看素材的配方、署名与文件。"))
@click.argument("asset_id")
@click.option("--path", "only_path", is_flag=True, help=say("print only where the file is", "只输出文件路径"))
@click.pass_obj
def show(folder: Path, asset_id: str, only_path: bool) -> None:
    """Everything the catalogue knows of one asset."""
    studio = Studio(folder)
    asset = studio.asset(asset_id)
    if only_path:
        click.echo(str(asset.path))
        return
    making = studio.making(asset)
    known = {
        "id": asset.id,
        "kind": asset.kind,
        "file": str(asset.path),
        "made": asset.made,
        "recipe": making.recipe.to_json(),
        "credits": [credit.to_json() for credit in making.made.credits],
        "facts": dict(making.made.facts),
    }
    click.echo(json.dumps(known, ensure_ascii=False, indent=2))


@click.command(help=say("Make an asset again from its recipe and compare the bytes.", "按配方重做素材并逐字节比对。"))
@click.argument("asset_id")
@click.pass_context
def remake(ctx: click.Context, asset_id: str) -> None:
    """Exit 1 if the bytes differ."""
    from mofang.apps.remake import remake as again

    studio = Studio(ctx.obj)
    asset = studio.asset(asset_id)
    made, mended = again(studio, asset)
    if mended:
        click.echo(say("it was damaged, and is whole again", "原素材已损坏，现已复原"))
        return
    if made == asset.id:
        click.echo(say("the same, byte for byte", "逐字节相同"))
        return
    click.echo(say(f"different: made {made[:8]} instead of {asset.id[:8]}", f"不同：得到 {made[:8]}，原为 {asset.id[:8]}"))
    ctx.exit(1)


@click.command("open", help=say("Open an asset in your usual program.", "用常用程序打开素材。"))
@click.argument("asset_id")
@click.pass_obj
def open_(folder: Path, asset_id: str) -> None:
    """Hand the file to the desktop."""
    path = Studio(folder).asset(asset_id).path
    if click.launch(str(path)) != 0:
        raise UserError(f"no program opened it; the file is {path}")


@click.command(help=say("Publish an asset to a file, labelled, signed and verified.", "导出素材：加标识、签名并验证。"))
@click.argument("asset_id")
@click.argument("target", type=click.Path(path_type=Path))
@click.pass_obj
def export(folder: Path, asset_id: str, target: Path) -> None:
    """Through the only door out of the studio."""
    from mofang.apps.export import export_asset

    studio = Studio(folder)
    published = export_asset(studio, studio.asset(asset_id), target)
    click.echo(str(published))


@click.command(help=say("Check every asset's hash; sweep what was left unfinished in the studio, by its pieces and in FOLDERS.",
                        "校验每件素材的哈希；清理工作室、成品旁及 FOLDERS 中未完成的残留。"))  # fmt: skip
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path))
@click.option("--keep", is_flag=True, help=say("only look, sweep nothing", "只检查，不清理"))
@click.pass_context
def doctor(ctx: click.Context, folders: tuple[Path, ...], keep: bool) -> None:
    """Exit 1 if anything the catalogue names is missing or damaged."""
    from mofang.studio.doctor import examine

    diagnosis = examine(Studio(ctx.obj), sweep=not keep, places=folders)
    swept = len(diagnosis.swept)
    click.echo(
        say(
            f"catalogue {diagnosis.database}; {diagnosis.checked} assets checked, {swept} leftovers swept",
            f"目录 {diagnosis.database}；检查素材 {diagnosis.checked} 件，清理残留 {swept} 个",
        )
    )
    for asset in diagnosis.missing:
        click.echo(say(f"missing: {asset}; make its piece again", f"缺失：{asset}；请重做所属成品"), file=sys.stderr)
    for asset in diagnosis.damaged:
        click.echo(
            say(
                f"damaged: {asset}; run: mofang remake {asset[:8]}", f"损坏：{asset}；请运行：mofang remake {asset[:8]}"
            ),
            file=sys.stderr,
        )
    if not diagnosis.ok:
        ctx.exit(1)
