"""Product pictures: cut out, standing, shadowed, in several shapes at once."""

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from mofang import models, trust
from mofang.cli import mofang
from mofang.image.layout import formats
from mofang.image.layout.colours import luminance_of
from mofang.image.product import Scene, ground_colour, shadow, stage
from mofang.studio import Studio, UserError

needs_fonts = pytest.mark.skipif(not models.installed("font-noto-sans-sc"), reason="the fonts are not here")


def thing(side=200):
    """A red bottle on a light table: (side, side, 3) bytes."""
    image = np.full((side, side, 3), (228, 226, 219), np.uint8)
    cv2.rectangle(image, (80, 60), (120, 170), (180, 30, 40), -1)
    cv2.rectangle(image, (92, 35), (108, 60), (60, 20, 25), -1)
    return image


def cut(side=120):
    alpha = np.zeros((side, side), np.float32)
    alpha[20:100, 45:75] = 1
    return np.full((side, side, 3), (0.7, 0.1, 0.15), np.float32), alpha


def run(tmp_path, *arguments):
    return CliRunner().invoke(mofang, ["--studio", str(tmp_path / "studio"), *map(str, arguments)])


@pytest.mark.parametrize("size", [(300, 400), (300, 300), (400, 200)])
def test_a_thing_stands_whole_in_the_frame_in_its_own_colours(size):
    colours, alpha = cut()
    picture = stage(colours, alpha, size, Scene("plain", "#e0e4e8"))
    red = np.abs(picture - np.array([0.7, 0.1, 0.15])).max(2) < 0.02
    rows, columns = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
    assert picture.shape == (size[1], size[0], 3)
    assert abs((np.ptp(rows) + 1) / (np.ptp(columns) + 1) - 80 / 30) < 0.15
    assert rows[0] > 0.1 * size[1] and rows[-1] < 0.9 * size[1]
    assert abs(columns.mean() / size[0] - 0.5) < 0.03


def test_a_shadow_lies_under_the_foot_and_nowhere_above():
    placed = np.zeros((300, 300), np.float32)
    placed[100:220, 130:170] = 1
    dark = shadow(placed, 220)
    assert dark[221, 150] > 0.2 and dark[:150].max() < 0.02 and dark[260:].max() < 0.06
    assert dark[200, 60:128].max() > dark[200, 172:240].max()  # It falls to one side.
    bare = stage(*cut(), (200, 200), Scene("plain", "#ffffff", shadow=False))
    assert np.isclose(bare, 1).all(2).mean() > 0.5


def test_the_ground_is_light_for_dark_things_and_darker_for_white_ones():
    colours, alpha = cut()
    assert luminance_of(ground_colour(colours, alpha)) > 0.6
    assert luminance_of(ground_colour(np.ones_like(colours), alpha)) < 0.45


def test_nothing_to_show_is_said():
    with pytest.raises(UserError, match="hardly anything"):
        stage(np.zeros((50, 50, 3), np.float32), np.zeros((50, 50), np.float32), (100, 100), Scene())


def test_several_formats_at_once_stay_ones_own_and_are_made_again(tmp_path):
    from mofang.apps.remake import remake

    Image.fromarray(thing()).save(tmp_path / "bottle.png")
    result = run(tmp_path, "image", "product", tmp_path / "bottle.png", "--out", tmp_path / "out", "--format", "square",
                 "--format", "wechat", "--as", "png")  # fmt: skip
    assert result.exit_code == 0, (result.output, result.exception)
    for name in ("square", "wechat"):
        path = tmp_path / "out" / f"bottle-{name}.png"
        assert Image.open(path).size == formats()[name].size
        report = trust.verify(path, tmp_path / "studio")
        assert report.ok and report.record is None
    studio = Studio(tmp_path / "studio")
    asset = next(each for each in studio.assets() if studio.making(each).recipe.engine == "product")
    assert remake(studio, asset)[0] == asset.id


@needs_fonts
def test_words_and_a_picture_behind(tmp_path):
    Image.fromarray(thing()).save(tmp_path / "bottle.png")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 120, 3), np.uint8)).save(tmp_path / "wall.png")
    for backdrop in (tmp_path / "wall.png", "#20304a"):
        result = run(tmp_path, "image", "product", tmp_path / "bottle.png", "--out", tmp_path, "--format", "xiaohongshu",
                     "--backdrop", backdrop, "--title", "石榴汁", "--price", "￥39.9", "--box", "70,25,60,155")  # fmt: skip
        assert result.exit_code == 0, (result.output, result.exception)
    studio = Studio(tmp_path / "studio")
    facts = [studio.making(each).made.facts for each in studio.assets() if studio.making(each).recipe.engine == "product"]
    assert len(facts) == 2 and all(each["contrasts"]["title"] >= 4.5 for each in facts)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["gone.png", "--out", "out"], "no picture"),
        (["bottle.png", "--out", "bottle.png"], "is a file"),
        (["bottle.png", "--out", "out", "--format", "moon"], "no format"),
        (["bottle.png", "--out", "out", "--backdrop", "#12"], "no colour"),
        (["bottle.png", "--out", "out", "--backdrop", "gone.png"], "no picture"),
        (["flat.png", "--out", "out"], "stands out"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOFANG_LANG", "en")
    Image.fromarray(thing()).save(tmp_path / "bottle.png")
    Image.fromarray(np.full((80, 80, 3), 128, np.uint8)).save(tmp_path / "flat.png")
    result = run(tmp_path, "image", "product", *arguments)
    assert isinstance(result.exception, UserError) and said in str(result.exception) and "\n" not in str(result.exception)
    assert not (tmp_path / "out").exists()
