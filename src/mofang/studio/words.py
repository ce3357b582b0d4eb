"""Interface strings in the creator's language."""

import locale
import os
from pathlib import Path
from typing import Literal


def language() -> Literal["zh", "en"]:
    """`zh` or `en`: `MOFANG_LANG` if set, else the locale's."""
    chosen = os.environ.get("MOFANG_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "zh" if (chosen or locale.getlocale()[0] or "").lower().startswith(("zh", "chinese")) else "en"


def shown(path: Path | str) -> str:
    """A path, or a file's name, as it can be printed on one line and stored as UTF-8, whatever bytes it is made of."""
    text = str(path).encode("utf-8", "backslashreplace").decode()
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)


def say(en: str, zh: str) -> str:
    """The one of the two that the creator reads."""
    return zh if language() == "zh" else en
