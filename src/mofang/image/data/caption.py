"""What a picture's maker wrote about it: beside it, in it, or in its name."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

LONGEST = 5000
"""Letters of a caption that are kept."""
LARGEST_FILE = 1 << 20

_HAN = re.compile(r"[\u3400-\u9fff]")
_NO_WORDS = re.compile(
    r"(img|dsc|dscn|dscf|pxl|mvimg|image|picture|photo|screenshot|untitled|wechat|微信图片|截图|图片|照片)?[\W_\d]*"
    r"|[0-9a-f]{8,}|[0-9a-f]{4,6}([-_][0-9a-f]{4,6})*", re.IGNORECASE)  # fmt: skip
"""Names that cameras, programs and hashes give."""


@dataclass(frozen=True)
class Caption:
    """Words by language (`zh`, `en`, or empty for not known), and the style and subject if given."""

    words: dict[str, str] = field(default_factory=dict)
    style: str = ""
    subject: str = ""
    source: str = "none"


def caption_of(path: Path) -> Caption:
    """The caption of a picture: from NAME.json or NAME.txt beside it, its own text fields, or its name, the first that
    has words. Anything that cannot be read counts as not there."""
    beside = _json(path) or _text(path)
    if beside and beside.words:
        return beside
    words, source = _inside(path), "metadata"
    if not words:
        words, source = _named(path.stem), "name"
    kept = {"": words} if words else {}
    return Caption(kept, beside.style if beside else "", beside.subject if beside else "", source if words else "none")


def _json(path: Path) -> Caption | None:
    try:
        value = json.loads(_read(path.with_suffix(".json")))
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    words = {lang: _clean(value[lang]) for lang in ("zh", "en") if isinstance(value.get(lang), str)}
    if not any(words.values()):
        said = next((value[key] for key in ("caption", "text") if isinstance(value.get(key), str)), "")
        words = {"": _clean(said)}
    facts = {key: _clean(value[key])[:200] if isinstance(value.get(key), str) else "" for key in ("style", "subject")}
    return Caption({lang: text for lang, text in words.items() if text}, **facts, source="json")


def _text(path: Path) -> Caption | None:
    """One language, or a line in Chinese and a line without."""
    lines = [_clean(line) for line in _read(path.with_suffix(".txt")).splitlines() if line.strip()]
    if not lines:
        return None
    if len(lines) == 2 and bool(_HAN.search(lines[0])) != bool(_HAN.search(lines[1])):
        chinese, other = sorted(lines, key=lambda line: not _HAN.search(line))
        return Caption({"zh": chinese, "en": other}, source="text")
    return Caption({"": _clean(" ".join(lines))}, source="text")


def _read(path: Path) -> str:
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_FILE:
            return ""
        return path.read_text("utf-8-sig")
    except (OSError, ValueError):
        return ""


def _inside(path: Path) -> str:
    """PNG text (Description, Title, prompt …), or EXIF ImageDescription and UserComment."""
    from PIL import Image

    if path.suffix.lower() == ".svg":
        return ""
    try:
        with Image.open(path) as image:
            for key in ("Description", "description", "Title", "prompt", "parameters", "Comment", "comment"):
                if words := _clean(_as_text(image.info.get(key))):
                    return words
            exif = image.getexif()
            for value in (exif.get(0x010E), exif.get_ifd(0x8769).get(0x9286)):
                if words := _clean(_as_text(value)):
                    return words
    except Exception:  # Whatever a damaged picture makes of its metadata: it has none then.
        return ""
    return ""


def _as_text(value: object) -> str:
    if isinstance(value, bytes):
        # EXIF 2.32, 4.6.5: eight bytes name the encoding of a user comment.
        if value[:7] == b"UNICODE":
            value = value[8:].decode("utf-16", "ignore")
        else:
            value = value.removeprefix(b"ASCII\0\0\0").decode("utf-8", "ignore")
    text = value if isinstance(value, str) else ""
    # Programs that draw from words keep a JSON of everything there; that is no caption.
    return "" if text.lstrip().startswith("{") else text.split("\nNegative prompt:")[0]


def _named(stem: str) -> str:
    if _NO_WORDS.fullmatch(stem):
        return ""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", re.sub(r"[\s_\-.+]+", " ", stem))
    return _clean(re.sub(r"\s*(\(\d+\)|\d+)$", "", spaced.strip()))


def _clean(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: 2 * LONGEST])
    return " ".join(shown.encode("utf-8", "ignore").decode().split())[:LONGEST]
