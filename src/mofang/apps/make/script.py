"""First stage: what is said. A text as it is, or a script written from a brief."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mofang.studio.errors import UserError
from mofang.studio.progress import Progress, silent
from mofang.text.engines.base import TextEngine
from mofang.text.language import language_of
from mofang.text.read import Manuscript, read
from mofang.text.script import write_script
from mofang.text.segment import passages

Lang = Literal["zh", "en"]
LONGEST = 60_000
"""Characters of the longest text one film is made of: three to four hours."""


@dataclass(frozen=True)
class Said:
    """What is said over one picture; `picture` is a file the text itself names, or empty."""

    text: str
    picture: Path | None = None


@dataclass(frozen=True)
class Script:
    """A whole script. `front` holds wishes written at the head of the text, `model` what wrote it (empty: the creator)."""

    title: str
    lang: Lang
    said: tuple[Said, ...]
    author: str = ""
    front: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    model: str = ""


def is_brief(source: str) -> bool:
    """Whether a command's argument is a brief and not the name of a file."""
    try:
        if Path(source).expanduser().exists():
            return False
    except (OSError, ValueError):  # Too long for a name, or with a zero byte: no file.
        return True
    return not re.search(r"\.(md|markdown|txt|json)$", source.strip(), re.IGNORECASE)


def from_file(path: Path) -> Script:
    """The text of a file, cut into passages that each carry one picture. Raises `UserError`."""
    manuscript = read(path)
    if len(manuscript.text) > LONGEST:
        raise UserError(f"{path.name} has {len(manuscript.text):,} characters; one film takes at most {LONGEST:,}: "
                        "give it chapter by chapter")  # fmt: skip
    said = tuple(Said(passage.text, _picture(passage.picture, path.parent)) for passage in passages(manuscript))
    if not said:
        raise UserError(f"{path.name} has no words to say; write some")
    return Script(manuscript.title, manuscript.lang, said, manuscript.author, tuple(manuscript.front.items()),
                  _notes(manuscript))  # fmt: skip


def _notes(manuscript: Manuscript) -> tuple[str, ...]:
    return tuple(manuscript.notes)


def _picture(name: str, folder: Path) -> Path | None:
    """A picture the text names, if it lies in the text's own folder: a text from elsewhere must not show other files."""
    if not name or "://" in name:
        return None
    path = (folder / name).resolve()
    return path if path.is_relative_to(folder.resolve()) and path.is_file() else None


def from_brief(
    brief: str, engine: str, scenes: int, seed: int, studio: Path | None = None, progress: Progress = silent
) -> Script:
    """A script written by the engine of that name (see `text_engine`); with none named, a Chinese brief goes to the poet
    if no larger model is here. Raises `UserError`."""
    if poet := poet_for(brief, engine, studio):
        return from_poet(brief, poet, scenes, seed, progress)
    lang = language_of(brief)
    writer = text_engine(engine, lang, studio)
    try:
        written = write_script(brief, writer, lang=lang, scenes=scenes, seed=seed, progress=progress)
    finally:
        writer.close()
    said = tuple(Said(passage) for passage in written.passages)
    return Script(written.title, written.lang, said, notes=written.notes, model=written.model)


POET = "poem-zh"
"""The shipped model that writes the script of a Chinese brief where no text engine is asked for and none is installed."""


def poet_for(brief: str, engine: str, studio: Path | None) -> Path | None:
    """The folder of the verse model if it is the one to write: no engine named, a Chinese brief, no larger model here."""
    from mofang import models
    from mofang.models import own
    from mofang.text.engines.gguf import BILINGUAL

    if engine or language_of(brief) != "zh" or models.installed(BILINGUAL):
        return None
    return own.names(studio).get(POET)


def from_poet(brief: str, folder: Path, scenes: int, seed: int, progress: Progress = silent) -> Script:
    """A script in verse: quatrains on the brief, a couplet to a passage. Raises `UserError`."""
    from mofang.text.keywords import keywords
    from mofang.text.own import OwnModel
    from mofang.text.poem import write_poem

    subject = " ".join(brief.split()).strip("。！？!?.，, ")
    # A title is short; of a longer brief the words that say most are the theme.
    ask = subject if len(subject) <= 16 and " " not in subject else "#" + " ".join(keywords(subject, "zh", 3))
    model = OwnModel.open(folder)
    couplets: list[str] = []
    for number in range(-(-scenes // 2)):
        progress(2 * number / scenes, subject[:20])
        couplets += write_poem(model, ask, "七绝", seed=seed + number)[0].couplets
    progress(1.0, subject[:20])
    note = (f"{model.name} wrote this in verse; for prose name a text engine (--text-engine), or fetch the default one: "
            "mofang models pull gemma3-270m")  # fmt: skip
    said = tuple(Said(couplet) for couplet in couplets[:scenes])
    return Script(subject[:30], "zh", said, notes=(note,), model=model.name)


def text_engine(name: str, lang: Lang, studio: Path | None = None) -> TextEngine:
    """The engine of that name: `gguf` (the default model, and what no name stands for), `gguf:PATH`, `own:NAME` (a model
    trained here, by name or folder, looked for in the `studio` too), `transformers:FOLDER` or `transformers:OWNER/MODEL`,
    or `openai:MODEL` (base URL from `OPENAI_BASE_URL`). Raises `UserError`."""
    kind, _, rest = name.partition(":")
    if kind in ("gguf", "") or name.endswith(".gguf"):
        from mofang.text.engines.gguf import GGUFEngine, default_engine

        path = rest if kind in ("gguf", "") else name
        return GGUFEngine(path) if path else default_engine(lang)
    if kind == "openai":
        from mofang.text.engines.openai import OpenAIEngine

        return OpenAIEngine(os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1"), rest)
    if kind == "transformers":
        from mofang.text.engines.transformers import TransformersEngine

        return TransformersEngine(rest)
    if kind == "own":
        from mofang.models.own import find
        from mofang.text.engines.own import OwnEngine

        return OwnEngine(find(rest, studio))
    raise UserError(f"there is no text engine '{name[:40]}'; use gguf, gguf:FILE.gguf, own:NAME, transformers:FOLDER or openai:MODEL")
