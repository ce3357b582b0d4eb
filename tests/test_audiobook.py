"""Audiobooks: books read safely, chapters where they are, cover and tags kept, loud as the trade wants, resumed after a kill."""

import io
import zipfile
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mofang.apps.make import voices
from mofang.cli import main, mofang
from mofang.sound import pcm
from mofang.sound.audiobook import RATE
from mofang.sound.loudness import loudness, true_peak
from mofang.studio.errors import UserError
from mofang.text.book import read_book
from mofang.trust import verify

OPF = """<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title>The Fox &amp; the Owl</dc:title><dc:creator>A. Writer</dc:creator></metadata><manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="cover" href="cover.png" media-type="image/png" properties="cover-image"/>
<item id="a" href="text/a.xhtml" media-type="application/xhtml+xml"/>
<item id="b" href="text/b.xhtml" media-type="application/xhtml+xml"/>
<item id="c" href="text/c.xhtml" media-type="application/xhtml+xml"/></manifest>
<spine><itemref idref="a"/><itemref idref="b"/><itemref idref="c"/></spine></package>"""
CONTAINER = ('<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/book.opf" '
             'media-type="application/oebps-package+xml"/></rootfiles></container>')  # fmt: skip
NAV = ('<html xmlns:epub="http://www.idpf.org/2007/ops"><nav epub:type="toc"><ol><li><a href="text/a.xhtml">One: <b>Night</b></a></li>'
       '<li><a href="text/c.xhtml#x">Two</a></li></ol></nav></html>')  # fmt: skip


def cover() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (600, 800), (10, 120, 60)).save(file, "PNG")
    return file.getvalue()


def epub(path: Path, **changed: str | bytes | None) -> Path:
    files: dict[str, str | bytes | None] = {
        "META-INF/container.xml": CONTAINER, "OEBPS/book.opf": OPF, "OEBPS/nav.xhtml": NAV, "OEBPS/cover.png": cover(),
        "OEBPS/text/a.xhtml": "<html><body><h1>One: Night</h1><p>The fox slept.<p>An owl sang.</body>",
        "OEBPS/text/b.xhtml": "<html><body><p>It went on & on.</p></body></html>",
        "OEBPS/text/c.xhtml": "<html><body><h1>Two</h1><p>Morning came.</p></body></html>"} | changed  # fmt: skip
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/epub+zip")
        for name, content in files.items():
            if content is not None:
                book.writestr(name, content)
    return path


def test_an_epub_is_read_even_if_its_pages_are_broken(tmp_path) -> None:
    book = read_book(epub(tmp_path / "a.epub"))
    assert (book.title, book.author) == ("The Fox & the Owl", "A. Writer") and book.cover == cover()
    assert [chapter.title for chapter in book.chapters] == ["One: Night", "Two"]
    assert book.chapters[0].text == "The fox slept.\n\nAn owl sang.\n\nIt went on & on." and book.chapters[1].text == "Morning came."


BOMB = b"<html><body>" + b"a " * (40 << 20)


@pytest.mark.parametrize(("changed", "said"), [
    ({"OEBPS/text/a.xhtml": BOMB}, "zip bomb"),
    ({"OEBPS/book.opf": OPF.replace("<package", '<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]><package')}, "entities"),
    ({"META-INF/encryption.xml": '<encryption xmlns="http://www.w3.org/2001/04/xmlenc#">'
                                 '<CipherReference URI="OEBPS/text/a.xhtml"/></encryption>'}, "DRM"),
    ({"OEBPS/book.opf": "<package"}, "damaged"), ({"META-INF/container.xml": None}, "lacks its"),
    ({"OEBPS/book.opf": OPF.replace("text/", "../../../etc/")}, "no chapters"),
    ({f"OEBPS/text/{each}.xhtml": "<p>***</p>" for each in "abc"}, "no words"),
])  # fmt: skip
def test_hostile_books_are_refused_in_one_line(tmp_path, changed, said) -> None:
    with pytest.raises(UserError, match=said) as refused:
        read_book(epub(tmp_path / "a.epub", **changed))
    assert "\n" not in str(refused.value)


def test_what_is_no_book_is_refused(tmp_path) -> None:
    (tmp_path / "a.epub").write_bytes(b"PK\x03\x04" + b"x" * 100)
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    (tmp_path / "e.txt").write_text("\n")
    for name, said in (("a.epub", "damaged"), ("a.pdf", "no book"), ("e.txt", "no words"), ("nowhere.md", "not exist")):
        with pytest.raises(UserError, match=said):
            read_book(tmp_path / name)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 2000), st.integers(0, 255))
def test_any_bytes_are_read_or_refused(tmp_path_factory, raw: bytes, at: int, value: int) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    whole = bytearray(epub(folder / "good.epub").read_bytes())
    whole[at % len(whole)] = value
    for name, data in (("a.epub", bytes(whole)), ("b.epub", raw), ("c.txt", raw), ("d.md", raw)):
        (folder / name).write_bytes(data)
        try:
            read_book(folder / name)
        except UserError as error:
            assert "\n" not in str(error)


