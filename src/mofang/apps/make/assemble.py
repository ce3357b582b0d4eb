"""Fifth stage: pictures and recordings on one timeline, with title, captions, credits, label and mix."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang import models, trust
from mofang.apps.make import music as composer
from mofang.apps.make import soundtrack
from mofang.apps.make.ambience import BELOW_VOICE, Around, around, under
from mofang.apps.make.storyboard import FPS, SIZES, Storyboard, Tune
from mofang.apps.make.voices import alignment
from mofang.sound import pcm
from mofang.sound.mix import RATE, Clip, mix
from mofang.studio import Made, Making, Recipe, Studio
from mofang.studio.credit import Credit
from mofang.studio.progress import Progress, silent
from mofang.studio.typeset import Typeface
from mofang.video import Caption, Motion, Overlay, Shot, Style, Timeline, Transition, View, choose, split
from mofang.video.plates import Faces, backdrop, credits, title

TITLE_FRAMES = round(2.6 * FPS)
CREDITS_FRAMES = round(3.0 * FPS)
LABEL_FRAMES = round(2.5 * FPS)
OVERLAP = round(0.5 * FPS)
LEAD = 0.32
"""Seconds from a shot's first frame to its first word: the old picture should be half gone by then."""

MIX_VERSION = "1"


@dataclass(frozen=True)
class Film:
    """Everything the renderer needs, the captions' style, and whose work is in it."""

    timeline: Timeline
    style: Style
    credits: tuple[Credit, ...]
    parts: tuple[Making, ...]
    score: Tune | None = None


def faces() -> Faces:
    """The typefaces of films."""
    font = models.ensure("font-noto-sans-sc")
    return Faces(Typeface((font.file("bold"),)), Typeface((font.file("regular"),)))


def assemble(studio: Studio, board: Storyboard, pictures: Sequence[Making], voices: Sequence[Making],
             progress: Progress = silent) -> Film:  # fmt: skip
    """The film's timeline. Lettering and sound are assets too, made once; `progress` is that of music by a pretrained model."""
    width, height = SIZES[board.aspect]
    face = faces()
    whose = tuple(sorted({credit for making in (*pictures, *voices) for credit in making.made.credits}))
    shots = [
        Shot(
            _card(studio, pictures[0], width, height).asset.path,
            TITLE_FRAMES,
            Motion(View(0.5, 0.5, 1.0), View(0.5, 0.5, 1.05)),
        )
    ]
    captions: list[Caption] = []
    clips: list[Clip] = []
    scenes: list[tuple[str, float, float]] = []
    frame = TITLE_FRAMES
    for number, (shot, picture, voice) in enumerate(zip(board.shots, pictures, voices, strict=True)):
        seconds = voice.made.facts["seconds"]
        frames = max(round((LEAD + seconds + shot.pause) * FPS), 2 * OVERLAP)
        left, top, wide, high = picture.made.facts["focus"]
        motion = choose(number, (left, top, wide, high), _size(picture), (width, height))
        transition = None if shot.transition == "none" else Transition(shot.transition, OVERLAP)
        shots.append(Shot(picture.asset.path, frames, motion, transition))
        spoken = frame + round(LEAD * FPS)
        captions += split(alignment(voice), FPS, spoken, frame + frames)
        clips.append(Clip(pcm.read(voice.asset.path, RATE), RATE, spoken / FPS))
        scenes.append((shot.text, frame / FPS, (frame + frames) / FPS))
        frame += frames
    tuneful = composer.credits(studio, board.score) if board.score else ()
    whose = tuple(sorted({*whose, *tuneful, *soundtrack.credits(board.music)}))
    pages = credits(_credit_lines(board, whose), width, height, face)
    closing = _card(studio, pictures[-1], width, height).asset.path
    overlays = [
        _overlay(studio, title(board.title, board.author, width, height, face), 0, 0, TITLE_FRAMES, 8),
        _label(studio, width, height, board.lang),
    ]
    for number, page in enumerate(pages):
        still = Motion(View(0.5, 0.5, 1.05), View(0.5, 0.5, 1.0)) if not number else Motion()
        shots.append(Shot(closing, CREDITS_FRAMES, still, Transition("crossfade", OVERLAP)))
        overlays.append(_overlay(studio, page, 0, frame + 4, frame + CREDITS_FRAMES, 10))
        frame += CREDITS_FRAMES
    tune = composer.fitted(board.score, frame / FPS) if board.score else None
    tunes = composer.played(studio, tune, frame / FPS, tuneful) if tune else ()
    if soundtrack.is_asked(board.music):
        tunes = (soundtrack.composed(studio, board, composer.mood_of(board), frame / FPS, progress),)
    music = tunes[-1].asset.path if tunes else Path(board.music) if board.music else None
    heard = around(scenes, board.seed) if board.effects else ()
    audio = _mix(studio, clips, voices, frame / FPS, music, heard)
    timeline = Timeline(width, height, FPS, tuple(shots), tuple(captions), tuple(overlays), audio.asset.path)
    return Film(timeline, Style.of(face.bold, width, height), whose, (*pictures, *voices, *tunes, audio), tune)


