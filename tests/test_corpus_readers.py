"""Every kind of file a writer keeps is read; broken and hostile ones are refused in one line."""

import contextlib
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mofang.studio.errors import UserError
from mofang.text.corpus.readers import Reading, read
from mofang.text.corpus.readers.html import text_of
from mofang.text.corpus.readers.plain import pieces
from mofang.text.corpus.tally import Tally

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STORY = "从前有座山，山里有座庙。\n\n庙里有个老和尚。"


def documents(path: Path, reading: Reading | None = None, tally: Tally | None = None) -> list[str]:
    found, held = [], ""
    for text, last in read(path, reading or Reading(), tally or Tally()):
        held += text
        if last:
            found.append(held)
            held = ""
    return [*found, held] if held else found


def epub(path: Path, chapters: dict[str, str], extra: dict[str, str] | None = None) -> Path:
    items = "".join(
        f'<item id="i{n}" href="{name}" media-type="application/xhtml+xml"/>' for n, name in enumerate(chapters)
    )
    spine = "".join(f'<itemref idref="i{n}"/>' for n in reversed(range(len(chapters))))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/epub+zip")
        book.writestr("META-INF/container.xml", '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
                      '<rootfile full-path="OPS/book.opf"/></rootfiles></container>')  # fmt: skip
        book.writestr("OPS/book.opf", f'<package xmlns="http://www.idpf.org/2007/opf"><manifest>{items}<item id="nav" '
                      'href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/></manifest>'
                      f'<spine><itemref idref="nav"/>{spine}</spine></package>')  # fmt: skip
        book.writestr("OPS/nav.xhtml", "<html><body><p>Contents</p></body></html>")
        for name, body in chapters.items():
            book.writestr(f"OPS/{name}", f"<html><head><title>x</title></head><body>{body}</body></html>")
        for name, body in (extra or {}).items():
            book.writestr(name, body)
    return path


def docx(path: Path, body: str, head: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(
            "word/document.xml",
            f'<?xml version="1.0"?>{head}<w:document xmlns:w="{W}" xmlns:mc="m"><w:body>{body}</w:body></w:document>',
        )
    return path


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def test_a_book_is_a_document_in_reading_order(tmp_path: Path) -> None:
    book = epub(
        tmp_path / "a.epub",
        {"2.xhtml": "<h1>Two</h1><p>second &amp; last</p>", "1.xhtml": "<p>第一章<ruby>山<rt>shān</rt></ruby></p>"},
    )
    assert documents(book) == ["第一章山\n\nTwo\n\nsecond & last\n\n"]


def test_documents_of_a_word_processor(tmp_path: Path) -> None:
    body = paragraph("山里有座庙") + (
        "<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>"
        f"<mc:AlternateContent><mc:Fallback>{paragraph('twice')}</mc:Fallback></mc:AlternateContent>"
    )
    assert documents(docx(tmp_path / "a.docx", body)) == ["山里有座庙\na\tb\nc\n"]


def test_html_is_what_a_reader_sees() -> None:
    page = (
        "<head><title>t</title><style>x</style></head><body><nav>Home</nav><p>床前\n明月光</p><p>two <b>bold</b>\nlines<br>third"
        "<script>var x='<p>no</p>'</script></p><pre>a\n  b</pre><footer>(c)</footer>"
    )
    assert text_of(page) == "床前明月光\n\ntwo bold lines\nthird\n\na\n  b"
    assert text_of("<nav>never closed <p>but all there is") == "never closed\n\nbut all there is"
    assert text_of("<p>&#x1F319;&nbsp;&lt;b&gt;") == "🌙\u00a0<b>"


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="<>/abp \"'=!-&;#x\n床\x00", max_size=200))
def test_no_html_breaks_the_reader(source: str) -> None:
    assert isinstance(text_of(source), str)


