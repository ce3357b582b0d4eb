"""A script performed by several voices: each line an asset, the mix another, captions beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from mofang import trust
from mofang.apps import sounds
from mofang.apps.export import bare, part, public, release, release_text
from mofang.apps.make import voices
from mofang.apps.make.storyboard import Picture, Shot, Storyboard
from mofang.apps.speak import terms_of
from mofang.sound import Voice, pcm
from mofang.sound.engines.base import Speech
from mofang.sound.mix import RATE
from mofang.sound.stage import casting, play, script
from mofang.sound.stage.emotion import Delivery
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.studio.progress import Progress, silent
from mofang.text.decode import decode
from mofang.text.language import language_of
from mofang.video import split
from mofang.video.subtitles import srt, vtt
from mofang.video.timeline import Caption

ENGINE, VERSION = "performance", "2"
FPS = 100
"""Captions beside sound have no frames; hundredths of a second are as fine as players go."""


@dataclass(frozen=True)
class Wish:
    """How a script is performed: who is cast (speaker → voice), `speed` of all, the `room`, `gap` stretching the rests."""

    cast: Mapping[str, str] = field(default_factory=dict)
    speed: float = 1.0
    room: str = "studio"
    gap: float = 1.0


@dataclass(frozen=True)
class Performed:
    """The files written, who spoke whom, and what the creator should know of the terms of those voices."""

    paths: tuple[Path, ...]
    cast: Mapping[str, Voice]
    seconds: float
    notes: tuple[str, ...] = ()


def perform_to(studio: Studio, source: Path, target: Path, wish: Wish, progress: Progress = silent) -> Performed:
    """Perform the script in a file and publish it to `target`, with `.srt` and `.vtt` beside it. Lines that were spoken before
    are not spoken again. Raises `UserError`."""
    sounds.check(target)
    text = _text(source)
    lines = script.read(text, fountain=source.suffix.lower() == ".fountain")
    cast = casting.cast(lines, wish.cast, studio.folder)
    if wish.room not in play.ROOMS:
        raise UserError(f"there is no room '{wish.room[:20]}'; choose one of: {', '.join(play.ROOMS)}")
    makings = _spoken(studio, lines, cast, wish.speed, progress)
    speeches = [_heard(making) for making in makings]
    cues = play.schedule(lines, [said.duration for said in speeches], wish.gap)
    recipe = _recipe(lines, cues, makings, wish)
    making = studio.make(recipe, ".wav", lambda path: produce(studio, recipe, path))
    title, lang = source.stem[:60], language_of(text)
    told = {"cast": {name: voice.name for name, voice in cast.items()}, "speed": wish.speed, "gap": wish.gap}
    claim = trust.Claim(title, "compositeWithTrainedAlgorithmicMedia", lang, parts=tuple(part(each) for each in (making, *makings)),
                        credits=making.made.credits,
                        facts={"recipe": public(replace(recipe, parents=())), "files": {"script": source.name},
                               "wish": bare(told)})  # fmt: skip
    sound = release(studio, making, target, claim, _convert)
    captions = _captions(cues, speeches, len(trust.label_audio(np.zeros(0, np.float32), RATE)) / RATE)
    beside = tuple(release_text(studio, words, target.with_suffix(suffix), claim)
                   for suffix, words in ((".srt", srt(captions, FPS)), (".vtt", vtt(captions, FPS))))  # fmt: skip
    notes = terms_of(voice.name for voice in cast.values())
    return Performed((sound, *beside), cast, float(making.made.facts["seconds"]), notes)


def produce(studio: Studio, recipe: Recipe, target: Path) -> Made:
    """The mix of a recipe, whose parents are the lines spoken. Raises `UserError` if one of them is gone."""
    makings = [studio.making(studio.asset(parent)) for parent in recipe.parents]
    cues, said = [], []
    for (speaker, pitch, gain, start), making in zip(recipe.params["lines"], makings, strict=True):
        line, heard = script.Line(speaker, "", Delivery(pitch=pitch, gain=gain)), _heard(making)
        cues.append(play.Cue(line, start, start + heard.duration))
        said.append(play.voiced(heard, line))
    mixed = play.perform(cues, said, play.seats([cue.line.speaker for cue in cues]), recipe.params["room"])
    pcm.write_wav(target, mixed, RATE)
    return Made(tuple(sorted({credit for each in makings for credit in each.made.credits})), {"seconds": len(mixed) / RATE})


def _text(source: Path) -> str:
    if not source.is_file():
        raise UserError(f"{source} does not exist; give a script (.txt, .md or .fountain)")
    if source.stat().st_size > 8 << 20:
        raise UserError(f"{source.name} is larger than 8 MB, which is no script; perform it scene by scene")
    return decode(source.read_bytes(), source.name)[0]


def _spoken(studio: Studio, lines: list[script.Line], cast: Mapping[str, Voice], speed: float, progress: Progress) -> list[Making]:
    makings = []
    for number, line in enumerate(lines):
        progress(number / len(lines), f"{number + 1}/{len(lines)}")
        voice = cast[line.speaker]
        shot = Shot("line", line.text, Picture())
        pace = round(min(max(speed * line.delivery.speed, 0.5), 2.0), 4)
        made_by = voices.recipe(shot, Storyboard("", voice.language, (shot,), voice=voice.name, speed=pace))
        try:
            makings.append(studio.make(made_by, ".wav", lambda path, by=made_by: voices.produce(by, path)))  # type: ignore[misc]
        except UserError as error:
            raise UserError(f"line {number + 1} ({line.speaker or 'narrator'}: {line.text[:24]}): {error}") from error
    progress(1.0, f"{len(lines)}/{len(lines)}")
    return makings


def _heard(making: Making) -> Speech:
    return Speech(pcm.read(making.asset.path, 24_000), 24_000, voices.alignment(making))


def _recipe(lines: list[script.Line], cues: list[play.Cue], makings: list[Making], wish: Wish) -> Recipe:
    said = [[line.speaker, line.delivery.pitch, line.delivery.gain, round(cue.start, 4)]
            for line, cue in zip(lines, cues, strict=True)]  # fmt: skip
    return Recipe(ENGINE, VERSION, params={"lines": said, "room": wish.room}, parents=tuple(each.asset.id for each in makings))


def _convert(source: Path, desk: Path) -> None:
    sounds.write(desk, pcm.read(source, RATE, 2), RATE)


def _captions(cues: list[play.Cue], speeches: list[Speech], lead: float) -> list[Caption]:
    """Every line's captions, the speaker's name before the first where there are several; `lead` seconds come before."""
    several = len({cue.line.speaker for cue in cues}) > 1
    made: list[Caption] = []
    before: str | None = None
    for number, (cue, said) in enumerate(zip(cues, speeches, strict=True)):
        following = cues[number + 1].start if number + 1 < len(cues) else cue.end + 1
        last = round((max(following, cue.end) + lead) * FPS)
        parts = split(said.alignment, FPS, round((cue.start + lead) * FPS), last)
        if parts and several and cue.line.speaker not in (before, script.NARRATOR):
            colon = "：" if language_of(cue.line.speaker) == "zh" else ": "
            first, *rest = parts[0].words
            parts[0] = replace(parts[0], words=(replace(first, text=cue.line.speaker + colon + first.text), *rest))
        before = cue.line.speaker
        made += parts
    return made

