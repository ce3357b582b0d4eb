"""Reading a creator's text: encodings, Markdown, front matter, and everything that is not a text."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mofang.studio.errors import UserError
from mofang.text.front import split_front
from mofang.text.keywords import keywords, title_for
from mofang.text.language import language_of
from mofang.text.markdown import parse_markdown
from mofang.text.read import MAX_BYTES, Manuscript, parse, read

SIMPLIFIED = "秋天的夜晚，一只小狐狸坐在山坡上，看着又圆又亮的月亮。"
TRADITIONAL = "秋天的夜晚，一隻小狐狸坐在山坡上，看著又圓又亮的月亮。"


def written(folder: Path, data: bytes, name: str = "text.md") -> Manuscript:
    path = folder / name
    path.write_bytes(data)
    return read(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030", "gbk"])
@pytest.mark.parametrize("text", [SIMPLIFIED, "床前明月光，", "你好", "静夜思\n\n床前明月光，\n疑是地上霜。"])
def test_simplified_chinese_in_every_encoding(tmp_path: Path, encoding: str, text: str) -> None:
    assert written(tmp_path, text.encode(encoding)).lang == "zh"
    assert text.replace("\n", "")[-6:] in written(tmp_path, text.encode(encoding)).text.replace("\n", "")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", [SIMPLIFIED, "Once upon a time there was a fox.", "一天，下雨了。\n"])
def test_utf16_without_a_mark(tmp_path: Path, encoding: str, text: str) -> None:
    assert written(tmp_path, text.encode(encoding)).text == text.strip()


@pytest.mark.parametrize("text", [TRADITIONAL, "舉頭望明月，低頭思故鄉。", "謝謝你的禮物"])
def test_traditional_chinese_in_big5(tmp_path: Path, text: str) -> None:
    assert written(tmp_path, text.encode("big5")).text == text


def test_western_quotes_of_an_old_editor(tmp_path: Path) -> None:
    text = "It’s a café — “quite” small, but the coffee there is the best in the whole of the old town, they say."
    assert "café" in written(tmp_path, text.encode("cp1252")).text


@pytest.mark.parametrize(("data", "word"), [
    (b"", "empty"), (b"  \n\n \t ", "empty"), (b"\xef\xbb\xbf", "empty"), ("😀🎉🦊".encode(), "no words"),
    (b"---\n***\n", "no words"), (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG"), (b"PK\x03\x04" + bytes(80), "ZIP"),
    (os.urandom(5000) + b"\0\0", "text"), (b"abc\x00def\x00\x01\x02", "binary"), (b"%PDF-1.7 abc", "PDF"),
    ("你好世界，今天天气很好。".encode()[:-1], "broken character"),
    ("你好世界".encode() + b"\xed\xa0\xbd" + "再见".encode(), "surrogate"),
    ("你好".encode("utf-16") + b"\x00", "damaged"), (b"```\ncode only\n```\n", "no words"),
    (b"x" * (MAX_BYTES + 1), "split it"), (b"---\nlang: fr\n---\nBonjour.", "lang: zh"),
])  # fmt: skip
def test_bad_files_end_in_one_line(tmp_path: Path, data: bytes, word: str) -> None:
    with pytest.raises(UserError) as caught:
        written(tmp_path, data)
    assert word in str(caught.value) and "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none.md", tmp_path, tmp_path / "a\0b", tmp_path / ("x" * 400), tmp_path / "\udcff.md"):
        with pytest.raises(UserError):
            read(path)


def test_lone_surrogates_in_a_string_are_named() -> None:
    with pytest.raises(UserError, match="lone surrogate"):
        parse("hello \ud83d world")


def test_largest_file_long_lines_and_right_to_left(tmp_path: Path) -> None:
    assert len(written(tmp_path, b"word " * (MAX_BYTES // 5)).text) > 2_000_000
    assert len(written(tmp_path, ("字" * 10_000).encode()).blocks) == 1
    arabic = written(tmp_path, "مرحبا بالعالم، هذا نص قصير.".encode())
    assert arabic.lang == "en" and any("Arabic" in note for note in arabic.notes)


def test_front_matter_in_both_languages() -> None:
    text = "---\ntitle: \"a: b\"\n作者：李白\nspeed: 1.1 # faster\ntags:\n  - x\n  - y\n---\n\n床前明月光"
    front, body = split_front(text)
    assert front == {"title": "a: b", "author": "李白", "speed": "1.1", "tags": "x, y"}
    assert body.strip() == "床前明月光"
    piece = parse(text)
    assert piece.title == "a: b" and piece.author == "李白" and any("tags" in note for note in piece.notes)


def test_a_rule_is_no_front_matter() -> None:
    assert split_front("---\nJust a line\n---\ntext") == ({}, "---\nJust a line\n---\ntext")
    assert split_front("---\ntitle: never closed\n") == ({}, "---\ntitle: never closed\n")


MARKDOWN = """# 茶

