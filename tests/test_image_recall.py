"""What a made picture carries is the command that makes it again."""

import json
import shlex

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from mofang import models
from mofang.cli import mofang
from mofang.studio import UserError

needs_fonts = pytest.mark.skipif(not models.installed("font-noto-serif-sc"), reason="the fonts are not here")


def run(tmp_path, *arguments):
    return CliRunner().invoke(mofang, ["--studio", str(tmp_path / "studio"), *map(str, arguments)])


def recalled(tmp_path, path):
    result = run(tmp_path, "image", "recall", path)
    assert result.exit_code == 0, (result.output, result.exception)
    words = shlex.split(result.stdout)
    assert words[0] == "mofang"
    return words[1:]


def again(tmp_path, path):
    """Run the command a file carries, in another folder's place; the pixels of both."""
    words = recalled(tmp_path, path)
    other = path.with_name("again" + path.suffix)
    result = run(tmp_path, *[str(other) if word == path.name else word for word in words])
    assert result.exit_code == 0, (words, result.output, result.exception)
    return np.asarray(Image.open(path)), np.asarray(Image.open(other))


@pytest.fixture
def photo(tmp_path):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(60, 190, (90, 120, 3), np.uint8)).resize((240, 180)).save(tmp_path / "my photo.png")
    return tmp_path / "my photo.png"


@pytest.mark.parametrize(
    "verb, options",
    [
        ("inpaint", ["--box", "40,40,30,30", "--seed", "7", "--grow", "2"]),
        ("outpaint", ["--sides", "0,300,0,0"]),
        ("denoise", ["--sigma", "20", "--strength", "0.5", "--key", "#ffffff"]),
        ("deblur", ["--blur", "motion:9,-30"]),
        ("cutout", ["--mask", "mask.png"]),
        ("style", ["--like", "like.png", "--mode", "full", "--strength", "0.4", "--seed", "3"]),
        ("colourise", ["--reference", "like.png"]),
    ],
)
def test_every_setting_of_an_edit_comes_back(tmp_path, photo, verb, options, monkeypatch):
    monkeypatch.chdir(tmp_path)
    grey = np.asarray(Image.open(photo)).copy()
    if verb == "outpaint":
        photo = tmp_path / "wide.png"
        Image.fromarray(np.tile(grey, (1, 3, 1))).save(photo)
    grey[10:20, 10:20] = 255
    Image.fromarray(grey).save(tmp_path / "my photo.png")
    ramp = np.linspace(0, 255, 240)[None, :, None] / (1, 2, 3) * np.ones((180, 1, 1))
    Image.fromarray(ramp.astype(np.uint8)).save("like.png")
    mask = np.zeros((180, 240), np.uint8)
    mask[50:120, 60:160] = 255
    Image.fromarray(mask).save("mask.png")
    assert run(tmp_path, "image", "edit", verb, photo, "out.png", *options).exit_code == 0
    first, second = again(tmp_path, tmp_path / "out.png")
    assert np.array_equal(first, second)


def test_an_original_that_is_gone_is_found_in_the_studio(tmp_path, photo):
    (tmp_path / "elsewhere").mkdir()
    out = tmp_path / "elsewhere" / "o.jpg"
    assert run(tmp_path, "image", "edit", "denoise", photo, out).exit_code == 0
    photo.unlink()
    first, second = again(tmp_path, out)
    assert np.array_equal(first, second)


@needs_fonts
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".pdf"])
def test_pages_come_back_in_every_format(tmp_path, photo, suffix):
    out = tmp_path / f"page{suffix}"
    made = run(tmp_path, "image", "layout", "quote", "--title", "--山中\\n'何事'？", "--author", "张可久", "--seed", "5", "--out", out)
    assert made.exit_code == 0, made.exception
    words = recalled(tmp_path, out)
    assert words[:2] == ["image", "layout"] and "--山中\\n'何事'？" in words and words[words.index("--seed") + 1] == "5"
    told = json.loads(run(tmp_path, "image", "recall", out, "--json").stdout)
    assert told["signed"] and told["recipe"]["prompt"]["author"] == "张可久" and told["command"] == words


def test_paintings_come_back_with_all_their_words(tmp_path):
    if not models.installed("art-noto"):
        pytest.skip("the art is not here")
    words = "一只戴红围巾的狐狸，在雪地里走了很远很远的路，终于看见了一座小木屋，门前有一棵松树，井边坐着一只猫。" * 2
    assert run(tmp_path, "image", "make", words, tmp_path / "fox.png", "--size", "320x640", "--seed", "9").exit_code == 0
    first, second = again(tmp_path, tmp_path / "fox.png")
    assert words in recalled(tmp_path, tmp_path / "fox.png") and np.array_equal(first, second)


def test_a_forged_recipe_is_not_passed_off_as_signed(tmp_path, photo):
    out = tmp_path / "o.png"
    assert run(tmp_path, "image", "edit", "denoise", photo, out, "--sigma", "20").exit_code == 0
    data = out.read_bytes()
    assert data.count(b'"strength":1.0') == 1
    out.write_bytes(data.replace(b'"strength":1.0', b'"strength":2.0'))
    result = run(tmp_path, "image", "recall", out)
    assert result.exit_code != 0 or "signature" in result.stderr or "签名" in result.stderr


def test_what_carries_nothing_is_said_in_one_line(tmp_path, photo):
    (tmp_path / "junk.png").write_bytes(b"\x89PNG\r\n\x1a\n junk")
    for path in (photo, tmp_path / "junk.png", tmp_path / "gone.png", tmp_path):
        result = run(tmp_path, "image", "recall", path)
        assert isinstance(result.exception, UserError) and "\n" not in str(result.exception)
