"""The command line: `mofang COMMAND`. One file per command group, imported only when it is called."""

import errno
import io
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import click

from mofang import __version__
from mofang.cli.lazy import Lazy
from mofang.studio.errors import UserError
from mofang.studio.words import say

COMMANDS = {
    "make": (
        "mofang.cli.make:make",
        "make a film from a text, a one-line brief or a storyboard",
        "把文章、一句话或分镜做成影片",
    ),
    "verify": (
        "mofang.cli.verify:verify",
        "say what a file says about itself, and whether it is true",
        "读出文件自带的来源说明并验证",
    ),
    "speech": ("mofang.cli.speech:speech", "voices, and text spoken aloud", "音色与朗读"),
    "sound": ("mofang.cli.sound:sound", "voices of your own: consent, training, speech", "自己的声音：授权、训练与朗读"),
    "music": ("mofang.cli.music:music", "music: notes by models of your own, sound from words", "音乐：自己的作曲模型，或按文字生成"),
    "jukebox": ("mofang.cli.jukebox:jukebox", "music as sound: learn, make and continue", "声音音乐：学习录音、生成与续奏"),
    "image": ("mofang.cli.image:image", "pictures, pages set in type, photographs repaired", "作画、排版与修图"),
    "text": ("mofang.cli.text:text", "models of your own, scripts and writing", "自己的模型、脚本与写作"),
    "models": ("mofang.cli.models:models", "list, fetch, check and remove models", "模型的列表、下载、校验与删除"),
    "works": ("mofang.cli.works:works", "your works, their licences and consent", "你的作品、许可与授权"),
    "init": ("mofang.cli.library:init", "start a studio in a folder", "新建工作室"),
    "list": ("mofang.cli.library:list_", "pieces and assets made so far", "列出成品与素材"),
    "show": ("mofang.cli.library:show", "an asset's recipe and credits", "查看素材的配方与署名"),
    "remake": ("mofang.cli.library:remake", "make an asset again from its recipe", "按配方重做素材"),
    "recall": ("mofang.cli.recall:recall", "say how a file was made, as a command", "读出文件的制作命令"),
    "open": ("mofang.cli.library:open_", "open an asset in your usual program", "用常用程序打开素材"),
    "export": (
        "mofang.cli.library:export",
        "publish an asset to a file, labelled and signed",
        "导出素材（带标识与签名）",
    ),
    "doctor": ("mofang.cli.library:doctor", "check every asset's hash and sweep leftovers", "校验素材并清理残留"),
}
"""Command → (where it lives, what it does in English, in Chinese). Help reads this table, so it imports nothing."""


@click.group(
    cls=Lazy,
    commands_at=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=say(
        "Mofang: a studio on your own computer that makes text, pictures, sound and video, and proves how.",
        "墨坊：在你自己电脑上的创作工作室，能写、能画、能说、能成片，并留下来源凭证。",
    ),
)
@click.version_option(__version__, prog_name="mofang")
@click.option(
    "--studio",
    "folder",
    type=click.Path(path_type=Path),
    envvar="MOFANG_STUDIO",
    default=Path("~/Mofang"),
    show_default=True,
    help=say("the studio's folder", "工作室文件夹"),
)
@click.option("--offline", is_flag=True, envvar="MOFANG_OFFLINE", help=say("fetch nothing", "不联网下载"))
@click.pass_context
def mofang(ctx: click.Context, folder: Path, offline: bool) -> None:
    """The root command: remembers which studio is meant."""
    import os

    if offline:
        os.environ["MOFANG_OFFLINE"] = "1"
    ctx.obj = folder.expanduser()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 something checked is broken, 2 a user's error, 130 stopped by Ctrl-C."""
    if not sys.warnoptions:
        # What libraries remark on a strange file is said to programmers, between our own lines.
        warnings.simplefilter("ignore")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file's name may be in bytes that are no text, and a terminal without Chinese: work that is done is still told.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = mofang.main(arguments, prog_name="mofang", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except UserError as error:
        _complain(str(error))
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        _complain(
            say(
                "stopped; what is done is kept, run the same command to go on",
                "已停止；做完的部分都在，重新运行即可继续",
            )
        )
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # The reader went away (`mofang list | head`): nothing to tell anyone.
        sys.exit(0)
    except OSError as error:
        # A name too long, a folder that may not be entered, a disk that is gone: whatever met it first, it is said as one.
        what = " ".join(str(error.filename or "a file")[:200].split())
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            line = f"there is no room left to write {what}; free some space and run it again"
        else:
            line = f"cannot use {what}: {error.strerror or error}; check its name, its permissions and the disk"
        _complain(str(UserError(line)))
        sys.exit(2)


def _complain(line: str) -> None:
    # A terminal that cannot print Chinese must still get the line.
    encoding = sys.stderr.encoding or "utf-8"
    click.echo("mofang: " + line.encode(encoding, "backslashreplace").decode(encoding), err=True)