def test_chapters_of_markdown_and_of_text(tmp_path) -> None:
    (tmp_path / "a.md").write_text("---\nauthor: 李明\n---\n# 小狐狸\n\n"
                                   "## 夜\n\n天黑了。\n\n### 灯\n\n有一盏灯。\n\n## 晨\n\n天亮了。\n", "utf-8")
    book = read_book(tmp_path / "a.md")
    assert (book.title, book.author, [each.title for each in book.chapters]) == ("小狐狸", "李明", ["夜", "晨"])
    assert book.chapters[0].text == "天黑了。\n\n灯\n\n有一盏灯。"
    (tmp_path / "b.txt").write_text("引子。\n第一回 夜雨\n下雨了。\n又停了。\n第二回 天晴\n出太阳了。\n", "utf-8")
    assert [each.title for each in read_book(tmp_path / "b.txt").chapters] == ["", "第一回 夜雨", "第二回 天晴"]
    (tmp_path / "c.txt").write_text("Chapter 1\n\nIt was\nnight.\n\nChapter II: Day\n\nIt was day.\n", "utf-8")
    assert [each.text for each in read_book(tmp_path / "c.txt").chapters] == ["It was night.", "It was day."]


def run(folder: Path, *arguments: str) -> str:
    done = CliRunner().invoke(mofang, ["--studio", str(folder / "studio"), "speech", "book", *arguments, "--voice", "hibari"])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


@pytest.mark.parametrize("suffix", [".m4b", ".mp3"])
def test_the_file_has_chapters_cover_tags_and_its_mark(tmp_path, suffix) -> None:
    source, target = epub(tmp_path / "a.epub"), tmp_path / f"a{suffix}"
    assert "2 chapters" in run(tmp_path, str(source), str(target))
    with av.open(str(target)) as container:
        chapters = container.chapters()
        assert [each["metadata"]["title"] for each in chapters] == ["One: Night", "Two"]
        assert (container.metadata["title"], container.metadata["artist"]) == ("The Fox & the Owl", "A. Writer")
        picture = next(iter(container.decode(video=0))).to_ndarray(format="rgb24")
        assert picture.shape[:2] == (800, 600) and np.abs(picture.mean((0, 1)) - (10, 120, 60)).max() < 3
        bounds = [float(each["start"] * each["time_base"]) for each in chapters]
    sound = pcm.read(target, RATE)
    # A chapter begins in quiet, and its first words come half a second later.
    at = round(bounds[1] * RATE)
    assert np.abs(sound[at : at + round(0.3 * RATE)]).max() < 0.003 and np.abs(sound[at : at + RATE]).max() > 0.05
    spoken = sound[round(1.6 * RATE) : at - 2 * RATE]
    root_mean_square = 20 * np.log10(np.sqrt(np.square(spoken).mean()))
    assert -23 <= root_mean_square <= -18 and true_peak(spoken, RATE) < -2.5
    assert loudness(spoken, RATE) == pytest.approx(-19.5, abs=0.7)
    report = verify(target, tmp_path / "studio")
    assert report.ok and report.visible and report.published


def test_a_kill_loses_nothing_that_was_spoken(tmp_path, monkeypatch) -> None:
    (tmp_path / "b.md").write_text("# One\n\nFirst part.\n\n# Two\n\nSecond part.\n\n# Three\n\nThird part.\n", "utf-8")
    spoke, real = [], voices.produce

    def counted(made_by, path, threads=2):
        if len(spoke) == 3:
            raise KeyboardInterrupt
        spoke.append(made_by.prompt)
        return real(made_by, path, threads)

    monkeypatch.setattr(voices, "produce", counted)
    arguments = ["--studio", str(tmp_path / "s"), "speech", "book", str(tmp_path / "b.md"), str(tmp_path / "b.m4b"),
                 "--voice", "hibari"]  # fmt: skip
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 130 and not (tmp_path / "b.m4b").exists() and len(spoke) == 3
    spoke.clear()

    def went_on(made_by, path, threads=2):
        spoke.append(made_by.prompt)
        return real(made_by, path, threads)

    monkeypatch.setattr(voices, "produce", went_on)
    with pytest.raises(SystemExit) as done:
        main(arguments)
    assert done.value.code == 0 and len(spoke) == 3 and (tmp_path / "b.m4b").exists()


def test_a_book_without_a_cover_gets_one(tmp_path) -> None:
    pytest.importorskip("skia")
    from mofang.apps.audiobook import COVER, _typeset

    made = _typeset("小狐狸与猫头鹰的故事", "李明", "zh")
    assert made.shape == (COVER, COVER, 3) and made.max() > 220 and made.min() < 90


def test_what_cannot_be_written_is_said_first(tmp_path, capsys) -> None:
    source = str(epub(tmp_path / "a.epub"))
    for arguments, said in (([source, "a.wav"], ".m4b or .mp3"), ([source, "a.m4b", "--voice", "qq"], "voice"),
                            ([source, "a.m4b", "--voice", "hibari", "--cover", "no.png"], "no.png")):  # fmt: skip
        with pytest.raises(SystemExit) as stopped:
            main(["--studio", str(tmp_path / "s"), "speech", "book", *arguments])
        error = capsys.readouterr().err
        assert stopped.value.code == 2 and said in error and error.count("\n") == 1
