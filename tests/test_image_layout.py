"""Pages set in type: every template on every shape, readable, without boxes, made again byte for byte."""

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from mofang import models, trust
from mofang.cli import mofang
from mofang.image.layout import compose, format_of, formats, template_of, templates
from mofang.image.layout import vertical as down
from mofang.image.layout.colours import READABLE, clusters, contrast, oklab, roles_from, settled, toward
from mofang.image.layout.legible import measured, veil_for, veiled
from mofang.image.layout.qr import qr
from mofang.image.layout.write import save
from mofang.studio import UserError

FONTS = ("font-noto-sans-sc", "font-noto-serif-sc", "font-lxgw-wenkai", "font-ma-shan-zheng")
pytestmark = pytest.mark.skipif(not all(models.installed(name) for name in FONTS), reason="the fonts are not here")

CHINESE = {"title": "秋天的第一杯茶", "subtitle": "在 Chengdu 的小巷里慢下来", "text": "水要滚，人要慢。\n坐下来，听雨。",
           "author": "墨坊", "note": "10 月 18 日"}  # fmt: skip
ENGLISH = {"title": "The Keeper’s Last Winter", "subtitle": "A story", "text": "Snow fell for nine days.", "author": "M. Feng"}


def photo(rows=360, columns=480, seed=0):
    """Something like a photograph: soft colours, light and dark places, grain."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (6, 8, 3)).astype(np.float32)
    smooth = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth + rng.normal(0, 6, (rows, columns, 3)), 0, 255).astype(np.uint8)


def run(tmp_path, *arguments):
    return CliRunner().invoke(mofang, ["--studio", str(tmp_path / "studio"), *map(str, arguments)])


@pytest.mark.parametrize("name", sorted(templates()))
@pytest.mark.parametrize("where", ["xiaohongshu", "square", "wechat", "douyin"])
def test_every_template_is_readable_on_every_shape(name, where):
    for words, picture in ((CHINESE, photo()), (ENGLISH, None)):
        page = compose(template_of(name), format_of(where), words, picture, seed=1)
        width, height = format_of(where).size
        assert page.image.shape == (height, width, 3)
        assert page.contrasts["title"] >= READABLE and min(page.contrasts.values()) >= READABLE - 0.1
        assert not page.missing and not page.shortened


def test_print_formats_have_three_millimetres_of_bleed_at_300_dpi():
    for name, width in (("a3", 297), ("a4", 210), ("a5", 148), ("postcard", 148)):
        where = formats()[name]
        assert abs(where.size[0] / where.dpi * 25.4 - width) < 0.1
        assert abs(where.bleed / where.dpi * 25.4 - 3) < 0.05


def test_palette_finds_the_colours_of_a_picture_and_orders_roles():
    picture = np.zeros((60, 60, 3), np.uint8)
    picture[:] = (30, 60, 120)
    picture[40:, :20] = (230, 120, 30)
    shares = clusters(picture, 3)
    assert shares[0][0] == "#1e3c78" and abs(shares[0][1] - 8 / 9) < 0.06
    roles = roles_from(picture)
    for role in ("ink", "accent", "muted"):
        assert contrast(roles[role], roles["paper"]) >= READABLE
    lab = oklab(np.array([[int(roles["accent"][i : i + 2], 16) for i in (1, 3, 5)]], np.uint8))[0]
    assert lab[1] > 0 and lab[2] > 0  # The orange, not the blue.


def test_oklab_of_white_and_black():
    assert np.allclose(oklab(np.array([[255, 255, 255], [0, 0, 0]], np.uint8)), [[1, 0, 0], [0, 0, 0]], atol=2e-4)


def test_toward_reaches_the_contrast_asked_for():
    for colour in ("#ffe08a", "#888888", "#3366cc"):
        for ground in ("#ffffff", "#101010"):
            assert contrast(toward(colour, ground), ground) >= READABLE
    assert settled({"paper": "#ffffff", "ink": "#000000", "accent": "#ffff00", "deep": "#222222"})["accent"] != "#ffff00"


def test_a_veil_is_as_strong_as_needed_and_no_stronger():
    ground = np.full((80, 200, 3), 150, np.uint8)
    mask = np.zeros((40, 100), np.uint8)
    mask[10:30, 10:90:8] = 255
    shape = np.ones((80, 200), np.float32)
    share = veil_for(ground, shape, [(mask, "#ffffff", 20, 20)], "#000000")
    assert 0 < share < 1
    after = veiled(ground.astype(np.float32), shape, "#000000", share).astype(np.uint8)
    assert READABLE <= measured(after[20:60, 20:120], mask, "#ffffff") < READABLE + 0.5
    assert veil_for(np.zeros_like(ground), shape, [(mask, "#ffffff", 20, 20)], "#000000") == 0


@pytest.mark.parametrize("text", ["https://example.com", "你好，墨坊", "https://example.com/works?id=" + "a1" * 60, "0" * 40])
def test_qr_codes_are_read_back(text):
    code = qr(text, 400)
    picture = np.where(code[..., None] > 0, 0, 255).astype(np.uint8).repeat(3, 2)
    read = cv2.QRCodeDetector().detectAndDecode(picture)[0]
    assert read == text


def test_a_qr_code_on_a_finished_page_is_read(tmp_path):
    page = compose(template_of("poster"), format_of("xiaohongshu"), CHINESE, photo(), link="https://example.com/mofang")
    save(page.image, page.format, tmp_path / "a.jpg")
    assert cv2.QRCodeDetector().detectAndDecode(cv2.imread(str(tmp_path / "a.jpg")))[0] == "https://example.com/mofang"
    with pytest.raises(UserError, match="shorter"):
        qr("x" * 5000, 200)


def face():
    from mofang.image.layout.faces import face

    return face("kai")


def test_columns_stand_from_right_to_left_and_keep_punctuation_with_its_word():
    block = down.columns("床前明月光，\n疑是地上霜。", face(), 40, 900)
    assert ["".join(column) for column in block.columns] == ["床前明月光，", "疑是地上霜。"]
    image = down.draw(block)
    assert image.shape[0] > image.shape[1]
    half = image.shape[1] // 2
    # The first line is the right one: its five characters and a comma take ink there alone.
    alone = down.draw(down.columns("床前明月光，", face(), 40, 900))
    assert abs(int(image[:, half:].astype(int).sum()) - int(alone.astype(int).sum())) < 0.05 * alone.sum()


def test_no_column_begins_with_closing_punctuation():
    text = "水要滚，人要慢。坐下来，听雨；想起从前（很久以前）的事。" * 3
    for length in range(200, 700, 50):
        for column in down.columns(text, face(), 40, length).columns:
            assert column[0][0] not in "，。；）" and column[-1][-1] not in "（"


def test_stops_stand_in_the_upper_right_of_their_cell():
    image = down.draw(down.columns("。", face(), 80, 400))
    rows, columns = np.nonzero(image > 128)
    assert rows.mean() < image.shape[0] / 2 and columns.mean() > image.shape[1] / 2


def test_numbers_stand_upright_words_lie_down_quotes_turn():
    block = down.columns("第12回 “Mofang’s” 2026", face(), 40, 900)
    cells = [cell for column in block.columns for cell in column]
    assert "12" in cells and "Mofang’s" in cells and "2026" in cells and "『" in cells and "』" in cells


def test_what_no_font_has_is_left_out_and_said(tmp_path):
    result = run(tmp_path, "image", "layout", "quote", "--title", "春\U00012000天𓀀", "--out", tmp_path / "a.png")
    assert result.exit_code == 0 and "\U00012000" in result.output
    page = compose(template_of("quote"), format_of("square"), {"title": "春天\U00012000"})
    plain = compose(template_of("quote"), format_of("square"), {"title": "春天"})
    assert page.missing == "\U00012000" and np.array_equal(page.image, plain.image)


def test_too_many_words_are_cut_short_and_said():
    page = compose(template_of("magazine"), format_of("wechat"), {"title": "长文", "text": "人要慢。" * 600})
    assert page.shortened == ("text",)
    with pytest.raises(UserError, match="4,000"):
        compose(template_of("magazine"), format_of("wechat"), {"text": "慢" * 5000})


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".pdf"])
def test_own_words_on_paper_bear_no_ai_label(tmp_path, suffix):
    out = tmp_path / f"page{suffix}"
    result = run(tmp_path, "image", "layout", "poem", "--title", "静夜思", "--text", "床前明月光，\\n疑是地上霜。", "--author", "李白",
                 "--out", out)  # fmt: skip
    assert result.exit_code == 0, result.output
    report = trust.verify(out, tmp_path / "studio")
    assert report.ok and report.record is None and report.credentials.nature.endswith("digitalCreation")


def test_pdf_has_its_trim_and_bleed(tmp_path):
    import pikepdf

    out = tmp_path / "card.pdf"
    result = run(tmp_path, "image", "layout", "quote", "--title", "春水煎茶", "--format", "postcard", "--out", out)
    assert result.exit_code == 0, result.output
    with pikepdf.open(out) as document:
        page = document.pages[0]
        trim = [float(side) for side in page.trimbox]
        assert abs((trim[2] - trim[0]) / 72 * 25.4 - 148) < 0.1
        assert abs(trim[0] / 72 * 25.4 - 3) < 0.1 and float(page.mediabox[2]) > trim[2]


def test_a_picture_of_ones_own_stays_ones_own_and_remake_repeats_the_bytes(tmp_path):
    Image.fromarray(photo()).save(tmp_path / "mine.jpg")
    out = tmp_path / "poster.png"
    result = run(tmp_path, "image", "layout", "poster", "--title", "旧书店", "--picture", tmp_path / "mine.jpg", "--out", out)
    assert result.exit_code == 0, result.output
    assert trust.verify(out, tmp_path / "studio").record is None
    from mofang.apps.remake import remake
    from mofang.studio import Studio

    studio = Studio(tmp_path / "studio")
    asset = next(each for each in studio.assets() if studio.making(each).recipe.engine == "layout")
    (tmp_path / "mine.jpg").unlink()
    assert remake(studio, asset)[0] == asset.id


def test_a_page_with_a_labelled_picture_is_labelled_too(tmp_path):
    from mofang.studio import Studio

    Image.fromarray(photo()).save(tmp_path / "raw.png")
    made = trust.publish(tmp_path / "raw.png", tmp_path / "ai.png", trust.Claim("A fox"), Studio(tmp_path / "studio").folder)
    out = tmp_path / "poster.png"
    result = run(tmp_path, "image", "layout", "poster", "--title", "狐狸", "--picture", made.path, "--out", out)
    assert result.exit_code == 0, result.output
    report = trust.verify(out, tmp_path / "studio")
    assert report.ok and report.record is not None and report.visible


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["nosuch", "--title", "a", "--out", "a.png"], "no template"),
        (["poster", "--title", "a", "--format", "moon", "--out", "a.png"], "no format"),
        (["poster", "--out", "a.png"], "no words"),
        (["poster", "--title", "a", "--out", "a.bmp"], "cannot write"),
        (["poster", "--title", "a", "--picture", "gone.png", "--out", "a.png"], "gone.png"),
        (["poster", "--title", "a", "--picture", "/", "--out", "a.png"], "is a folder"),
        (["cover", "--title", "a", "--qr", "https://a.b", "--out", "a.png"], "no place for a QR"),
        (["poster", "--title", "\x00\x07", "--out", "a.png"], "no words"),
        (["poster"], "name a template"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOFANG_LANG", "en")
    result = run(tmp_path, "image", "layout", *arguments)
    assert isinstance(result.exception, (UserError, SystemExit)) and said in (str(result.exception) + result.output)
    assert not (tmp_path / "a.png").exists()


def test_the_list_names_every_template_and_format(tmp_path):
    out = run(tmp_path, "image", "layout", "--list").output
    assert all(name in out for name in (*templates(), *formats())) and len(templates()) >= 7


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (3000, 2)])
def test_pictures_of_any_shape(size):
    picture = np.full((size[1], size[0], 3), 90, np.uint8)
    assert compose(template_of("event"), format_of("square"), ENGLISH, picture).contrasts["title"] >= READABLE
