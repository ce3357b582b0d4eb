"""Sentences and passages: nothing lost, nothing broken in the wrong place."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mofang.text.markdown import Block
from mofang.text.read import Manuscript, parse
from mofang.text.segment import passages, sentences, spoken_seconds


@pytest.mark.parametrize(("text", "expected"), [
    ("他走了。她来了！真的吗？", ["他走了。", "她来了！", "真的吗？"]),
    ("“好的。”小明说。天黑了。", ["“好的。”小明说。", "天黑了。"]),
    ("他说：“走吧。我们回家！”妈妈笑了。", ["他说：“走吧。我们回家！”妈妈笑了。"]),
    ("圆周率是3.14，对吗？！是的。", ["圆周率是3.14，对吗？！", "是的。"]),
    ("他……他走了。", ["他……他走了。"]),
    ("「你好。」他關上門。", ["「你好。」", "他關上門。"]),
])  # fmt: skip
def test_chinese_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text, "zh") == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("Mr. Smith paid $3.50. He left.", ["Mr. Smith paid $3.50. ", "He left."]),
    ('"Go!" he said. "Stay."', ['"Go!" he said. ', '"Stay."']),
    ("We met at 5 p.m. The train was late.", ["We met at 5 p.m. ", "The train was late."]),
    ("Dr. J. R. Lee, e.g. the boss, wept... and slept. Is it?", ["Dr. J. R. Lee, e.g. the boss, wept... and slept. ", "Is it?"]),
    ("See example.com now. Yes!", ["See example.com now. ", "Yes!"]),
    ("So did I. Then we slept.", ["So did I. ", "Then we slept."]),
])  # fmt: skip
def test_english_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text, "en") == expected


PROSE = st.text(st.sampled_from(list("春天来了，。！？…“”「」（）ab C1.,!?\"'\n;；—🦊é\u0301")), max_size=200)


@given(PROSE, st.sampled_from(["zh", "en"]))
def test_sentences_joined_are_the_text(text: str, lang: str) -> None:
    assert "".join(sentences(text, lang)) == text  # type: ignore[arg-type]


@given(st.lists(PROSE.filter(lambda text: any(map(str.isalnum, text))), min_size=1, max_size=5), st.sampled_from(["zh", "en"]))
def test_passages_keep_every_word_and_paragraph(texts: list[str], lang: str) -> None:
    piece = Manuscript("t", lang, tuple(Block(text) for text in texts), {})  # type: ignore[arg-type]
    found = passages(piece)
    for index, text in enumerate(texts):
        said = "".join(passage.text for passage in found if passage.paragraph == index)
        assert re.sub(r"\s", "", said) == re.sub(r"\s", "", text)


def test_poems_go_by_couplets() -> None:
    lines = ["床前明月光，\n疑是地上霜。", "举头望明月，\n低头思故乡。"]
    assert [passage.text for passage in passages(parse("\n".join(lines)))] == lines
    printed = "床前明月光，疑是地上霜。举头望明月，低头思故乡。"
    assert [passage.text for passage in passages(parse(printed))] == ["床前明月光，疑是地上霜。", "举头望明月，低头思故乡。"]


@pytest.mark.parametrize(("lang", "text"), [("zh", "小狐狸跑到湖边，看见月亮躺在水里。" * 12),
                                            ("en", "The fox ran to the lake and saw the moon. " * 12)])
def test_passages_have_a_comfortable_length(lang: str, text: str) -> None:
    found = passages(parse(text))
    assert all(3.5 <= spoken_seconds(passage.text, found and lang) <= 11 for passage in found)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["字" * 10_000, "word " * 2_000, "w" * 10_000, "，" * 50 + "字", "他说，" * 3_000])
def test_endless_lines_are_divided(text: str) -> None:
    found = passages(parse(text))
    assert re.sub(r"\s", "", "".join(passage.text for passage in found)) == re.sub(r"\s", "", text)
    assert max(spoken_seconds(passage.text, "zh") for passage in found) < 20


def test_pictures_stay_with_their_paragraph() -> None:
    found = passages(parse("第一段说了一些话。\n\n![](a.png)\n\n第二段说了另外一些话。"))
    assert [passage.picture for passage in found] == ["", "a.png"]
