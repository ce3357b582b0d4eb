"""The main job: from a page of words to a film that plays anywhere and says how it was made."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mofang import trust
from mofang.apps.export import desk, part, send
from mofang.apps.make.assemble import Film, assemble, faces
from mofang.apps.make.board import Wishes, board
from mofang.apps.make.music import is_file, scored
from mofang.apps.make.pictures import pictures, write_png
from mofang.apps.make.script import Script, from_brief, from_file, is_brief
from mofang.apps.make.storyboard import FPS, SIZES, Storyboard, is_storyboard, loads
from mofang.apps.make.voices import voices
from mofang.models.licences import noncommercial, warning
from mofang.studio import Studio, UserError
from mofang.studio.progress import Event, Stages
from mofang.video import Encoding, render
from mofang.video.otio import export
from mofang.video.plates import cover
from mofang.video.subtitles import srt, vtt

STAGES = {
    "script": 1.0,
    "storyboard": 2.0,
    "pictures": 5.0,
    "voices": 22.0,
    "timeline": 3.0,
    "render": 34.0,
    "publish": 3.0,
}
"""The stages in order, and about how much of the time each takes."""

Listener = Callable[[Event], None]


@dataclass(frozen=True)
class Done:
    """What was made: the folder, the files in it, what the creator should know."""

    folder: Path
    files: tuple[Path, ...]
    notes: tuple[str, ...]


def make(
    studio: Studio,
    source: str,
    out: Path,
    wishes: Wishes | None = None,
    *,
    engine: str = "",
    scenes: int = 8,
    until: str = "publish",
    listen: Listener = lambda event: None,
    preset: str = "veryfast",
) -> Done:
    """Make a film from a text file, a storyboard file, or a brief, in `out/<title>/`.

    Stages whose recipe was made before are not made again, so an interrupted run goes on where it stopped and an edited
    storyboard costs only what changed. `until` stops after a stage. Raises `UserError`.
    """
    if until not in STAGES:
        raise UserError(f"there is no stage '{until[:30]}'; choose one of: {', '.join(STAGES)}")
    wanted = wishes or Wishes()
    stages = Stages(STAGES, listen)
    # A minute of film takes about as much: pictures, recordings, chunks, and the film twice while it is signed.
    studio.require_space(200 << 20)
    plan, base = _plan(source, wanted, engine, scenes, stages, studio.folder)
    if isinstance(plan, Script) and until == "script":
        return _written(out, plan.title, "script.md", _as_markdown(plan), plan.notes)
    story = board(plan, wanted, Path.cwd()) if isinstance(plan, Script) else _with(plan, wanted)
    if isinstance(plan, Script) or wanted.music:
        asked = wanted.music or (dict(plan.front).get("music", "") if isinstance(plan, Script) else "")
        story = scored(story, asked, studio.folder)
    stages.of("storyboard")(1.0, story.title)
    if until in ("script", "storyboard"):
        return _written(out, story.title, "storyboard.json", story.dumps(), story.notes)
    painted = pictures(studio, story, base, stages.of("pictures"))
    if until == "pictures":
        return _plain(out, story, [making.asset.path for making in painted], "pictures")
    spoken = voices(studio, story, stages.of("voices"))
    if until == "voices":
        return _plain(out, story, [making.asset.path for making in spoken], "voices")
    film = assemble(studio, story, painted, spoken, stages.of("timeline"))
    story = replace(story, score=film.score)
    stages.of("timeline")(1.0, story.title)
    folder = folder_for(out, story.title)
    if until == "timeline":
        return _written(
            out,
            story.title,
            "timeline.json",
            json.dumps(film.timeline.to_json(), ensure_ascii=False, indent=1),
            story.notes,
        )
    cache = (
        studio.folder
        / "cache"
        / "film"
        / hashlib.sha256(str(folder.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    )
    rendered = cache / "film.mp4"
    render(
        film.timeline,
        rendered,
        film.style,
        cache=cache / "chunks",
        encoding=Encoding(preset),
        progress=stages.of("render"),
    )
    if until == "render":
        return Done(cache, (rendered,), story.notes)
    return _publish(studio, story, film, rendered, folder, stages)


def _plan(source: str, wanted: Wishes, engine: str, scenes: int, stages: Stages, studio: Path
          ) -> tuple[Script | Storyboard, Path]:  # fmt: skip
    """The first stage: a script, or a storyboard somebody edited, and the folder its relative paths start from."""
    report = stages.of("script")
    if is_brief(source):
        return from_brief(source, engine, scenes, wanted.seed or 0, studio, report), Path.cwd()
    path = Path(source).expanduser()
    try:
        head = path.read_bytes()[:4096] if path.is_file() and path.stat().st_size < 64 << 20 else b""
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; check its permissions") from error
    plan: Script | Storyboard
    if is_storyboard(head):
        try:
            plan = loads(path.read_text("utf-8"), path.name)
        except UnicodeDecodeError as error:
            raise UserError(f"{path.name} is not UTF-8; save it as UTF-8 and run it again") from error
    else:
        plan = from_file(path)
    report(1.0, path.name)
    return plan, path.parent


def _with(story: Storyboard, wanted: Wishes) -> Storyboard:
    """A storyboard with what the command line asks otherwise."""
    changes = {
        name: value
        for name in ("title", "author", "voice", "aspect", "style", "music", "speed", "image_engine")
        if (value := getattr(wanted, name))
    }
    if "aspect" in changes and changes["aspect"] not in SIZES:
        raise UserError(f"there is no aspect '{changes['aspect'][:20]}'; choose one of: {', '.join(SIZES)}")
    if wanted.effects is not None:
        changes["effects"] = wanted.effects
    if "music" in changes and not is_file(changes["music"]):
        changes["music"] = ""
    return replace(story, **changes)


def folder_for(out: Path, title: str) -> Path:
    """Where a piece of that title goes: its name without what file systems cannot hold, at most 60 characters."""
    name = re.sub(r'[\x00-\x1f<>:"/\\|?*\x7f\ud800-\udfff]+', " ", title)
    name = re.sub(r"\s+", " ", name).strip(" .")[:60].strip(" .")
    # Sixty Chinese characters are 180 bytes; names end at 255.
    return out / (name or "untitled")


def _publish(studio: Studio, story: Storyboard, film: Film, rendered: Path, folder: Path, stages: Stages) -> Done:
    """Every file of the piece, through the only door out."""
    report = stages.of("publish")
    _keep_edits(folder / "storyboard.json", story.dumps())
    parts = tuple(part(making) for making in film.parts)
    claim = trust.Claim(
        story.title, "compositeWithTrainedAlgorithmicMedia", story.lang, story.author, parts, film.credits
    )
    width, height = SIZES[story.aspect]
    files: list[Path] = []
    with desk(studio) as place:
        write_png(
            place / "cover.png", cover(film.parts[0].asset.path, story.title, story.author, width, height, faces())
        )
        (place / "film.srt").write_text(srt(film.timeline.captions, FPS), "utf-8")
        (place / "film.vtt").write_text(vtt(film.timeline.captions, FPS), "utf-8")
        (place / "storyboard.json").write_text(story.dumps(), "utf-8")
        export(film.timeline, story.title, place / "film.otio")
        sources = [
            rendered,
            *(place / each for each in ("film.srt", "film.vtt", "storyboard.json", "cover.png", "film.otio")),
        ]
        for number, source in enumerate(sources):
            report(number / len(sources), source.name)
            send(studio, source, folder / source.name, claim)
            files.append(folder / source.name)
    studio.add_piece(story.title, "film", folder, [each.asset for each in parts])
    report(1.0, story.title)
    terms = (warning(credit.title, credit.licence) for credit in film.credits if noncommercial(credit.licence))
    return Done(folder, tuple(files), (*story.notes, *terms))


def _keep_edits(path: Path, new: str) -> None:
    """A storyboard edited by hand is not overwritten without a copy."""
    if path.is_file() and path.read_text("utf-8", "replace") != new:
        shutil.copyfile(path, path.with_name("storyboard.previous.json"))


def _written(out: Path, title: str, name: str, text: str, notes: Sequence[str]) -> Done:
    from mofang.studio.atomic import write_atomic

    path = folder_for(out, title) / name
    if name == "storyboard.json":
        _keep_edits(path, text)
    write_atomic(path, text)
    return Done(path.parent, (path,), tuple(notes))


def _plain(out: Path, story: Storyboard, assets: list[Path], name: str) -> Done:
    """The storyboard, and where a stage's assets lie in the studio; nothing leaves it."""
    done = _written(out, story.title, "storyboard.json", story.dumps(), story.notes)
    return Done(done.folder, (*done.files, *assets), done.notes)


def _as_markdown(script: Script) -> str:
    front = f"---\ntitle: {script.title}\nlang: {script.lang}\n---\n\n"
    return front + "\n\n".join(said.text for said in script.said) + "\n"
