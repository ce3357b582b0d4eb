"""Books read for the ear: title, author, cover and chapters of an EPUB, a Markdown file or a plain text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from mofang.studio.errors import UserError
from mofang.text.corpus.readers import epub
from mofang.text.corpus.readers.html import text_of
from mofang.text.corpus.readers.whole import Archive, declared, read_text
from mofang.text.markdown import parse_markdown

LONGEST = 8_000_000
"""Characters of a book: three times War and Peace."""
MOST = 2000
"""Chapters of a book."""

_DC = "{http://purl.org/dc/elements/1.1/}"
_NCX = "{http://www.daisy.org/z3986/2005/ncx/}"
_ANCHOR = re.compile(r"<a\b[^>]*?\bhref\s*=\s*[\"']([^\"']*)[\"'][^>]*>(.*?)</a>", re.IGNORECASE | re.DOTALL)
_HEADING = re.compile(r"<h([1-3])\b[^>]*>(.*?)</h\1>", re.IGNORECASE | re.DOTALL)
_CHAPTER = re.compile(
    r"^[ \t\u3000]*((?:第[〇零一二三四五六七八九十百千两0-9]{1,7}[章回节卷部篇集幕](?:[ \t\u3000:：].{0,40}|.{0,24})?)"
    r"|"
    r"(?:(?:chapter|part|book)[ \t]+(?:\d{1,4}|[ivxlc]{1,7}|[a-z]{3,12})\b.{0,60})|(?:序[言章]?|楔子|尾声|后记|前言|"
    r"prologue|epilogue|foreword|preface|introduction))[ \t]*$", re.IGNORECASE | re.MULTILINE)  # fmt: skip


@dataclass(frozen=True)
class Chapter:
    """A chapter's title (empty if it has none) and its text, paragraphs divided by blank lines."""

    title: str
    text: str


@dataclass(frozen=True)
class Book:
    """A book: what it is called, who wrote it, its chapters, and the bytes of its cover's picture if it has one."""

    title: str
    author: str
    chapters: tuple[Chapter, ...]
    cover: bytes = b""


def read_book(path: Path) -> Book:
    """The book in a file. Raises `UserError` for one that is damaged, locked, far too large, or says nothing."""
    if not path.is_file():
        raise UserError(f"{path} does not exist; give a book (.epub, .md or .txt)")
    suffix = path.suffix.lower()
    if suffix == ".epub":
        book = _epub(path)
    elif suffix in (".md", ".markdown"):
        book = _markdown(read_text(path), path.stem)
    elif suffix in (".txt", ".text", ""):
        book = _plain(read_text(path), path.stem)
    else:
        raise UserError(f"{path.name} is no book that is read here; give .epub, .md or .txt")
    spoken = tuple(Chapter(" ".join(each.title.split())[:200], each.text) for each in book.chapters if _says(each.text + each.title))
    if not spoken:
        raise UserError(f"{path.name} holds no words that could be read aloud")
    if len(spoken) > MOST or sum(len(each.text) for each in spoken) > LONGEST:
        raise UserError(f"{path.name} has {len(spoken)} chapters and is too long for one audiobook; split it into volumes")
    return Book(" ".join(book.title.split())[:200] or path.stem, " ".join(book.author.split())[:200], spoken, book.cover)


def _says(text: str) -> bool:
    return any(letter.isalnum() for letter in text)


