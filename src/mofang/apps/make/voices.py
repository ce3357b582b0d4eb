"""Fourth stage: every shot's words spoken, with the moment of each."""

from pathlib import Path
from typing import Any

from mofang.apps.make.storyboard import Shot, Storyboard
from mofang.models import own
from mofang.sound import Voice, pcm, speak
from mofang.sound import voice as find_voice
from mofang.sound.cast import ELSEWHERE
from mofang.studio import Made, Making, Recipe, Studio
from mofang.studio.alignment import Aligned
from mofang.studio.credit import Credit
from mofang.studio.progress import Progress, silent

VERSION = "1"
"""Raise when the same words would sound otherwise."""

CREDITS = {
    "kokoro": Credit("Kokoro-82M", "hexgrad", "Apache-2.0", "https://huggingface.co/hexgrad/Kokoro-82M"),
    "hibari": Credit("hibari-tts", "hibari contributors", "Apache-2.0", "https://pypi.org/project/hibari-tts"),
}
ENGINES = frozenset((*CREDITS, "own", *ELSEWHERE))
"""Whatever may speak a line; `own` is a voice the creator trained."""


def recipe(shot: Shot, board: Storyboard) -> Recipe:
    """How a shot's line is spoken."""
    voice = find_voice(shot.voice or board.voice)
    speed = shot.speed or board.speed
    return Recipe(voice.engine, VERSION, _model(voice), shot.text, {"voice": voice.name, "speed": speed})


def _model(voice: Voice) -> str:
    if voice.engine == "openai":
        from mofang.sound.engines.openai_speech import where

        return f"{voice.name.partition(':')[2]}@{where()}"
    if voice.engine == "transformers":
        from mofang.sound.engines.transformers_speech import key

        return key(voice.name)
    if voice.engine == "own":
        return str(card(voice.name)["name"]) + "@" + str(card(voice.name)["sha256"])[:16]
    if voice.engine == "hibari":
        from importlib.metadata import version

        return f"hibari-tts@{version('hibari-tts')}"
    from mofang import models

    return models.card("kokoro-82m").key


def card(name: str) -> dict[str, Any]:
    """The card of a voice of the creator's own."""
    return own.read_card(Path(name.partition("#")[0]))


def _credit(made_by: Recipe) -> Credit:
    if made_by.engine == "transformers":
        from mofang.sound.engines.transformers_speech import checkpoint_of

        checkpoint = checkpoint_of(made_by.params["voice"])
        return Credit(checkpoint.name, "", checkpoint.licence)
    if made_by.engine in ELSEWHERE:
        # Whose work a service's model is, it alone knows.
        return Credit(made_by.model.partition("@")[0], "", "unknown")
    if made_by.engine != "own":
        return CREDITS[made_by.engine]
    told = card(made_by.params["voice"])
    people = {str(work.get("consent") or work.get("name")) for work in told.get("trained_on", [])}
    return Credit(str(told["title"]), ", ".join(sorted(people)), str(told["licence"]), "")


def produce(made_by: Recipe, target: Path, threads: int = 2) -> Made:
    """Speak the line of a recipe into `target` (WAV, mono, 16 bit)."""
    speech = speak(made_by.prompt, made_by.params["voice"], speed=made_by.params["speed"], threads=threads)
    pcm.write_wav(target, speech.samples, speech.rate)
    words = [[word.text, round(word.start, 4), round(word.end, 4)] for word in speech.alignment]
    sounds = [[[each.text, round(each.start, 4), round(each.end, 4)] for each in word.sounds] for word in speech.alignment]
    return Made((_credit(made_by),), {"seconds": len(speech.samples) / speech.rate, "words": words, "sounds": sounds})


def voices(studio: Studio, board: Storyboard, progress: Progress = silent) -> list[Making]:
    """A recording for every shot, in order; those made before are not made again."""
    makings = []
    for number, shot in enumerate(board.shots):
        progress(number / len(board.shots), f"{number + 1}/{len(board.shots)}")
        made_by = recipe(shot, board)
        makings.append(studio.make(made_by, ".wav", lambda target, made_by=made_by: produce(made_by, target)))  # type: ignore[misc]
    progress(1.0, f"{len(board.shots)}/{len(board.shots)}")
    return makings


def alignment(making: Making) -> tuple[Aligned, ...]:
    """When each word of a recording is heard, and its phonemes if the voice told them."""
    words = making.made.facts["words"]
    sounds = making.made.facts.get("sounds", [()] * len(words))
    return tuple(
        Aligned(text, start, end, tuple(Aligned(*each) for each in inside))
        for (text, start, end), inside in zip(words, sounds, strict=True)
    )
