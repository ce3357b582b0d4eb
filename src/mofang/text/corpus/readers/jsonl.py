"""JSON Lines: a document a line, in a field of text or as the messages of a chat. JSON: a list of the same, or one chat."""

import json
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mofang.studio.errors import UserError
from mofang.text.corpus.readers.piece import PIECE, Piece, Reading
from mofang.text.corpus.readers.whole import read_bytes
from mofang.text.corpus.tally import Tally

_LONGEST = 64 << 20


def read(path: Path, reading: Reading, tally: Tally) -> Iterator[Piece]:
    """The documents of a JSONL or JSON file; entries that are no JSON or hold no text are counted and passed over.

    Raises `UserError` if the first hundred entries hold nothing to read, saying which fields there are.
    """
    good = bad = 0
    fields: set[str] = set()
    for entry, raw in _whole(path) if path.suffix.lower() == ".json" else _lines(path):
        text, found = _text_of(entry, reading.field)
        if text is None:
            bad += 1
            fields |= found
            tally.drop("unreadable line", raw[:300].decode("utf-8", "replace"), len(raw))
            if bad >= 100 and not good:
                break
            continue
        good += 1
        for start in range(0, max(1, len(text)), PIECE):
            yield Piece(text[start : start + PIECE], start + PIECE >= len(text))
    if bad and not good:
        have = f"; its fields are {', '.join(sorted(fields)[:8])}: choose one with --field" if fields else ""
        raise UserError(f"no line of {path.name} has text in a field '{reading.field}'{have}")


def _lines(path: Path) -> Iterator[tuple[Any, bytes]]:
    """(the entry or None, the line) for each line with something on it."""
    try:
        with path.open("rb") as file:
            while line := file.readline(_LONGEST + 1):
                if len(line) > _LONGEST:
                    raise UserError(
                        f"{path.name} has a line longer than {_LONGEST >> 20} MB; that is no JSON Lines file"
                    )
                line = line.removeprefix(BOM_UTF8)
                if line.strip():
                    yield _parsed(line), line
    except OSError as error:
        raise UserError(f"cannot read {path.name}: {error.strerror or error}") from error


def _whole(path: Path) -> Iterator[tuple[Any, bytes]]:
    data = read_bytes(path).removeprefix(BOM_UTF8)
    content = _parsed(data)
    if content is None:
        raise UserError(f"{path.name} is no JSON; a file with an entry a line is called .jsonl")
    for entry in content if isinstance(content, list) else [content]:
        yield entry, b""


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _text_of(entry: Any, field: str) -> tuple[str | None, set[str]]:
    """The text of an entry, or None and the fields that hold texts."""
    if isinstance(entry, str):
        return entry, set()
    if not isinstance(entry, dict):
        return None, set()
    if isinstance(entry.get(field), str):
        return entry[field], set()
    for name in ("messages", "conversations"):
        if isinstance(entry.get(name), list) and (chat := messages_text(entry[name])):
            return chat, set()
    return None, {str(name)[:40] for name, value in entry.items() if isinstance(value, str)}


def messages_text(messages: list[Any]) -> str:
    """A chat as `role: content` paragraphs; content may be text or a list of parts, of which the texts are taken."""
    said = []
    for message in messages:
        if not isinstance(message, dict):
            continue
        who = next((message[key] for key in ("role", "from", "name") if isinstance(message.get(key), str)), "")
        what = next((message[key] for key in ("content", "value", "text") if message.get(key)), "")
        if isinstance(what, list):
            texts = [
                part if isinstance(part, str) else part.get("text") for part in what if isinstance(part, str | dict)
            ]
            what = "".join(text for text in texts if isinstance(text, str))
        if isinstance(what, str) and what.strip():
            said.append(f"{who}: {what.strip()}" if who else what.strip())
    return "\n\n".join(said)
