"""Lines are broken as printers break them, and what no font has is left out, not boxed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mofang import models
from mofang.studio.errors import UserError
from mofang.studio.linebreak import NOT_FIRST, NOT_LAST, ends_clause, needs_gap, pieces
from mofang.studio.typeset import Ink, Typeface, boxes, draw, fit, measure, wrap

pytestmark = pytest.mark.models
MIXED = st.text(st.sampled_from("月亮狐狸很好，。！？“”（）《》abc XYZ 019.-'…\n"), max_size=60)


@pytest.fixture(scope="module")
def face() -> Typeface:
    return Typeface((models.ensure("font-noto-sans-sc").file("bold"),))


@given(st.text(max_size=80))
def test_pieces_joined_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你好，世界", ["你", "好，", "世", "界"]),
        ("“走吧！”他说", ["“走", "吧！”", "他", "说"]),
        ("It isn’t far", ["It ", "isn’t ", "far"]),
        ("用AI画画", ["用", "AI", "画", "画"]),
        ("他想……算了", ["他", "想……", "算", "了"]),
        ("¥99起", ["¥99", "起"]),
    ],
)
def test_where_lines_may_break(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected


def test_clause_ends_are_seen_through_quotes() -> None:
    assert ends_clause("好啊！”")
    assert ends_clause("done.”")
    assert not ends_clause("好啊")
    assert not ends_clause("  ")


@settings(deadline=None, max_examples=60)
@given(text=MIXED, width=st.integers(60, 700))
def test_wrapping_keeps_every_character_and_the_rules(text: str, width: int) -> None:
    face = Typeface((models.ensure("font-noto-sans-sc").file("bold"),))
    block = wrap(text, face, 40, width)
    shown = "".join(text[a:b] for a, b in block.lines)
    assert shown == text.replace("\n", "")
    for (a, b), advance in zip(block.lines, block.widths, strict=True):
        line = text[a:b].strip()
        # A line is too wide only when it is one piece that cannot be broken further.
        assert advance <= width + 1 or len(pieces(line)) == 1 or len(line) <= 2
    if width >= 400:  # Wide enough that no piece has to be broken by force.
        starts = [text[a] for (a, b) in block.lines[1:] if a < b and text[a - 1] != "\n" and not text[a - 1].isspace()]
        assert not set(starts) & NOT_FIRST
        ends = [text[b - 1] for a, b in block.lines if a < b < len(text) and text[b] != "\n"]
        assert not set(ends) & NOT_LAST


def test_lines_are_balanced(face: Typeface) -> None:
    block = wrap("小狐狸坐在山坡上看着又圆又亮的月", face, 40, 40 * 14.5)
    assert [b - a for a, b in block.lines] == [8, 8]


def test_clause_ends_and_whole_words_are_preferred(face: Typeface) -> None:
    text = "穿过森林，来到了宽阔的湖边"
    assert text[slice(*wrap(text, face, 40, 40 * 9).lines[0])] == "穿过森林，"
    text = "一只小小的猫头鹰飞走了"  # 猫头鹰, owl, stands at 5 to 8
    cut = wrap(text, face, 40, 40 * 7, whole=frozenset({6, 7})).lines[0][1]
    assert cut not in (6, 7)


def test_air_between_han_and_latin(face: Typeface) -> None:
    assert needs_gap("用", "A")
    assert needs_gap("9", "年")
    assert not needs_gap("用", "，")
    assert not needs_gap("a", "b")
    apart = measure("用", face, 64) + measure("AI", face, 64)
    assert measure("用AI", face, 64) == pytest.approx(apart + 8)


def test_english_quotes_are_narrow_and_chinese_ones_wide(face: Typeface) -> None:
    assert measure("“go”", face, 64) < measure("go", face, 64) + 70
    assert measure("“走”", face, 64) == pytest.approx(3 * 64, abs=1)


def test_missing_letters_are_left_out_and_reported(face: Typeface) -> None:
    assert face.missing("月🦊亮🦊한") == "🦊한"
    assert measure("月🦊亮", face, 40) == measure("月亮", face, 40)
    image, _ = draw(wrap("🦊🦊", face, 40, 500), Ink())
    assert not image[..., 3].any()


def test_fallback_takes_the_second_font(face: Typeface) -> None:
    label = Path(models.__file__).parents[1] / "trust" / "fonts" / "label.ttf"
    narrow = Typeface((label,))
    assert "狐" in narrow.missing("狐")
    assert Typeface((label, *face.files)).missing("狐") == ""


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n", "\ud800月", "שלום עולם", "مرحبا", "👨‍👩‍👧", "a\u0301\u200d", "\x00\x07", "月" * 300]
)
def test_odd_text_does_not_crash(face: Typeface, text: str) -> None:
    block = fit(text, face, 40, 12, 300, 200)
    image, _ = draw(block, Ink(outline=(0, 0, 0, 255), outline_width=0.1, shadow=(0, 0, 0, 99), shadow_blur=0.1))
    assert image.dtype == np.uint8
    assert image.shape[2] == 4
    boxes(block, [(0, len(block.text))])


def test_fit_shrinks_and_then_says_what_is_left_out(face: Typeface) -> None:
    large, small = fit("短", face, 80, 20, 400, 200), fit("很长的一句话" * 6, face, 80, 20, 400, 200)
    assert large.size == 80
    assert 20 <= small.size < 80
    assert small.height <= 200
    assert small.width <= 401
    cut = fit("很长的一句话" * 1700, face, 80, 20, 400, 200, rows=2)
    assert len(cut.lines) == 2
    assert cut.text.endswith("…")
    assert cut.width <= 420


def test_boxes_tile_each_line(face: Typeface) -> None:
    text = "AI 生成的月亮，真圆"
    block = wrap(text, face, 40, 220)
    found = boxes(block, [(i, i + 1) for i in range(len(text))])
    assert len(block.lines) > 1
    for number, (a, b) in enumerate(block.lines):
        row = [found[i][0] for i in range(a, b) if found[i]]
        assert all(box[1] == number * block.leading for box in row)
        edges = [edge for box in row for edge in (box[0], box[2])]
        assert edges == sorted(edges)
        assert edges[-1] - edges[0] == pytest.approx(block.widths[number], abs=1)


def test_outline_and_shadow_surround_the_letters(face: Typeface) -> None:
    block = wrap("月", face, 60, 200)
    plain, _ = draw(block, Ink())
    inked, (dx, dy) = draw(block, Ink(outline=(0, 0, 0, 255), outline_width=0.1))
    assert max(dx, dy) < 0
    assert (inked[..., 3] > 0).sum() > (plain[..., 3] > 0).sum() * 1.2
    assert (plain[plain[..., 3] == 255][:, :3] == 255).all()


def test_a_file_that_is_no_font(tmp_path: Path) -> None:
    bad = tmp_path / "bad.ttf"
    bad.write_bytes(b"not a font")
    with pytest.raises(UserError, match="not a font"):
        measure("a", Typeface((bad,)), 20)


def test_an_apostrophe_stays_inside_its_word(face: Typeface) -> None:
    assert measure("isn’t", face, 64) == measure("isn't", face, 64)
