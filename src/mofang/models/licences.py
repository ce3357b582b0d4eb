"""What models of others say of their terms."""

import re
from pathlib import Path

from mofang.studio.words import say

UNKNOWN = "unknown"
_SAID = re.compile(r"^license:[ \t]*[\"']?([\w.+-]+)", re.MULTILINE)
_NAMED = re.compile(r"^license_name:[ \t]*[\"']?([\w.+-]+)", re.MULTILINE)
_NONCOMMERCIAL = re.compile(r"(?:^|[-_ ])nc(?:$|[-_ ])|non-?commercial|research[-_ ]only", re.IGNORECASE)


def licence_of(folder: Path) -> str:
    """The licence that a model's README tells in its front matter, as the hub has it (`cc-by-nc-4.0`); `unknown` if it tells
    none. https://huggingface.co/docs/hub/model-cards"""
    try:
        with (folder / "README.md").open(encoding="utf-8") as file:
            head = file.read(8192)
    except (OSError, UnicodeDecodeError):
        return UNKNOWN
    said = _SAID.search(head)
    if said and said[1] == "other" and (named := _NAMED.search(head)):
        return named[1]
    return said[1] if said else UNKNOWN


def noncommercial(licence: str) -> bool:
    """Whether a licence of that name keeps money out: CC-BY-NC, research only."""
    return _NONCOMMERCIAL.search(licence) is not None


def warning(model: str, licence: str) -> str:
    """What the creator should know of a model's terms before what it made is sold, in a line; empty for nothing."""
    if noncommercial(licence):
        return say(f"{model} is under {licence}: what it makes may not be used to earn money",
                   f"{model} 的许可是 {licence}：生成的内容不得用于商业用途")  # fmt: skip
    if licence == UNKNOWN:
        return say(f"{model} does not say its licence; read its terms before you sell what it makes",
                   f"{model} 没有写明许可；将生成内容用于商业前请先查看其条款")  # fmt: skip
    return ""
