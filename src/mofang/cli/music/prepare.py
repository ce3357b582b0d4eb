"""`mofang music prepare`: MIDI files into what a model learns from."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from mofang.studio.errors import UserError
from mofang.studio.words import say, shown


@click.command(help=say("Make data to train on of MIDI files and folders of them.", "把 MIDI 文件（夹）整理成训练数据。"))
@click.argument("works", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help=say("a folder for the data", "数据文件夹"))
@click.option("--style", default="own", show_default=True, help=say("what family the pieces belong to", "乐曲风格"))
@click.option("--licence", default="LicenseRef-own", show_default=True, help=say("on what terms you have them", "乐曲的许可"))
@click.pass_obj
def prepare(studio: Path, /, works: tuple[Path, ...], out: Path, style: str, licence: str) -> None:
    """Files that cannot be read are named and left out."""
    from mofang.sound.music import data, midi, tokens
    from mofang.studio.library import file_hash
    from mofang.studio.works import must_cover_training, to_learn_from

    if style not in tokens.STYLES:
        raise UserError(f"there is no style '{style[:30]}'; take one of {', '.join(tokens.STYLES)}")
    paths = [path for work in works for path in (_files(work) if work.is_dir() else [work])]
    known = to_learn_from(studio)

    def pieces() -> Iterator[data.Piece]:
        for path in paths:
            try:
                score = replace(midi.read(path), style=style)
            except UserError as error:
                click.echo(str(error), err=True)
                continue
            mark = file_hash(path)
            work = known.get(mark) or known.get(str(path.resolve()))
            if work is not None:
                must_cover_training(work, path.name, "score")
            yield data.Piece(score, shown(path.name), work.licence if work else licence, sha256=mark)

    made = data.write(out, pieces(), {})
    counts = ", ".join(f"{part} {sum(entry.part == part for entry in made.entries)}" for part in data.PARTS)
    click.echo(say(f"{out}: {len(made.tokens):,} events; pieces: {counts}; left out: {made.manifest['left_out']}",
                   f"{out}：{len(made.tokens):,} 个事件；乐曲：{counts}；未收：{made.manifest['left_out']}"))  # fmt: skip


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".mid", ".midi") and path.is_file()
                  and not path.is_symlink() and not path.name.startswith("."))  # fmt: skip
