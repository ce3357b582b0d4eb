"""`mofang sound consent`: whose voice may be learned from which recordings, and until when."""

from pathlib import Path

import click

from mofang.studio import Studio, UserError
from mofang.studio.words import say
from mofang.studio.works import Consent, Work, add, all_works
from mofang.studio.works import revoke as take_back

SCOPE = "train,clone-voice"


@click.group(help=say("Consent to learn a voice.", "声音授权。"))
def consent() -> None:
    """The group."""


@consent.command("add", help=say("Record that WHO allows the voice in RECORDINGS to be learned.",
                                 "登记授权：WHO 允许学习录音中的声音。"))
@click.argument("recordings", type=click.Path(path_type=Path))
@click.option("--who", required=True, help=say("whose voice it is: 'self' or a name", "谁的声音：self 或姓名"))
@click.option("--scope", default=SCOPE, show_default=True, help="train, clone-voice, publish")
@click.option("--until", default="", help=say("last day, as 2027-12-31", "截止日期，如 2027-12-31"))
@click.option("--licence", default="own", show_default=True, help=say("of the recordings", "录音的许可"))
@click.pass_obj
def add_(folder: Path, recordings: Path, who: str, scope: str, until: str, licence: str) -> None:
    """The hash of each file is kept: a consent is for exactly these recordings."""
    taken, _ = add(Studio(folder), recordings, licence, Consent(who, scope, until))
    sounds = [work for work in taken if work.kind == "audio"]
    if not sounds:
        raise UserError(f"there is no recording in {recordings}; give WAV, FLAC, MP3, M4A, OGG or Opus files")
    click.echo(say(f"{who} allows {scope} of {len(sounds)} recordings{f' until {until}' if until else ''}",
                   f"{who} 授权 {scope}：{len(sounds)} 个录音{f'，至 {until}' if until else ''}"))  # fmt: skip


@consent.command("list", help=say("Every recording and its consent.", "列出录音及授权。"))
@click.pass_obj
def list_(folder: Path) -> None:
    """One line a recording."""
    for work in _recordings(Studio(folder)):
        state = say("taken back", "已撤回") if work.consent.revoked else f"{work.consent.scope} {work.consent.until}".strip()
        click.echo(f"{work.id[:8]}  {work.consent.who}  {state}  {work.path}")


@consent.command(help=say("Take consent back: of one recording by its id, or of everything WHO allowed.",
                          "撤回一个录音（按编号）或某人的全部授权。"))
@click.argument("who")
@click.pass_obj
def revoke(folder: Path, who: str) -> None:
    """From now on nothing is trained on these recordings."""
    studio = Studio(folder)
    known = _recordings(studio)
    found = [work for work in known if work.consent.who == who or (len(who) >= 4 and work.id.startswith(who))]
    if not found:
        raise UserError(f"'{who}' is neither a person nor a recording's id; see: mofang sound consent list")
    for work in found:
        take_back(studio, work)
    click.echo(say(f"consent for {len(found)} recordings is taken back", f"已撤回 {len(found)} 个录音的授权"))


def _recordings(studio: Studio) -> list[Work]:
    return [work for work in all_works(studio) if work.kind == "audio"]
