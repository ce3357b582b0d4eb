"""Units: nothing of the text is lost, whatever it is, and overrides say what they promise."""

import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mofang.sound.frontend import normalise, phonemize, sentences, visible
from mofang.sound.frontend.symbols import SYMBOLS
from mofang.studio.errors import UserError

HARD = [
    "",
    " ",
    "\n\n",
    "😀🎉👨‍👩‍👧",
    "مرحبا بالعالم",
    "\ud800\udfff",
    "\ud83d",
    "a\x00b\x07c",
    "。。。！？",
    "1" * 400,
    "[",
    "[重](",
    "[a](b)(c)",
    "٣٤ ३४ ８８",
    "𠮷野家",
    "e\u0301tude",
    "—" * 50,
    "“”“”",
    "3D/5G/4K",
    "[重]()",
    "\u200b\u202e abc",
    "1/0",
    "99:99",
    "２０２４年１３月９９日",
]
TEXT = st.text(
    st.one_of(
        st.sampled_from(
            "一不行长重还得地着了的数种3。，！？“”《》（）、…—\n 年月日号元%$¥€℃.:-~/+=[](){}'\"@#&*<>ⅡI第"
        ),
        st.sampled_from(string.ascii_letters + string.digits),
        st.characters(),
    ),
    max_size=60,
)


def spoken(text: str, lang: str) -> str:
    return "".join(run.spoken for run in normalise(text, lang))


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("text", HARD)
def test_hard_text_is_kept_and_does_not_crash(text: str, lang: str) -> None:
    units = phonemize(text, lang)
    assert "".join(u.text for u in units) == text
    assert set("".join(u.phonemes for u in units)) <= SYMBOLS
    assert "".join(sentences(text, lang)) == text


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXT, st.sampled_from(["zh", "en"]))
def test_units_and_sentences_join_to_the_text(text: str, lang: str) -> None:
    assert "".join(sentences(text, lang)) == text
    try:
        units = phonemize(text, lang)
    except UserError:
        assert "](" in text
        return
    assert "".join(u.text for u in units) == visible(text)
    assert set("".join(u.phonemes for u in units)) <= SYMBOLS
    assert "".join(run.text for run in normalise(text, lang)) == visible(text)


@pytest.mark.parametrize("text", ["他说" * 5000, "word " * 2000, "3" * 10_000, "，" * 10_000, "好。" * 5000])
def test_ten_thousand_characters(text: str) -> None:
    chunks = sentences(text, "zh")
    assert "".join(chunks) == text
    assert "".join(u.text for chunk in chunks[:3] for u in phonemize(chunk, "zh")) == "".join(chunks[:3])


def test_one_unit_for_a_character_a_word_and_a_number() -> None:
    units = phonemize("我用iPhone花了¥1,299.00。", "zh")
    assert [u.text for u in units] == ["我", "用", "iPhone", "花", "了", "¥1,299.00。"]
    assert units[2].phonemes.strip() == "ˈIfˌOn"
    assert units[-1].phonemes.endswith(".")


def test_opening_marks_go_with_the_word_they_open() -> None:
    assert [u.text for u in phonemize("他说：“好！”", "zh")] == ["他", "说：", "“好！”"]
    assert [u.text for u in phonemize('He said "yes" (twice).', "en")] == ["He ", "said ", '"yes" ', "(twice)."]


def test_text_without_words_is_silent() -> None:
    for text in ("😀😀", "。。。", "مرحبا", "——"):
        assert "".join(u.phonemes for u in phonemize(text, "zh")) == ""


def test_english_inside_chinese_does_not_vanish() -> None:
    units = {u.text.strip(): u.phonemes.strip() for u in phonemize("AI和GDP，Python写得好。", "zh")}
    assert units["AI"] == "ˈAˌI" and units["GDP，"] == "ʤˌidˌipˈi," and units["Python"]


def test_chinese_inside_english_does_not_vanish() -> None:
    units = phonemize("I love 北京.", "en")
    assert [u.text for u in units] == ["I ", "love ", "北", "京."] and "↓" in units[2].phonemes


def test_override_with_pinyin_and_phonemes() -> None:
    assert phonemize("[重](chong2)庆", "zh") == phonemize("[重](chóng)庆", "zh") == phonemize("重庆", "zh")
    assert phonemize("[行长](xíng cháng)", "zh")[1].phonemes.strip() == "ꭧʰa↗ŋ"
    units = phonemize("我叫[Mofang](/mˈOfɑŋ/)。", "zh")
    assert units[-1].text == "Mofang。" and units[-1].phonemes == "mˈOfɑŋ."
    assert visible("[重](chong2)庆和[链接](https://a.cn)") == "重庆和[链接](https://a.cn)"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[重](chonk3)庆", "chonk3"),
        ("[重](zhong9)庆", "zhong9"),
        ("[重庆](chong2)", "1 syllables"),
        ("[Mofang](/m☃f/)", "☃"),
    ],
)
def test_wrong_override_says_which(text: str, named: str) -> None:
    with pytest.raises(UserError, match=named):
        phonemize(text, "zh")


def test_sentences_end_where_sentences_end() -> None:
    assert sentences("圆周率是3.14。对吗？对！", "zh") == ["圆周率是3.14。", "对吗？", "对！"]
    assert sentences("他说：“好。我走。”就走了。再见。", "zh") == ["他说：“好。我走。”就走了。", "再见。"]
    assert sentences("Dr. Smith paid $3.50. He left at 5 p.m. today. Bye!", "en") == [
        "Dr. Smith paid $3.50. ",
        "He left at 5 p.m. today. ",
        "Bye!",
    ]
    assert sentences("See e.g. Fig. 3 by J. K. Rowling. Then stop.", "en") == [
        "See e.g. Fig. 3 by J. K. Rowling. ",
        "Then stop.",
    ]


def test_long_sentences_are_cut_at_clauses_and_never_in_a_number() -> None:
    long = "春天来了，桃花开了，" * 12 + "一共花了¥1,299,999.00元。"
    chunks = sentences(long, "zh")
    assert "".join(chunks) == long and len(chunks) > 1
    assert all(chunk.endswith(("，", "。")) for chunk in chunks)
    assert "¥1,299,999.00元" in chunks[-1]
