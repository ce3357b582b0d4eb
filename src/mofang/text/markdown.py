"""Markdown to what a voice can say: blocks of plain text, and the pictures that go with them.

Syntax: CommonMark 0.31, GitHub's tables, strikethrough and footnotes; read, not rendered.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from mofang.text.language import han_count, language_of

Kind = Literal["heading", "paragraph", "verse", "item", "quote", "row"]


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph's worth of text. Verse keeps its line breaks; `picture` is the file named beside it, as written;
    `level` is a heading's, 1..6."""

    text: str
    kind: Kind = "paragraph"
    picture: str = ""
    level: int = 0


_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t\u3000]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_RULE = re.compile(r" {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
_SETEXT = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_ITEM = re.compile(r"[ \t]*(?:[-*+•]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(?=\S)")
_QUOTE = re.compile(r" {0,3}> ?")
_DELIMITER = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_NOTE = re.compile(r" {0,3}\[\^[^\]\s]+\]:")
_DEFINITION = re.compile(r" {0,3}\[[^\]]+\]:[ \t]*\S+")
_IMAGE = re.compile(r"!\[((?:[^\[\]\n]|\[[^\[\]\n]*\])*)\]\(\s*(?:<([^>\n]*)>|([^\s)][^)\n]*?))(?:\s+[\"'(][^\n]*?[\"')])?\s*\)")
_INLINE = (
    (re.compile(r"!\[([^\]\n]*)\](?:\[[^\]\n]*\])?(?!\()"), ""),
    (re.compile(r"\[\^[^\]\s]+\]"), ""),
    (re.compile(r"\[((?:[^\[\]\n]|\[[^\[\]\n]*\])*)\]\(\s*(?:<[^>\n]*>|[^\s)]*)(?:\s+[\"'(][^\n]*?[\"')])?\s*\)"), r"\1"),
    (re.compile(r"\[([^\[\]\n]+)\]\[[^\[\]\n]*\]"), r"\1"),
    (re.compile(r"<(?:https?|mailto|ftp):[^>\s]*>|<[^@>\s]+@[^>\s]+>"), ""),
    (re.compile(r"<br\s*/?>", re.I), "\n"),
    (re.compile(r"</?[A-Za-z][A-Za-z0-9-]*(?:\s[^<>]*)?/?>"), ""),
    (re.compile(r"`+([^`\n]+)`+"), r"\1"),
    (re.compile(r"~~(?=\S)(.+?)(?<=\S)~~"), r"\1"),
    (re.compile(r"(?<!\d)(\*{1,3})(?=\S)(.+?)(?<=\S)\1(?!\d)"), r"\2"),
    (re.compile(r"(?<![A-Za-z0-9_])(_{1,3})(?=\S)(.+?)(?<=\S)\1(?![A-Za-z0-9_])"), r"\2"),
)
_URL = re.compile(r"https?://[^\s<>）)】」，。；、]*[^\s<>）)】」，。；、.,;:!?]")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_PRIVATE = 0xF0000  # Escaped punctuation waits in a private plane while the marks are taken away.


def parse_markdown(text: str) -> tuple[list[Block], list[str]]:
    """The blocks of `text` in order, and a note for each kind of thing that was left out."""
    notes: list[str] = []
    lines = _COMMENT.sub("", text).split("\n")
    blocks: list[Block] = []
    picture = ""
    for raw in _raw_blocks(lines, notes):
        found = _IMAGE.findall(raw.text)
        here = next((bracketed or plain for _, bracketed, plain in found), "")
        spoken = _spoken(_IMAGE.sub("", raw.text), notes)
        if not any(character.isalnum() for character in spoken):
            # A picture on its own line belongs to the words that follow it.
            picture = here or picture
            continue
        blocks.append(replace(raw, text=spoken, picture=here or picture))
        picture = ""
    if picture and blocks and not blocks[-1].picture:
        blocks[-1] = replace(blocks[-1], picture=picture)
    return blocks, list(dict.fromkeys(notes))


def _raw_blocks(lines: list[str], notes: list[str]) -> Iterator[Block]:
    held: list[str] = []
    kind: Kind = "paragraph"
    at = 0

    def release() -> Iterator[Block]:
        nonlocal kind
        if held:
            yield from _flow(held, kind)
        held.clear()
        kind = "paragraph"

    while at < len(lines):
        line = lines[at].rstrip("\r")
        at += 1
        if fence := _FENCE.match(line):
            yield from release()
            while at < len(lines) and not lines[at].strip().startswith(fence[1]):
                at += 1
            at += 1
            notes.append("a code block was left out: code is not read aloud")
        elif held and kind == "paragraph" and (under := _SETEXT.match(line)):
            title = " ".join(part.strip() for part in held)
            held.clear()
            yield Block(title, "heading", level=1 if under[1][0] == "=" else 2)
        elif not line.strip() or _RULE.match(line):
            yield from release()
        elif heading := _HEADING.match(line):
            yield from release()
            yield Block(heading[2] or "", "heading", level=len(heading[1]))
        elif _NOTE.match(line) or _DEFINITION.match(line):
            yield from release()
            if _NOTE.match(line):
                notes.append("footnotes were left out")
        elif "|" in line and at < len(lines) and "|" in lines[at] and _DELIMITER.match(lines[at]):
            yield from release()
            yield _row(line)
            at += 1
            while at < len(lines) and "|" in lines[at]:
                yield _row(lines[at])
                at += 1
        elif item := _ITEM.match(line):
            yield from release()
            kind = "item"
            held.append(line[item.end() :])
        elif quote := _QUOTE.match(line):
            if kind != "quote":
                yield from release()
            kind = "quote"
            held.append(line[quote.end() :].lstrip("> "))
        else:
            held.append(line)
    yield from release()


def _row(line: str) -> Block:
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    joined = ("，" if han_count(line) else ", ").join(cell for cell in cells if cell)
    return Block(joined + ("。" if han_count(line) else "."), "row")


def _flow(lines: list[str], kind: Kind) -> Iterator[Block]:
    """Lines of one paragraph: verse if they are short, several paragraphs if each is one (as in Chinese novels),
    one paragraph if the lines were only wrapped."""
    texts = [line.strip() for line in lines if line.strip()]
    hard = [line.endswith(("  ", "\\")) for line in lines[:-1]]
    texts = [text.removesuffix("\\") for text in texts]
    chinese = language_of("".join(texts)) == "zh"
    if len(texts) > 1 and (all(hard) or is_verse(texts, chinese)) and kind != "item":
        yield Block("\n".join(texts), "verse")
    elif not chinese or len(texts) == 1:
        yield Block(" ".join(texts), kind)
    else:
        held = ""
        for text in texts:
            held += text
            if text[-1] in "。！？…”』」!?" or len(text) < 16:
                yield Block(held, kind)
                held = ""
        if held:
            yield Block(held, kind)


def is_verse(lines: list[str], chinese: bool) -> bool:
    """Whether these lines of one paragraph are lines for their own sake, not wrapped prose."""
    longest = max(map(len, lines))
    if chinese:
        return longest <= 20
    # English verse starts its lines with capitals or keeps them shorter than any wrapped prose.
    capitals = sum(line[:1].isupper() or not line[:1].isalpha() for line in lines)
    return longest <= 34 or (longest <= 60 and capitals >= 0.9 * len(lines))


def _spoken(text: str, notes: list[str]) -> str:
    text = _ESCAPED.sub(lambda found: chr(_PRIVATE + ord(found[1])), text)
    for pattern, kept in _INLINE:
        text = pattern.sub(kept, text)
    if _URL.search(text):
        notes.append("web addresses were left out: nobody wants to hear them")
        text = _URL.sub("", text)
    text = html.unescape(text)
    text = re.sub(f"[{chr(_PRIVATE)}-{chr(_PRIVATE + 127)}]", lambda found: chr(ord(found[0]) - _PRIVATE), text)
    lines = (re.sub(r"[ \t\u3000\xa0]+", " ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
