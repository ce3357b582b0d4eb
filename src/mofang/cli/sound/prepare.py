"""`mofang sound prepare`: recordings, or a ready voice's speech, to a corpus."""

from pathlib import Path

import click

from mofang.studio.errors import UserError
from mofang.studio.words import say


@click.command(help=say(
    "Make a corpus of RECORDINGS (files or folders; NAME.txt beside NAME.wav says what is spoken), or of what ready voices "
    "make of --texts.",
    "把录音（文件或文件夹；同名 .txt 为文字稿）或现成音色朗读的 --texts 整理成语料。"))  # fmt: skip
@click.argument("recordings", nargs=-1, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help=say("the corpus's folder", "语料文件夹"))
@click.option("--voice", "voices", multiple=True, help=say("a ready voice to learn from (several)", "跟着学的现成音色（可多个）"))
@click.option("--texts", type=click.Path(path_type=Path), help=say("a text file, a sentence a line", "文本文件，一行一句"))
@click.option("--most", type=click.IntRange(1), help=say("sentences at most", "最多句数"))
@click.option("--threads", type=click.IntRange(1, 1024), default=2, show_default=True)
@click.pass_obj
def prepare(studio: Path, recordings: tuple[Path, ...], out: Path, voices: tuple[str, ...], texts: Path | None, most: int | None,
            threads: int) -> None:  # fmt: skip
    """Recordings need a consent on record; a ready voice has its licence."""
    from mofang.cli.terminal import Line
    from mofang.sound.own.prepare import from_recordings, from_voice
    from mofang.studio.progress import Stages

    if bool(recordings) == bool(voices):
        raise UserError("give recordings, or --voice NAME with --texts FILE, one of the two")
    line = Line()
    progress = Stages({"voices": 1}, line).of("voices")
    try:
        if recordings:
            corpus = from_recordings(recordings, out, studio, progress)
        else:
            corpus = from_voice(_lines(texts, most), voices, out, progress, threads)
    finally:
        line.close()
    manifest = corpus.manifest
    for passed in manifest["passed_over"][:10]:
        click.echo(say(f"passed over: {passed['why']}", f"跳过：{passed['why']}"), err=True)
    minutes, names = manifest["seconds"] / 60, ", ".join(corpus.speakers)
    clips, held = manifest["clips"], manifest["held_out"]
    click.echo(say(f"{corpus.folder}: {clips} clips, {minutes:.1f} minutes ({names}), {held} held out",
                   f"{corpus.folder}：{clips} 段，{minutes:.1f} 分钟（{names}），留出 {held} 段"))  # fmt: skip


def _lines(texts: Path | None, most: int | None) -> list[str]:
    if texts is None or not texts.is_file():
        raise UserError("give --texts FILE: a text file with a sentence on each line")
    if texts.stat().st_size > 64 << 20:
        raise UserError(f"{texts} is larger than 64 MB, months of speech; give fewer sentences")
    try:
        lines = [line.strip() for line in texts.read_text("utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise UserError(f"{texts} is no UTF-8 text; save it as UTF-8") from error
    return lines[:most]
