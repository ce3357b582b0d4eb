"""A spoken file read back and compared with what it should say."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from html import unescape
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mofang import trust
from mofang.apps import audiobook
from mofang.apps.fingerprints import FILMS
from mofang.apps.make import storyboard, voices
from mofang.sound import pcm
from mofang.sound.frontend import Lang
from mofang.sound.hearing import RATE, Checked, Recogniser, Whisper, check, wanted
from mofang.sound.stage import script as stage
from mofang.studio import Making, Studio, UserError
from mofang.studio.progress import Progress, silent
from mofang.text.book import read_book
from mofang.text.decode import decode
from mofang.text.language import language_of
from mofang.trust.labels import rhythm

LONGEST = 3 * 3600.0
"""Seconds that are heard in one go."""
LARGEST = 8 << 20
"""Bytes of a script."""
CAPTIONS = (".srt", ".vtt")
BOOKS = (".md", ".markdown", ".txt")
"""What an audiobook is made of, besides EPUB; each of them may be a script too."""


def check_file(studio: Studio, path: Path, text: str = "", script: Path | None = None, language: Lang | None = None,
               recogniser: Recogniser | None = None, progress: Progress = silent, cast: Collection[str] = ()) -> Checked:  # fmt: skip
    """Hear the sound or film at `path` and compare it with `text`, with what a `script` has spoken, or with what the file's own
    recipe says. `cast` are the script's speakers, if the file does not tell. Raises `UserError`, also if none of them says
    anything."""
    if text and script:
        raise UserError("--text and --script both say what is spoken; give one of them")
    if cast and not script:
        raise UserError("--cast says who speaks in a script; give it with --script FILE")
    if not path.is_file():
        raise UserError(f"there is no file {path}; check the name")
    words = text or (spoken_in(script, cast, _lineage(studio, path)) if script else told_by(studio, path))
    if not words.strip():
        raise UserError(f"{path.name} does not tell what is spoken in it; give --text TEXT or --script FILE")
    lang = language or language_of(words)
    wanted(words, lang)  # What is wrong with them is said before minutes are spent on hearing.
    hear = recogniser or Whisper()
    samples = pcm.read(path, RATE, longest=LONGEST)
    if trust.has_audio_label(samples, RATE):
        samples[: len(rhythm(RATE))] = 0  # No word, and the times that are told stay those of the file.
    return check(words, hear(samples, lang, progress), lang)


def spoken_in(script: Path, cast: Collection[str] = (), lineage: Mapping[str, Any] = MappingProxyType({})) -> str:
    """The words that a script, a storyboard, a book or captions have spoken: as the maker of a file with this `lineage` read them.

    A plain text is one person's where it was only said, or names no speakers in the way of a dialogue; else names are cues. If
    `cast` is given, they are the names. Raises `UserError`.
    """
    suffix, made = script.suffix.lower(), _recipe(lineage)
    if suffix == ".epub" or (made.get("engine") == audiobook.ENGINE and suffix in BOOKS):
        return "\n\n".join(f"{chapter.title}\n\n{chapter.text}" for chapter in read_book(script).chapters)
    if not script.is_file() or script.stat().st_size > LARGEST:
        raise UserError(f"{script} is no script; give a text, a storyboard, captions or a book of at most {LARGEST >> 20} MB")
    data = script.read_bytes()
    if storyboard.is_storyboard(data):
        return "\n".join(shot.text for shot in storyboard.load(script).shots)
    text = decode(data, script.name)[0]
    if suffix in CAPTIONS:
        return _without_names(_captions(text, script.name), lineage)
    if made.get("engine") in voices.ENGINES and not cast:
        return text
    speakers: Collection[str] | None = cast or _cast(lineage)
    if not speakers:
        speakers = None if stage.is_dialogue(text) else ()
    return "\n".join(line.text for line in stage.read(text, fountain=suffix == ".fountain", speakers=speakers))


def told_by(studio: Studio, path: Path) -> str:
    """What is spoken in a file of ours: by the recipes of the lines in it, by the one it carries, or by the storyboard or the captions
    beside it; empty if nobody tells. Raises `UserError`."""
    lineage = _lineage(studio, path)
    parts = [making for part in lineage.get("parts") or () if (making := _known(studio, str(part.get("asset"))))]
    if lines := _lines(studio, parts):
        return "\n".join(lines)
    if said := _carried(lineage):
        return said
    board = path.with_name("storyboard.json")
    if path.suffix.lower() in FILMS and board.is_file():
        return spoken_in(board)
    beside = next((path.with_suffix(suffix) for suffix in CAPTIONS if path.with_suffix(suffix).is_file()), None)
    return spoken_in(beside, lineage=lineage) if beside else ""


def _lineage(studio: Studio, path: Path) -> Mapping[str, Any]:
    """What a file carries of how it was made."""
    report = trust.verify(path, studio.folder)
    return report.credentials.lineage if report.credentials else {}


def _recipe(lineage: Mapping[str, Any]) -> Mapping[str, Any]:
    """The recipe in it, empty if there is none."""
    try:
        told = json.loads(lineage["recipe"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) and isinstance(told.get("engine"), str) else {}


def _carried(lineage: Mapping[str, Any]) -> str:
    """The text of speech that another studio made."""
    recipe = _recipe(lineage)
    return str(recipe.get("prompt", "")) if recipe.get("engine") in voices.ENGINES else ""


def _known(studio: Studio, asset: str) -> Making | None:
    try:
        return studio.making(studio.asset(asset))
    except UserError:
        return None


def _lines(studio: Studio, parts: Sequence[Making]) -> list[str]:
    """The lines in the order they are heard: of what was mixed from them, which tells all of them; else the parts themselves."""
    for making in parts:
        inside = [each for parent in making.recipe.parents if (each := _known(studio, parent))]
        if lines := list(_said(inside)):
            return lines
    return list(_said(parts))


def _said(makings: Sequence[Making]) -> Iterator[str]:
    for making in makings:
        if making.recipe.engine in voices.ENGINES:
            yield str(making.recipe.prompt)


def _captions(text: str, name: str) -> str:
    import pysubs2

    try:
        # WebVTT has a time before every word, and entities.
        return "\n".join(unescape(re.sub("<[^<>]*>", "", event.plaintext)) for event in pysubs2.SSAFile.from_string(text))
    except (pysubs2.exceptions.Pysubs2Error, ValueError) as error:
        raise UserError(f"{name} holds no captions ({str(error)[:60]}); give SRT or WebVTT") from error


def _cast(lineage: Mapping[str, Any]) -> list[str]:
    """Who speaks in a performance besides the narrator, who needs no name."""
    try:
        return [str(name) for name in json.loads(lineage["wish"])["cast"] if name]
    except (KeyError, TypeError, ValueError, RecursionError):
        return []


def _without_names(captions: str, lineage: Mapping[str, Any]) -> str:
    """Captions of a performance without the speakers' names before their lines, which nobody says."""
    cast = _cast(lineage)
    return re.sub(rf"^(?:{'|'.join(map(re.escape, cast))})[:：]\s*", "", captions, flags=re.MULTILINE) if cast else captions
