"""The text-to-image model that ships, through the command."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from mofang.cli import mofang
from mofang.image.engines import open_engine
from mofang.models import own


def command(studio, *words):
    return CliRunner().invoke(mofang, ["--studio", str(studio), *map(str, words)])


def test_it_is_small_and_says_whose_work_it_learned_from():
    folder = own.find("sticker")
    assert sum(path.stat().st_size for path in folder.iterdir()) < 80e6
    card = own.read_card(folder)
    assert card["licence"] == "CC-BY-SA-4.0" and any("OpenMoji" in source for source in card["sources"])
    assert own.find_again(own.key(folder)) == folder, "kept as graphs alone, it has a hash all the same"
    assert own.key(folder).endswith(card["sha256"][:16])


def test_it_draws_on_nothing_and_the_same_again(tmp_path):
    pictures = []
    for name in ("one.png", "two.png"):
        done = command(tmp_path / name[:3], "image", "make", "一只狐狸", tmp_path / name, "--engine", "sticker", "--size", "256x256",
                       "--steps", "4", "--seed", "3")  # fmt: skip
        assert done.exit_code == 0, done.output
        with Image.open(tmp_path / name) as opened:
            assert opened.mode == "RGBA" and opened.size == (256, 256)
            pictures.append(np.asarray(opened))
    assert np.array_equal(*pictures)
    corners = pictures[0][[0, 0, -1, -1], [0, -1, 0, -1], 3]
    assert (corners == 0).all() and (pictures[0][64:192, 64:192, 3] > 200).mean() > 0.5
    orange = pictures[0][(pictures[0][..., 3] > 200)].astype(int)
    assert (orange[:, 0] > orange[:, 2] + 60).mean() > 0.3, "a fox is orange"
    assert command(tmp_path / "one", "verify", tmp_path / "one.png").exit_code == 0


@pytest.mark.parametrize("words, style", [("描边风格的狐狸", "outline"), ("a 3D fox", "3d"), ("狐狸", "flat")])
def test_styles_are_heard_in_the_words(words, style):
    engine = open_engine("sticker")
    from mofang.image.engines.base import Request

    rest, heard = engine._styled(Request(words))
    assert heard == style and ("狐狸" in rest or "fox" in rest)


def test_unknown_styles_and_long_prompts_are_told(tmp_path):
    done = command(tmp_path, "image", "make", "狐狸", tmp_path / "x.png", "--engine", "sticker", "--style", "cubist")
    assert done.exit_code != 0 and "outline" in str(done.exception) and not (tmp_path / "x.png").exists()
    long, options = "狐狸和" * 1600, ["--engine", "sticker", "--steps", "1", "--size", "256x256"]
    done = command(tmp_path, "image", "make", long, tmp_path / "y.png", *options)
    assert done.exit_code == 0 and "not read" in done.output