def test_subtitles_are_what_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text(
        "1\n00:00:01,000 --> 00:00:02,000\n<i>你好</i>\n\n2\n00:00:03,000 --> 00:00:04,000\n你好\nworld\n"
    )
    (tmp_path / "b.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nHi <b>there</b>\n")
    (tmp_path / "c.ass").write_text(
        "[Script Info]\nScriptType: v4.00+\n[Events]\n"
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\b1}One\\Ntwo\nComment: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,no\n"
    )
    tally = Tally()
    assert documents(tmp_path / "a.srt", tally=tally) == ["你好\nworld"]
    assert tally.reasons["caption shown again"].count == 1
    assert documents(tmp_path / "b.vtt") == ["Hi there"]
    assert documents(tmp_path / "c.ass") == ["One\ntwo"]


def test_json_lines_and_chats(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    chat = {
        "messages": [
            {"role": "user", "content": "在吗"},
            {"role": "assistant", "content": [{"type": "text", "text": "在"}]},
        ]
    }
    path.write_text(
        json.dumps({"text": "一\r\n二"})
        + "\n\nnot json\n"
        + json.dumps(chat)
        + '\n"bare"\n'
        + json.dumps({"body": "x"})
    )
    tally = Tally()
    assert documents(path, tally=tally) == ["一\r\n二", "user: 在吗\n\nassistant: 在", "bare"]
    assert tally.reasons["unreadable line"].count == 2
    assert documents(path, Reading(field="body"))[-1] == "x"
    path.write_text(json.dumps({"body": "x", "title": "y"}))
    with pytest.raises(UserError, match=r"body, title: choose one with --field"):
        documents(path)
    (tmp_path / "b.json").write_text(json.dumps([{"text": "a"}, {"text": "b"}]))
    assert documents(tmp_path / "b.json") == ["a", "b"]
    (tmp_path / "c.jsonl").write_text("[" * 100_000)
    with pytest.raises(UserError):
        documents(tmp_path / "c.jsonl")


CHATS = {
    "whatsapp": "[12/31/20, 9:41:00 PM] 小明: 在吗\n[12/31/20, 9:42:00 PM] Li: yes\nsecond line\n"
    "[12/31/20, 9:43:00 PM] Li: <Media omitted>\n[1/1/21, 0:01:00 AM] 小明: 新年好\n",
    "wechat": "2020-12-31 21:41:00 小明(123)\n在吗\n\n2020-12-31 21:42:00 Li\nyes\nsecond line\n\n2020-12-31 21:43:00 Li\n[图片]\n\n"
    "2021-01-01 00:01:00 小明(123)\n新年好\n",
    "irc": "[2020-12-31 21:41] <小明> 在吗\n[2020-12-31 21:42] <Li> yes\nsecond line\n[2020-12-31 21:43] <Li> [图片]\n"
    "[2021-01-01 00:01] <小明> 新年好\n",
}


@pytest.mark.parametrize("kind", list(CHATS))
def test_chat_logs_lose_their_times(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(CHATS[kind])
    assert documents(tmp_path / "a.txt") == ["小明: 在吗\nLi: yes\nsecond line", "小明: 新年好"]


def test_plain_text_is_parted_as_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one\ntwo\n\n \nthree\n<|endoftext|>\nfour\n")
    assert documents(path) == ["one\ntwo\n\n \nthree\n", "four\n"]
    assert documents(path, Reading(boundary="line")) == ["one", "two", "three", "<|endoftext|>", "four"]
    assert documents(path, Reading(boundary="blank")) == ["one\ntwo", "three\n<|endoftext|>\nfour\n"]
    assert documents(path, Reading(boundary="file")) == ["one\ntwo\n\n \nthree\n<|endoftext|>\nfour\n"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(alphabet="a床 \n", max_size=12)), st.sampled_from(["auto", "file", "line", "blank"]))
def test_documents_do_not_depend_on_how_a_file_is_read(texts: list[str], boundary: str) -> None:
    def joined(blocks: list[str]) -> list[str]:
        found, held = [], ""
        for text, last in pieces(blocks, boundary):
            held += text
            if last:
                found.append(held.strip())
                held = ""
        return found

    assert joined(texts) == joined(["".join(texts)])


def test_markdown_is_text_with_headings(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        "---\ntitle: 山居\n---\n## 一\n看 [这里](http://x.y) ![图](a.png)\n\n- 项\n\n```\ncode\n```\n"
    )
    assert documents(tmp_path / "a.md") == ["# 山居\n\n## 一\n\n看 这里\n\n- 项"]


def test_large_files_are_read_in_any_encoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mofang.text.corpus.readers.decoded.WHOLE", 10_000)
    text = "少年在山里走了很久，终于看见一座旧庙。\r\n" * 3_000
    for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-32"):
        (tmp_path / "a.txt").write_bytes(text.encode(encoding))
        assert "".join(documents(tmp_path / "a.txt")) == text.replace("\r\n", "\n"), encoding
    (tmp_path / "a.txt").write_bytes(text.encode() + b"\xff" * 1000)
    with pytest.raises(UserError, match="damaged"):
        documents(tmp_path / "a.txt")


def broken(folder: Path) -> dict[str, Path]:
    good = epub(folder / "good.epub", {"1.xhtml": "<p>x</p>"})
    doc = docx(folder / "good.docx", paragraph("x") * 500)
    cases = {}
    for name, data in {
        "cut.epub": good.read_bytes()[:-300], "cut.docx": doc.read_bytes()[:-200], "empty.epub": b"", "text.docx": b"hello",
        "png.txt": b"\x89PNG\r\n\x1a\n" + bytes(100), "zeros.txt": bytes(5000), "surrogate.txt": b"ok " + b"\xed\xa0\xbd" * 9,
    }.items():  # fmt: skip
        (folder / name).write_bytes(data)
        cases[name] = folder / name
    flipped = bytearray(doc.read_bytes())
    flipped[60:90] = bytes(30)
    (folder / "crc.docx").write_bytes(flipped)
    cases["crc"] = folder / "crc.docx"
    entity = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    cases["entities"] = docx(folder / "entities.docx", paragraph("&b;"), entity)
    cases["outside"] = docx(
        folder / "outside.docx", paragraph("&x;"), '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    )
    cases["not xml"] = docx(folder / "not.docx", "<w:p>")
    cases["no chapters"] = epub(folder / "none.epub", {})
    cases["locked"] = epub(
        folder / "locked.epub", {"1.xhtml": "x"},
        {"META-INF/encryption.xml": '<e xmlns:c="http://www.w3.org/2001/04/xmlenc#"><c:CipherReference URI="OPS/1.xhtml"/></e>'},
    )  # fmt: skip
    with zipfile.ZipFile(folder / "bare.docx", "w") as file:
        file.writestr("other.xml", "x")
    cases["no body"] = folder / "bare.docx"
    return cases


def test_broken_files_are_refused_in_one_line(tmp_path: Path) -> None:
    for what, path in broken(tmp_path).items():
        with pytest.raises(UserError) as refused:
            pytest.fail(f"{what} was read: {documents(path)}"[:200])
        assert "\n" not in str(refused.value) and len(str(refused.value)) < 250, what


def test_zip_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mofang.text.corpus.readers.whole.LIMIT", 1 << 20)
    monkeypatch.setattr("mofang.text.corpus.readers.docx._UNPACKED", 1 << 20)
    with pytest.raises(UserError, match="bomb"):
        documents(epub(tmp_path / "a.epub", {"1.xhtml": "x" * (4 << 20)}))
    with pytest.raises(UserError, match="bomb"):
        documents(docx(tmp_path / "a.docx", paragraph("x" * (4 << 20))))


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 10_000), data=st.binary(min_size=1, max_size=8))
def test_a_damaged_archive_is_read_or_refused(
    place: int, data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    for path in (epub(folder / "f.epub", {"1.xhtml": "<p>x</p>"}), docx(folder / "f.docx", paragraph("x" * 300))):
        raw = bytearray(path.read_bytes())
        place %= len(raw)
        raw[place : place + len(data)] = data
        path.write_bytes(raw)
        with contextlib.suppress(UserError):
            documents(path)
