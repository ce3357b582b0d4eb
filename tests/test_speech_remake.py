"""Performances and audiobooks made again as a whole, and told from the file alone."""

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from mofang.apps.remake import remake
from mofang.cli import mofang
from mofang.studio import Studio, UserError
from test_audiobook import epub

PLAY = "Fox: (happy) Good morning, Owl!\n\nOwl: (whispering) It is night.\n\nThey laughed.\n\nFox: (interrupting) Good night then!\n"


def run(folder: Path, *arguments: str | Path) -> str:
    done = CliRunner().invoke(mofang, ["--studio", str(folder / "studio"), *map(str, arguments)])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def newest(studio: Studio, engine: str):
    return next(asset for asset in studio.assets(limit=99) if studio.making(asset).recipe.engine == engine)


def performed(folder: Path) -> Studio:
    (folder / "play.txt").write_text(PLAY, "utf-8")
    run(folder, "speech", "perform", folder / "play.txt", folder / "play.wav", "--cast", "Fox=hibari", "--cast", "Owl=hibari",
        "--cast", "narrator=hibari", "--room", "hall", "--gap", "1.5")  # fmt: skip
    return Studio(folder / "studio")


def read(folder: Path, *more: str | Path) -> Studio:
    run(folder, "speech", "book", epub(folder / "a.epub"), folder / "a.m4b", "--voice", "hibari", *more)
    return Studio(folder / "studio")


@pytest.mark.parametrize(("make", "engine"), [(performed, "performance"), (read, "audiobook")])
def test_the_whole_comes_again_with_all_that_went_into_it(tmp_path, make, engine) -> None:
    studio = make(tmp_path)
    asset = newest(studio, engine)
    assert remake(studio, asset) == (asset.id, False)
    spoken = [studio.asset(each) for each in studio.making(asset).recipe.parents if studio.asset(each).kind == "audio"]
    assert len(spoken) > 1
    asset.path.unlink()
    spoken[0].path.unlink()
    spoken[-1].path.chmod(0o644)
    spoken[-1].path.write_bytes(b"damaged")
    assert "whole again" in run(tmp_path, "remake", asset.id)
    assert remake(studio, asset) == (asset.id, False) and all(remake(studio, each) == (each.id, False) for each in spoken)


def test_a_cover_in_type_comes_again_and_a_picture_is_asked_for(tmp_path) -> None:
    (tmp_path / "a.md").write_text("# One\n\nA fox sat under a tree.\n", "utf-8")
    run(tmp_path, "speech", "book", tmp_path / "a.md", tmp_path / "a.m4b", "--voice", "hibari")
    studio = Studio(tmp_path / "studio")
    book, cover = newest(studio, "audiobook"), newest(studio, "cover")
    cover.path.unlink()
    assert remake(studio, book) == (book.id, False) and cover.path.is_file()
    read(tmp_path)
    book, cover = newest(studio, "audiobook"), newest(studio, "cover")
    cover.path.unlink()
    with pytest.raises(UserError, match="--cover"):
        remake(studio, book)


def test_a_file_tells_the_command_that_made_it(tmp_path, monkeypatch) -> None:
    performed(tmp_path)
    told = shlex.split(run(tmp_path, "recall", tmp_path / "play.wav"))
    assert told[:3] == ["mofang", "speech", "perform"] and told[-2:] == [str(tmp_path / "play.txt"), "play.wav"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "play.wav").rename(tmp_path / "first.wav")
    before = newest(Studio(tmp_path / "studio"), "performance").id
    run(tmp_path, *told[1:])
    assert newest(Studio(tmp_path / "studio"), "performance").id == before and (tmp_path / "play.wav").is_file()
    read(tmp_path)
    found = json.loads(run(tmp_path, "recall", tmp_path / "a.m4b", "--json"))
    assert found["command"] == ["speech", "book", "--speed", "1.0", "--voice", "hibari", str(tmp_path / "a.epub"), "a.m4b"]
    assert found["signed"] and found["recipe"]["engine"] == "audiobook" and "chapters" in found["recipe"]["params"]
