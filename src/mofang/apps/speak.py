"""A text spoken, as an asset and as a file."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from mofang import trust
from mofang.apps import sounds
from mofang.apps.export import part, public, release, release_text
from mofang.apps.make import voices
from mofang.apps.make.storyboard import Picture, Shot, Storyboard
from mofang.sound import pcm, visemes
from mofang.sound import voice as find_voice
from mofang.studio import Making, Recipe, Studio, UserError
from mofang.studio.words import say


def spoken(studio: Studio, text: str, voice: str, speed: float) -> Making:
    """The recording of a text, made once. Raises `UserError`."""
    lang = find_voice(voice).language
    shot = Shot("line", text, Picture())
    made_by = voices.recipe(shot, Storyboard("", lang, (shot,), voice=voice, speed=speed))
    making = studio.make(made_by, ".wav", lambda target: voices.produce(made_by, target))
    if "sounds" not in making.made.facts:  # Spoken before voices told their phonemes.
        making = studio.make(made_by, ".wav", lambda target: voices.produce(made_by, target), fresh=True)
    return making


def speak_to(studio: Studio, text: str, target: Path, voice: str, speed: float, lips: Path | None = None) -> Path:
    """Speak a text and publish it to `target`, whose suffix chooses the format; `lips` gets the mouth's shapes as JSON, at the
    times of that file. Raises `UserError`."""
    sounds.check(target)
    if lips and lips.suffix.lower() != ".json":
        raise UserError(f"the mouth's shapes are written as JSON; call the file {lips.stem}.json")
    making = spoken(studio, text, voice, speed)
    title = " ".join(text.split())[:60]
    claim = trust.Claim(title, lang=find_voice(voice).language, parts=(part(making),), credits=making.made.credits,
                        facts={"recipe": public(making.recipe)})  # fmt: skip
    samples = pcm.read(making.asset.path, 24_000)
    path = release(studio, making, target, claim, lambda _, desk: sounds.write(desk, samples, 24_000))
    if lips:
        lead = len(trust.label_audio(np.zeros(0, np.float32), 24_000)) / 24_000
        _lips(studio, making, lips, claim, lead)
    return path


def arguments(recipe: Recipe, files: Mapping[str, str], name: str) -> list[str]:
    """The arguments of `mofang` that speak a recipe's text again."""
    told = ["--voice", str(recipe.params["voice"]), "--speed", str(recipe.params["speed"])]
    return ["speech", "say", *told, "--", str(recipe.prompt), name]


def terms(voice: str) -> str:
    """What the creator should know of the terms of a stranger's voice, or of the consent to one learned, in a line; empty for
    nothing. Raises `UserError`."""
    engine = find_voice(voice).engine
    if engine == "own":
        return _consent(voice)
    if engine != "transformers":
        return ""
    from mofang.models.licences import warning
    from mofang.sound.engines.transformers_speech import checkpoint_of

    checkpoint = checkpoint_of(voice)
    return warning(checkpoint.name, checkpoint.licence)


def terms_of(names: Iterable[str]) -> tuple[str, ...]:
    """The terms of several voices, each said once. Raises `UserError`."""
    return tuple(dict.fromkeys(note for name in dict.fromkeys(names) if (note := terms(name))))


def _consent(voice: str) -> str:
    """Who allowed the voice, and until when: a day on which it falls silent."""
    ends = {str(work.get("consent")): str(work["until"]) for work in voices.card(voice).get("trained_on", []) if work.get("until")}
    if not ends:
        return ""
    title, who = Path(voice.partition("#")[0]).name, ", ".join(f"{name} ({until})" for name, until in sorted(ends.items()))
    return say(f"{title} may speak as long as consent lasts: {who}", f"{title} 可以使用到授权截止：{who}")


def _lips(studio: Studio, making: Making, target: Path, claim: trust.Claim, lead: float) -> None:
    words = voices.alignment(making)
    if not any(word.sounds for word in words):
        raise UserError("this voice does not tell its phonemes, so there are no mouth shapes; choose one of `mofang speech voices`")
    shapes = visemes.to_json(words, float(making.made.facts["seconds"]), lead)
    release_text(studio, json.dumps(shapes, ensure_ascii=False, indent=1) + "\n", target, claim)
