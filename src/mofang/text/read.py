"""A creator's text file, read into what a film, a book or a voice needs of it."""

from dataclasses import dataclass
from pathlib import Path

from mofang.studio.errors import UserError
from mofang.text.decode import check_text, decode
from mofang.text.front import KEYS, split_front
from mofang.text.keywords import title_for
from mofang.text.language import Lang, foreign_script, language_of
from mofang.text.markdown import Block, parse_markdown

MAX_BYTES = 2 * 1024 * 1024
"""The largest file that is read: about 700,000 Chinese characters, a long novel."""


@dataclass(frozen=True)
class Manuscript:
    """A text ready for the crafts. `front` has the front matter by key, `notes` one line for each thing left out or odd."""

    title: str
    lang: Lang
    blocks: tuple[Block, ...]
    front: dict[str, str]
    notes: tuple[str, ...] = ()

    @property
    def author(self) -> str:
        """Who wrote it, if the text says so."""
        return self.front.get("author", "")

    @property
    def text(self) -> str:
        """All of the body, a blank line between paragraphs."""
        return "\n\n".join(block.text for block in self.blocks)


def read(path: str | Path) -> Manuscript:
    """Read a Markdown or plain text file, in whatever encoding it is.

    Raises `UserError` for what is missing, unreadable, too large (`MAX_BYTES`), not text, or without words.
    """
    path = Path(path).expanduser()
    try:
        if path.is_dir():
            raise UserError(f"{path} is a folder; give the text file inside it")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise UserError(f"{path.name} has {size / 1e6:.1f} MB, the most that is read is {MAX_BYTES / 1e6:.1f} MB; "
                            "split it into chapters")  # fmt: skip
        with path.open("rb") as file:  # A pipe has no size to check, so the reading itself is bounded as well.
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}; check the name") from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise UserError(f"cannot read {path!s}: {why}; check the path and its permissions".encode(
            "utf-8", "backslashreplace").decode()) from error  # fmt: skip
    if len(data) > MAX_BYTES:
        raise UserError(f"{path.name} is longer than {MAX_BYTES / 1e6:.1f} MB; split it into chapters")
    text, encoding = decode(data, path.name)
    notes = () if encoding.startswith("utf-8") else (f"{path.name} was read as {encoding}",)
    return parse(text, path.name, notes)


def parse(text: str, name: str = "the text", notes: tuple[str, ...] = ()) -> Manuscript:
    """The manuscript in `text` (Markdown or plain). Raises `UserError`; `name` is for its message."""
    text = check_text(text, name).replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff\n")
    front, body = split_front(text)
    blocks, left_out = parse_markdown(body)
    if not blocks:
        what = "is empty" if not text.strip() else "has no words to speak"
        raise UserError(f"{name} {what}; write some text into it")
    lang = _language(front, blocks, name)
    more = [f"unknown front matter key '{key}' (known: {', '.join(KEYS)})" for key in front if key not in KEYS]
    if script := foreign_script(" ".join(block.text for block in blocks)):
        more.append(f"most letters of {name} are {script.title()}; voices exist for Chinese and English only")
    title, blocks = _title(front, blocks, lang)
    return Manuscript(title, lang, tuple(blocks), front, (*notes, *left_out, *more))


def _language(front: dict[str, str], blocks: list[Block], name: str) -> Lang:
    said = front.get("lang", "").lower()
    if said.startswith(("zh", "chinese", "中", "汉", "漢")):
        return "zh"
    if said.startswith(("en", "英")):
        return "en"
    if said:
        raise UserError(f"{name} asks for the language '{said}'; write lang: zh or lang: en")
    return language_of(" ".join(block.text for block in blocks))


def _title(front: dict[str, str], blocks: list[Block], lang: Lang) -> tuple[str, list[Block]]:
    """The title, and the body without it: from the front matter, a first heading, a short first line, or the words."""
    first, rest = blocks[0], blocks[1:]
    if first.kind == "heading" and first.level == 1 and rest and front.get("title", first.text) == first.text:
        return first.text, _hand_picture(first, rest)
    if title := front.get("title"):
        return title, blocks
    lines = first.text.split("\n")
    if rest and first.kind in ("paragraph", "verse") and len(lines) <= 2 and all(_bare(line, lang) for line in lines):
        if len(lines) == 2:
            front.setdefault("author", lines[1].removeprefix("by ").removeprefix("作者："))
        return lines[0], _hand_picture(first, rest)
    if first.kind == "heading" and rest:
        return first.text, _hand_picture(first, rest)
    return title_for(" ".join(block.text for block in blocks[:3]), lang), blocks


def _hand_picture(first: Block, rest: list[Block]) -> list[Block]:
    if first.picture and not rest[0].picture:
        return [Block(rest[0].text, rest[0].kind, first.picture, rest[0].level), *rest[1:]]
    return rest


def _bare(line: str, lang: Lang) -> bool:
    """A line that names something: short, and not a sentence."""
    return len(line) <= (16 if lang == "zh" else 60) and line[-1] not in "。！？!?.…,，；;：:”\"—"
