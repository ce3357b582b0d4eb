"""Lines, rhyme, acrostics, bans and classes of characters: chance keeps them with every kind of vocabulary."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms_luck import luck, tokenizers
from mofang.studio import UserError
from mofang.text.forms import parse
from mofang.text.forms.automaton import walk
from mofang.text.forms.regulated import exact_form, fits_tones, lines_of, rhymes
from mofang.text.forms.rhyme import final_of, groups_of
from mofang.text.forms.simple import BanState
from mofang.text.language import HAN

TOKENIZERS = tokenizers()


@pytest.mark.parametrize(
    ("syllable", "final"),
    [
        ("yuè", "üe"),
        ("shī", "-i"),
        ("jū", "ü"),
        ("xuán", "üan"),
        ("guāng", "uang"),
        ("liú", "iou"),
        ("lǜ", "ü"),
        ("yī", "i"),
        ("wēng", "ueng"),
        ("yōng", "iong"),
        ("zhōng", "ong"),
        ("ér", "er"),
        ("hui", "uei"),
        ("yan", "ian"),
        ("wu", "u"),
        ("nüe", "üe"),
    ],
)
def test_finals_of_pinyin(syllable, final):
    assert final_of(syllable) == final


def test_modern_rhyme():
    assert set(groups_of("光")) & set(groups_of("霜")) & set(groups_of("乡")) == {"唐"}
    assert "齐" in groups_of("期") and "支" in groups_of("时") and not set(groups_of("时")) & set(groups_of("期"))
    assert groups_of("a") == []


@pytest.mark.parametrize("kind", ["char", "word", "unigram"])
def test_lines_and_rhyme(kind):
    tokenizer = TOKENIZERS[kind]
    rule = parse("lines:5,5,3,5+rhyme:AA-A", tokenizer)
    for seed in range(6):
        text = luck(rule(), tokenizer, seed)
        found = [re.sub(f"[^{HAN}]", "", line) for line in text.split("\n")]
        assert [len(line) for line in found] == [5, 5, 3, 5], text
        shared = set(groups_of(found[0][-1])) & set(groups_of(found[1][-1])) & set(groups_of(found[3][-1]))
        assert shared, text


@pytest.mark.parametrize("kind", ["char", "bpe"])
def test_regulated_verse_with_an_acrostic(kind):
    tokenizer = TOKENIZERS[kind]
    text = luck(parse("五绝", tokenizer)(), tokenizer, 1)
    assert exact_form(text, "五绝") and rhymes(lines_of(text)) and fits_tones(lines_of(text)) == 1, text
    heads = luck(parse("lines:4,4,4,4+acrostic:中秋快乐", tokenizer)(), tokenizer, 2)
    assert [line[0] for line in heads.split("\n")] == list("中秋快乐")


@given(
    words=st.lists(st.text("abc月", min_size=1, max_size=3), min_size=1, max_size=4),
    text=st.text("abc月d", max_size=12),
)
@settings(deadline=None)
def test_a_ban_turns_down_texts_with_a_word_and_no_others(words, text):
    assert (walk(BanState(tuple(words)), text) is None) == any(word in text for word in words)


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_bans_and_classes_hold_together(kind):
    tokenizer = TOKENIZERS[kind]
    rule = parse("chars:han+ban:明月,光", tokenizer)()
    text = luck(rule, tokenizer, 3, 120) or ""
    assert "明月" not in text and "光" not in text
    assert not re.search("[a-z0-9]", text)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "sonnet",
        "lines:",
        "lines:0",
        "lines:a,b",
        "lines:999",
        "rhyme:AA",
        "lines:5,5+rhyme:A",
        "lines:5+rhyme:1",
        "acrostic:",
        "ban:",
        "chars:greek",
        "七绝+",
        "x" * 5000,
        "lines:" + "5," * 500 + "5",
    ],
)
def test_a_form_that_is_none_is_refused_in_one_line(bad):
    with pytest.raises(UserError) as error:
        parse(bad, TOKENIZERS["char"])
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_forms_that_contradict_each_other_say_so():
    tokenizer = TOKENIZERS["char"]
    with pytest.raises(UserError):
        luck(parse("chars:latin+lines:5", tokenizer)(), tokenizer, 0)