def _size(picture: Making) -> tuple[int, int]:
    width, height = picture.recipe.params["size"]
    return width, height


def _card(studio: Studio, picture: Making, width: int, height: int) -> Making:
    """A quiet version of a picture, to carry lettering."""
    from mofang.apps.make.pictures import write_png

    made_by = Recipe("backdrop", "1", params={"size": [width, height]}, parents=(picture.asset.id,))

    def produce(target: Path) -> Made:
        write_png(target, backdrop(picture.asset.path, width, height))
        return Made(picture.made.credits)

    return studio.make(made_by, ".png", produce)


def _overlay(studio: Studio, image: NDArray[np.uint8], offset: int, start: int, end: int, fade: int) -> Overlay:
    from PIL import Image

    made_by = Recipe("lettering", "1", prompt=_digest(image))

    def produce(target: Path) -> Made:
        Image.fromarray(image).save(target, "PNG", compress_level=1)
        return Made()

    return Overlay(studio.make(made_by, ".png", produce).asset.path, offset, offset, start, end, fade)


def _label(studio: Studio, width: int, height: int, lang: str) -> Overlay:
    """The explicit AI label over the film's first seconds; `trust` says how it looks."""
    label = trust.overlay(width, height, lang)
    overlay = _overlay(studio, label.image, 0, 0, LABEL_FRAMES, 0)
    return Overlay(overlay.image, label.x, label.y, 0, LABEL_FRAMES)


def _digest(image: NDArray[np.uint8]) -> str:
    import hashlib

    return hashlib.sha256(image.tobytes() + repr(image.shape).encode()).hexdigest()


def _credit_lines(board: Storyboard, whose: Sequence[Credit]) -> list[str]:
    zh = board.lang == "zh"
    lines = [f"《{board.title}》" if zh else board.title]
    if board.author:
        lines.append(f"文　{board.author}" if zh else f"Words by {board.author}")
    lines.append("")
    lines += [credit.line() for credit in whose]
    if board.score:
        lines.append(f"音乐　墨坊作曲 · {board.score.style}" if zh else f"Music: composed by Mofang · {board.score.style}")
    elif board.music and not soundtrack.is_asked(board.music):
        lines.append(f"音乐　{Path(board.music).stem}" if zh else f"Music: {Path(board.music).stem}")
    lines += ["", "画面与声音由 AI 生成 · 墨坊制作" if zh else "Pictures and voice made with AI · Mofang"]
    return lines


def _mix(studio: Studio, clips: Sequence[Clip], voices: Sequence[Making], seconds: float, music: Path | None,
         effects: Sequence[Around]) -> Making:  # fmt: skip
    """Voices at their places, music and the scenes' own sounds under them, mastered to −14 LUFS."""
    from mofang.studio.library import file_hash

    made_by = Recipe(
        "mix", MIX_VERSION, prompt=file_hash(music) if music else "",
        params={"starts": [round(clip.start, 5) for clip in clips], "seconds": seconds}
        | ({"effects": [[each.effect, each.start, each.end, each.seed] for each in effects]} if effects else {}),
        parents=tuple(voice.asset.id for voice in voices),
    )  # fmt: skip

    def produce(target: Path) -> Made:
        bed = pcm.read(music, RATE, channels=2) if music else None
        below = BELOW_VOICE if effects and bed is None else 9.0
        bed = under(bed, effects, seconds) if effects else bed
        pcm.write_wav(target, mix(clips, seconds, bed, music_below=below), RATE)
        return Made(facts={"seconds": seconds})

    return studio.make(made_by, ".wav", produce)
