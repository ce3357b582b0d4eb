"""`mofang works`: what the creator brings in."""

from pathlib import Path

import click

from mofang.studio import Studio, UserError
from mofang.studio.words import say
from mofang.studio.works import Consent, add, all_works, revoke


@click.group(help=say("Your works, their licences and consent.", "你的作品、许可与授权。"))
def works() -> None:
    """The group."""


@works.command("add")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--licence", required=True, help=say("SPDX name, or 'own'", "SPDX 许可名，自己的作品写 own"))
@click.option("--consent", "who", required=True, help=say("whose consent: 'self' or a name", "谁的授权：self 或姓名"))
@click.option("--scope", default="train,publish", show_default=True, help="train, publish, clone-voice")
@click.option("--until", default="", help=say("last day, as 2027-12-31", "截止日期，如 2027-12-31"))
@click.option("--author", default="", help=say("who made them", "作者"))
@click.pass_obj
def add_(folder: Path, path: Path, licence: str, who: str, scope: str, until: str, author: str) -> None:
    """Take in a file or a folder of works."""
    taken, passed = add(Studio(folder), path, licence, Consent(who, scope, until), author)
    click.echo(say(f"{len(taken)} works added", f"已加入 {len(taken)} 件作品"))
    for file in passed[:10]:
        click.echo(say(f"passed over: {file}", f"跳过：{file}"))
    if len(passed) > 10:
        click.echo(say(f"… and {len(passed) - 10} more", f"……以及另外 {len(passed) - 10} 个"))


@works.command("list")
@click.pass_obj
def list_(folder: Path) -> None:
    """Every work with its papers."""
    for work in all_works(Studio(folder)):
        state = say("revoked", "已撤回") if work.consent.revoked else work.consent.scope
        click.echo(f"{work.id[:8]}  {work.kind:5}  {work.licence}  {work.consent.who} ({state})  {work.path}")


@works.command("match", help=say("Which of your recordings and published pieces are heard in FILE, even in part or through noise.",
                                 "FILE 中能听到你的哪些录音和已发布的作品（哪怕只是一段、有噪声或经过压缩）。"))  # fmt: skip
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def match_(folder: Path, file: Path) -> None:
    """By fingerprints; what only sounds alike is not found."""
    from mofang.apps.fingerprints import found_in

    found = found_in(Studio(folder), file)
    if not found:
        click.echo(say("none of your recordings or published pieces is heard in it", "没有听到你的录音或已发布的作品"))
    for each in found:
        click.echo(say(f"{each.start:8.2f} s  {each.seconds:.1f} s of {each.name} from {each.there:.2f} s ({each.share:.0%})",
                       f"{each.start:8.2f} 秒起 {each.seconds:.1f} 秒：{each.name} 的 {each.there:.2f} 秒处（{each.share:.0%}）"))


@works.command("revoke")
@click.argument("prefix")
@click.pass_obj
def revoke_(folder: Path, prefix: str) -> None:
    """Take consent for a work back."""
    studio = Studio(folder)
    found = [work for work in all_works(studio) if len(prefix) >= 4 and work.id.startswith(prefix)]
    if len(found) != 1:
        raise UserError(f"'{prefix}' names {len(found)} works; give more of an id shown by: mofang works list")
    revoke(studio, found[0])
    click.echo(say(f"consent for {found[0].path.name} is revoked", f"已撤回对 {found[0].path.name} 的授权"))
