"""Front matter: the `key: value` lines between two `---` at the top of a text."""

import re

KEYS = ("title", "author", "voice", "aspect", "music", "style", "lang", "speed")
_ALIASES = {"标题": "title", "題目": "title", "题目": "title", "标題": "title", "作者": "author", "声音": "voice", "聲音": "voice",
            "画幅": "aspect", "畫幅": "aspect", "音乐": "music", "音樂": "music", "风格": "style", "風格": "style",
            "语言": "lang", "語言": "lang", "language": "lang", "语速": "speed", "語速": "speed"}  # fmt: skip
_LINE = re.compile(r"([^\s:：#\-][^:：]{0,60}?)\s*(?::(?:\s+|$)|：\s*)(.*)$")


def split_front(text: str) -> tuple[dict[str, str], str]:
    """The front matter and the rest of `text`.

    A subset of YAML: one `key: value` a line, quotes optional, `#` comments, list lines joined with commas. A `---` that
    opens no such lines is a rule, and the text is left as it is. Chinese key names and the full-width colon are understood.
    """
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return {}, text
    end = next((at for at, line in enumerate(lines[1:200], 1) if line.rstrip() in ("---", "...")), 0)
    front: dict[str, str] = {}
    key = ""
    for line in lines[1:end]:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if key and (line[0] in " \t" or line.startswith("- ")):
            front[key] = ", ".join(part for part in (front[key], _value(line.strip().removeprefix("- "))) if part)
        elif found := _LINE.match(line):
            key = found[1].strip().lower()
            key = _ALIASES.get(key, key)
            front[key] = _value(found[2].strip())
        else:
            return {}, text
    return (front, "\n".join(lines[end + 1 :])) if end else ({}, text)


def _value(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return re.split(r"\s#", text, maxsplit=1)[0].strip()
