"""Markdown: a map `AIGC:` in the YAML front matter (TC260-PG-20258A)."""

import json
import re

from mofang.trust.carriers import Buffer, Malformed, Pieces

FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
MAP = re.compile(r"^AIGC:[ \t]*(\{.*\})?[ \t]*\r?\n((?:[ \t]+\S.*\n)*)", re.MULTILINE)
PAIR = re.compile(r"""^[ \t]+["']?(\w+)["']?:(.*)$""", re.MULTILINE)


def front_and_body(text: str) -> tuple[str | None, str]:
    """The front matter without its fences, or None, and the text after it."""
    found = FRONT.match(text)
    return (found[1], text[found.end() :]) if found else (None, text)


def read(data: Buffer) -> list[str]:
    """Every AIGC map in the front matter, as the JSON it stands for."""
    front, _ = front_and_body(bytes(data[:]).decode("utf-8-sig", "replace"))
    found = []
    for match in MAP.finditer(front or ""):
        pairs = {pair[1]: pair[2].strip().strip("\"'") for pair in PAIR.finditer(match[2])}
        found.append(match[1] or json.dumps(pairs, ensure_ascii=False, separators=(",", ":")))
    return found


def write(data: Buffer, record: str) -> Pieces:
    """One AIGC map, written in YAML's flow style, which is JSON. Raises `Malformed` on text that is not UTF-8."""
    try:
        text = bytes(data[:]).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed("the text is not UTF-8") from error
    front, body = front_and_body(text)
    end = "\r\n" if "\r\n" in text[:4096] else "\n"
    line = f"AIGC: {record}{end}"
    if front is None:
        return [f"---{end}{line}---{end}{end}{body}".encode()]
    return [f"---{end}{MAP.sub('', front)}{line}---{end}{body}".encode()]