def _markdown(text: str, name: str) -> Book:
    """The one first-level heading at the top is the book's title; the highest level under it makes the chapters."""
    front, author = {}, ""
    if match := re.match(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*\n", text, re.DOTALL):
        front = {key.strip().lower(): value.strip().strip("\"'") for key, _, value in
                 (line.partition(":") for line in match[1].splitlines())}  # fmt: skip
        text = text[match.end() :]
        author = front.get("author", "")
    blocks, _ = parse_markdown(text)
    levels = [block.level for block in blocks if block.kind == "heading"]
    title = front.get("title", "")
    if levels.count(1) == 1 and blocks[0].kind == "heading" and blocks[0].level == 1 and len(levels) > 1:
        title = title or blocks[0].text
        blocks, levels = blocks[1:], [level for level in levels if level > 1]
    top = min(levels, default=1)
    chapters: list[tuple[str, list[str]]] = [("", [])]
    for block in blocks:
        if block.kind == "heading" and block.level == top:
            chapters.append((block.text, []))
        elif block.text.strip():
            chapters[-1][1].append(block.text)
    whole = tuple(Chapter(name, "\n\n".join(parts)) for name, parts in chapters if name or parts)
    return Book(title or (whole[0].title if len(whole) == 1 else "") or name, author, whole)


def _plain(text: str, name: str) -> Book:
    """Lines such as 第三回 or Chapter 3 make the chapters; a text without is one."""
    marks = list(_CHAPTER.finditer(text))
    bounds = [(0, 0, ""), *((mark.start(), mark.end(), mark[1].strip()) for mark in marks)]
    ends = [start for start, _, _ in bounds[1:]] + [len(text)]
    chapters = (Chapter(title, _paragraphs(text[start:end])) for (_, start, title), end in zip(bounds, ends, strict=True))
    return Book(name, "", tuple(each for each in chapters if _says(each.text)))


def _paragraphs(text: str) -> str:
    """Blank lines between paragraphs. Chinese texts begin each on a line of its own; in English ones lines are wrapped."""
    text = text.strip()
    if "\n\n" in text or not re.search(r"[\u3400-\u9fff]", text):
        return re.sub(r"(?<!\n)\n(?!\n)", " " if not re.search(r"[\u3400-\u9fff]", text) else "\n", text)
    return re.sub(r"\n\s*", "\n\n", text)


def _epub(path: Path) -> Book:
    book = Archive(path)
    try:
        members = epub.chapters(book, path.name)
        package, folder = epub.package_of(book, path.name)
        named = _contents(book, package, folder, path.name)
        chapters: list[Chapter] = []
        total = 0
        for member in members:
            source = declared(book.read(member), f"{path.name}: {member}")
            text = text_of(source)
            if not _says(text):
                continue
            total += len(text)
            if total > LONGEST:
                raise UserError(f"{path.name} is too long for one audiobook; split it into volumes")
            heading = next((text_of(match[2]) for match in _HEADING.finditer(source)), "")
            title = named.get(member) or (heading if not named else "")
            body = text.removeprefix(title).lstrip() if title and text.startswith(title) else text
            # A file the table of contents does not name goes on with the chapter before it: long ones are kept in pieces.
            if named and not title and chapters:
                chapters[-1] = Chapter(chapters[-1].title, f"{chapters[-1].text}\n\n{text}")
            else:
                chapters.append(Chapter(title or heading, body))
        title, author = (next((found.text or "" for found in package.iter(_DC + tag)), "") for tag in ("title", "creator"))
        return Book(title or path.stem, author, tuple(chapters), _cover(book, package, folder))
    finally:
        book.close()


def _contents(book: Archive, package: ET.Element, folder: str, name: str) -> dict[str, str]:
    """Member → its title in the table of contents (EPUB 3's `nav`, EPUB 2's `ncx`); empty where there is none."""
    found: dict[str, str] = {}
    for item in package.iter(f"{epub.PACKAGE}item"):
        link, kind = item.get("href") or "", item.get("media-type") or ""
        where = epub.member(folder, link)
        if where not in book.names:
            continue
        if "nav" in (item.get("properties") or "").split():
            entries = _nav(declared(book.read(where), name))
        elif kind == "application/x-dtbncx+xml":
            entries = _ncx(epub.xml(book.read(where), name))
        else:
            continue
        base = where.rpartition("/")[0]
        for href, title in entries:
            if _says(title):
                found.setdefault(epub.member(base, href), " ".join(title.split()))
        if found:
            break
    return found


def _nav(source: str) -> Iterator[tuple[str, str]]:
    lists = re.search(r"<nav\b[^>]*type\s*=\s*[\"']toc[\"'].*?</nav>", source, re.IGNORECASE | re.DOTALL)
    for match in _ANCHOR.finditer(lists[0] if lists else source):
        yield match[1], text_of(match[2])


def _ncx(root: ET.Element) -> Iterator[tuple[str, str]]:
    for point in root.iter(f"{_NCX}navPoint"):
        label, content = point.find(f"{_NCX}navLabel/{_NCX}text"), point.find(f"{_NCX}content")
        if label is not None and content is not None:
            yield content.get("src") or "", label.text or ""


def _cover(book: Archive, package: ET.Element, folder: str) -> bytes:
    """The cover as its book names it (EPUB 3's `cover-image`, EPUB 2's meta), undecoded; empty if there is none."""
    items = {item.get("id"): item for item in package.iter(f"{epub.PACKAGE}item")}
    metas = [meta.get("content") for meta in package.iter(f"{epub.PACKAGE}meta") if meta.get("name") == "cover"]
    named = [item for item in items.values() if "cover-image" in (item.get("properties") or "").split()]
    named += [items[each] for each in metas if each in items]
    for item in named:
        where = epub.member(folder, item.get("href") or "")
        if (item.get("media-type") or "").startswith("image/") and where in book.names:
            return book.read(where)
    return b""
