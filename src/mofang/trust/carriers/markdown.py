"""Markdown: a map `AIGC:` in the YAML front matter (TC260-PG-20258A)."""

import json
import re

FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^(---|\.\.\.)[ \t]*\r?\n", re.DOTALL | re.MULTILINE)
MAP = re.compile(r"^AIGC:[ \t]*(\{.*\})?[ \t]*\r?\n((?:[ \t]+\S.*\r?\n)*)", re.MULTILINE)
PAIR = re.compile(r"""^\s+["']?(\w+)["']?:\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|(.*?))\s*$""", re.MULTILINE)


def read(data: bytes) -> list[str]:
    """Every AIGC map in the front matter, as the JSON it stands for."""
    front = FRONT.match(data.decode("utf-8", "replace"))
    found = []
    for match in MAP.finditer(front[1]) if front else ():
        pairs = {m[1]: next((v for v in m.groups()[1:] if v is not None), "") for m in PAIR.finditer(match[2])}
        found.append(match[1] or json.dumps(pairs, ensure_ascii=False, separators=(",", ":")))
    return found


def write(data: bytes, record: str) -> bytes:
    """One AIGC map, written as YAML's flow style, which is JSON."""
    text = data.decode("utf-8", "replace")
    front = FRONT.match(text)
    line = f"AIGC: {record}\n"
    if front is None:
        return f"---\n{line}---\n\n{text}".encode()
    rest = MAP.sub("", front[1])
    return f"---\n{rest}{line}---\n{text[front.end() :]}".encode()