![](img/a b.png)

这是**很好**的*茶*，见[链接](http://x.y/z)和`代码`[^1]。<!-- 不说
这个 -->

- 一
- [ ] 二

> 引用的话。

| 茶 | 水温 |
|----|------|
| 绿茶 | 80°C |

```python
print(1)
```

see snake_case_name, 2*3*4, \\*x\\* &amp; <b>bold</b> ~~old~~ https://a.b/c.

![late](late.png "t")

[^1]: 注
[ref]: http://x.y
"""


def test_markdown_becomes_speech() -> None:
    piece = parse(MARKDOWN)
    assert piece.title == "茶"
    assert [block.text for block in piece.blocks] == [
        "这是很好的茶，见链接和代码。", "一", "二", "引用的话。", "茶，水温。", "绿茶，80°C。",
        "see snake_case_name, 2*3*4, *x* & bold old .",
    ]  # fmt: skip
    assert piece.blocks[0].picture == "img/a b.png" and piece.blocks[-1].picture == "late.png"
    assert [note for note in piece.notes if "code" in note or "footnotes" in note or "addresses" in note]


def test_poems_keep_their_lines_and_give_their_title() -> None:
    piece = parse("静夜思\n李白\n\n床前明月光，\n疑是地上霜。\n举头望明月，\n低头思故乡。")
    assert (piece.title, piece.author, len(piece.blocks)) == ("静夜思", "李白", 1)
    assert piece.text.count("\n") == 3
    english = parse("Tyger Tyger, burning bright,\nIn the forests of the night;\nWhat immortal hand or eye,\nCould frame it?")
    assert english.blocks[0].kind == "verse"


def test_wrapped_prose_is_joined_and_novel_lines_are_paragraphs() -> None:
    wrapped = parse("The keeper turned his lamp as bright as it would go, but the\n"
                    "fog was thick and the light could not reach\nthe boat.")
    assert wrapped.blocks[0].kind == "paragraph" and "\n" not in wrapped.text
    novel = parse("　　秋天的夜晚，一只小狐狸坐在高高的山坡上看着月亮。\n　　它想把月亮摘下来，送给生病的奶奶当作一盏小小的灯。")
    assert len(novel.blocks) == 2


def test_keywords_and_titles() -> None:
    assert "狐狸" in keywords("一只小狐狸坐在山坡上看月亮。小狐狸想把月亮摘下来。", "zh", 3)
    assert keywords("The whale sang. Whales sing to the keeper of the lighthouse, said the keeper.", "en", 2) == ["whale", "keeper"]
    assert title_for("床前明月光，疑是地上霜。", "zh") == "床前明月光"
    assert language_of("Python 是一门语言") == "zh" and language_of("The word 茶 means tea.") == "en"


@given(st.text(max_size=300))
def test_any_string_is_read_or_refused(text: str) -> None:
    try:
        piece = parse(text)
    except UserError:
        return
    assert piece.blocks and all(any(map(str.isalnum, block.text)) for block in piece.blocks)
    assert piece.title


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    from mofang.text.decode import decode

    try:
        text, encoding = decode(data, "x")
    except UserError:
        return
    assert encoding and not any("\ud800" <= character <= "\udfff" for character in text)


@given(st.lists(st.sampled_from(["# ", "- ", "> ", "```", "|a|b|", "|-|-|", "![x](y)", "**", "词语", "word",
                                  "\n", "\n\n", "[^1]: ", "---", "<!--"]),
                max_size=40).map("".join))  # fmt: skip
def test_markdown_of_any_shape_ends(text: str) -> None:
    blocks, _ = parse_markdown(text)
    assert "".join(block.text for block in blocks).count("词语") <= text.count("词语")
