"""The shipped poet: what it is asked for, what it keeps, and the film's script it writes."""

from itertools import pairwise

import pytest

from mofang.apps.make.script import from_brief
from mofang.models import own
from mofang.studio import UserError
from mofang.text.forms.regulated import FORMS, exact_form, fits_tones, lines_of, rhymes
from mofang.text.own import OwnModel
from mofang.text.poem import wish, write_poem


@pytest.fixture(scope="module")
def poet():
    return OwnModel.open(own.find("poem-zh"), threads=1)


@pytest.mark.parametrize(
    ("ask", "form", "prompt"),
    [
        ("中秋", "", "七绝|中秋\n"),
        ("中秋", "五律", "五律|中秋\n"),
        ("#秋 江 雁", "七律", "七律|#秋 江 雁\n"),
        ("秋 江", "", "七绝|#秋 江\n"),
        ("明月照高楼，", "", "五绝|\n"),
        ("春风又绿江南岸。", "七律", "七律|\n"),
        ("明月照高楼", "", "七绝|明月照高楼\n"),
        ("", "", "七绝|\n"),
    ],
)
def test_what_is_asked_becomes_the_beginning_of_a_document(ask, form, prompt):
    assert wish(ask, form).prompt == prompt


@pytest.mark.parametrize(("ask", "form"), [("中秋", "词"), ("明月照高楼，", "七绝"), ("这个题目实在太长了长得没有哪一首诗会用它", "")])
def test_what_no_poem_can_be_is_refused(ask, form):
    with pytest.raises(UserError):
        wish(ask, form)


@pytest.mark.parametrize("form", FORMS)
def test_poems_keep_their_form(poet, form):
    poem = write_poem(poet, "登高", form, drafts=3, seed=5)[0]
    assert poem.title == "登高" and poem.text == f"登高\n\n{poem.body}"
    lines = lines_of(poem.body)
    assert exact_form(poem.body, form), poem.body
    assert rhymes(lines) and fits_tones(lines) == 1
    letters = "".join(lines)
    doubled = sum(a == b for a, b in pairwise(letters))
    assert len(set(letters)) >= len(letters) - doubled


def test_a_poem_goes_on_from_a_first_line(poet):
    poem = write_poem(poet, "明月照高楼，", drafts=3, seed=1)[0]
    assert poem.body.startswith("明月照高楼，") and exact_form(poem.body, "五绝") and not poem.title


def test_the_same_seed_writes_the_same_poem_and_each_has_its_own(poet):
    first, second = write_poem(poet, "春雨", n=2, drafts=2, seed=7)
    assert first == write_poem(poet, "春雨", drafts=2, seed=7)[0]
    assert second == write_poem(poet, "春雨", drafts=2, seed=8)[0]
    assert first != second


def test_what_was_asked_shows_in_the_poem(poet):
    about = sum(any(sign in write_poem(poet, "梅花", drafts=6, seed=seed)[0].body for sign in "梅花雪香枝春") for seed in range(3))
    assert about == 3


def test_a_chinese_brief_without_a_larger_model_becomes_verse(tmp_path, monkeypatch):
    monkeypatch.setenv("MOFANG_MODELS", str(tmp_path / "none"))
    monkeypatch.setenv("MOFANG_OFFLINE", "1")
    script = from_brief("中秋", "", 4, 0, tmp_path)
    assert script.title == "中秋" and script.lang == "zh" and script.model == "poem-zh"
    assert len(script.said) == 4 and all(len(lines_of(said.text)) == 2 for said in script.said)
    assert "--text-engine" in script.notes[0]
    with pytest.raises(UserError):  # who names an engine gets it
        from_brief("中秋", "gguf", 4, 0, tmp_path)
