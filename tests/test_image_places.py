"""Words on a picture keep off its subject: places of templates, crops, and what is counted."""

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from mofang import models
from mofang.cli import mofang
from mofang.image.layout import compose, format_of, template_of, templates
from mofang.image.layout.colours import READABLE
from mofang.image.layout.places import _windows
from mofang.studio import Studio, UserError

FONTS = ("font-noto-sans-sc", "font-noto-serif-sc", "font-lxgw-wenkai", "font-ma-shan-zheng")
pytestmark = pytest.mark.skipif(not all(models.installed(name) for name in FONTS), reason="the fonts are not here")
WORDS = {"title": "秋天的第一杯茶", "subtitle": "在小巷里慢下来", "text": "水要滚，人要慢。", "author": "墨坊", "note": "10 月 18 日"}
ENGLISH = {"title": "The Keeper’s Last Winter", "subtitle": "A story", "author": "M. Feng"}


def thing(x, y, rows=800, columns=600, size=0.18, seed=0):
    """A red thing with a white spot at shares (x, y) of a calm blue ground."""
    image = np.empty((rows, columns, 3), np.float32)
    image[:] = np.array([70, 100, 150]) + 15 * np.linspace(-1, 1, rows)[:, None, None]
    side = min(rows, columns)
    centre = (round(x * columns), round(y * rows))
    cv2.circle(image, centre, round(size * side), (205, 60, 40), -1, cv2.LINE_AA)
    cv2.circle(image, centre, round(size * side * 0.4), (250, 240, 230), -1, cv2.LINE_AA)
    return np.clip(image + np.random.default_rng(seed).normal(0, 2, image.shape), 0, 255).astype(np.uint8)


def red(page):
    """Where the thing is on a finished page, as shares (x, y) of its middle, and the pixels of it that are seen."""
    r, g, b = np.moveaxis(page.image.astype(int), 2, 0)
    seen = (r > 1.5 * g) & (r > 1.5 * b)
    y, x = np.nonzero(seen)
    return x.mean() / page.image.shape[1], y.mean() / page.image.shape[0], int(seen.sum())


@pytest.mark.parametrize("name, high, low", [("poster", "foot", "head"), ("cover", "foot", "head"), ("product", "foot", "head")])
@pytest.mark.parametrize("words", [WORDS, ENGLISH], ids=["zh", "en"])
def test_words_stand_at_the_foot_of_a_picture_with_its_subject_at_the_head_and_the_other_way_round(name, high, low, words):
    for y, place, other in ((0.22, high, low), (0.78, low, high)):
        page = compose(template_of(name), format_of("xiaohongshu"), words, thing(0.5, y))
        assert page.place == place and min(page.contrasts.values()) >= READABLE - 0.1
        worse = compose(template_of(name), format_of("xiaohongshu"), words, thing(0.5, y), place=other)
        assert red(page)[2] > red(worse)[2]  # More of the thing is seen.


@pytest.mark.parametrize("where", ["xiaohongshu", "square", "wechat"])
def test_a_column_of_chinese_goes_to_the_free_side(where):
    wide, high = format_of(where).size
    for x, place in ((0.22, "right"), (0.78, "left")):
        page = compose(template_of("book"), format_of(where), {**WORDS, "text": ""}, thing(x, 0.4, high // 2, wide // 2))
        assert page.place == place
        label = page.image[:, : wide // 2] if place == "left" else page.image[:, wide // 2 :]
        assert (label.min(2) > 215).mean() > 0.1  # The paper of the label is on that side.


def test_on_wide_pages_words_change_sides():
    for x, places in ((0.2, ("right",)), (0.8, ("foot", "head"))):
        for name in ("poster", "cover", "product"):
            page = compose(template_of(name), format_of("wechat"), ENGLISH, thing(x, 0.5, 600, 1400))
            assert page.place in places, name


def test_the_crop_makes_room_too():
    # On a square page of a wide picture the thing in the middle can be moved aside: the label stands left.
    picture = thing(0.5, 0.5, 600, 1500, size=0.25)
    page = compose(template_of("book"), format_of("square"), {"title": "茶"}, picture, place="left")
    usual, windows = _windows(picture, format_of("square").size)
    assert usual in windows and len(windows) > 5 and all(w + x <= 1500 and h + y <= 600 for x, y, w, h in windows)
    assert red(page)[0] > 0.55


def test_a_calm_picture_without_a_subject_keeps_the_templates_own_place():
    picture = np.full((800, 600, 3), 120, np.uint8)
    for name, place in (("poster", "foot"), ("cover", "foot"), ("product", "head"), ("book", "left"), ("quote", "only")):
        assert compose(template_of(name), format_of("xiaohongshu"), WORDS, picture).place == place


def test_every_place_of_every_template_can_be_read_on_every_shape():
    picture = thing(0.4, 0.6, 500, 500)
    for name, template in templates().items():
        for where in ("xiaohongshu", "square", "wechat"):
            names = list(template.places(format_of(where).shape))
            assert names[0] == template.place
            for place in names[1:]:
                page = compose(template, format_of(where), WORDS, picture, place=place)
                assert page.place == place and not page.shortened, (name, where, place)
                assert min(page.contrasts.values()) >= READABLE - 0.1, (name, where, place)


def test_codes_and_words_do_not_lie_on_one_another():
    from mofang.image.layout.places import Arrangement

    for template in (each for each in templates().values() if each.place != "only"):
        for where in (format_of(name) for name in ("xiaohongshu", "square", "youtube")):
            for name, parts in template.places(where.shape).items():
                way = Arrangement.of(name, [part for part in parts if part.when != "plain"], WORDS, where, True)
                if not way.code or name == template.place:
                    continue
                x, y, w, h = way.code
                for placed in way.placed.values():
                    for each in placed:
                        high, wide = each.mask.shape
                        apart = each.x >= x + w or each.x + wide <= x or each.y >= y + h or each.y + high <= y
                        assert apart, (template.name, where.name, name, each.item.field)


def test_the_command_takes_a_place_keeps_it_and_refuses_others(tmp_path):
    from mofang.apps.recall import recall
    from mofang.apps.remake import remake

    Image.fromarray(thing(0.5, 0.2)).save(tmp_path / "a.png")

    def run(*arguments):
        return CliRunner().invoke(mofang, ["--studio", str(tmp_path / "studio"), "image", "layout", *map(str, arguments)])

    done = run("poster", "--title", "茶", "--picture", tmp_path / "a.png", "--place", "head", "--out", tmp_path / "o.png")
    assert done.exit_code == 0, (done.output, done.exception)
    studio = Studio(tmp_path / "studio")
    assert "--place head" in recall(studio, tmp_path / "o.png").command
    asset = next(each for each in studio.assets() if studio.making(each).recipe.engine == "layout")
    assert studio.making(asset).made.facts["place"] == "head" and remake(studio, asset)[0] == asset.id
    for place, template in (("middle", "poster"), ("head", "quote"), ("right", "poster")):
        failed = run(template, "--title", "茶", "--picture", tmp_path / "a.png", "--place", place, "--out", tmp_path / "p.png")
        assert isinstance(failed.exception, UserError) and f"no place '{place}'" in str(failed.exception)
    assert "--place foot, head, right" in run("--list").output
