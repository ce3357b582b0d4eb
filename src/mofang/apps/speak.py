"""A text spoken, as an asset and as a file."""

from pathlib import Path

from mofang import trust
from mofang.apps.export import part, release
from mofang.apps.make import voices
from mofang.apps.make.storyboard import Picture, Shot, Storyboard
from mofang.sound import pcm
from mofang.sound import voice as find_voice
from mofang.studio import Making, Studio, UserError

SUFFIXES = (".wav", ".flac", ".mp3", ".m4a")


def spoken(studio: Studio, text: str, voice: str, speed: float) -> Making:
    """The recording of a text, made once. Raises `UserError`."""
    lang = find_voice(voice).language
    shot = Shot("line", text, Picture())
    made_by = voices.recipe(shot, Storyboard("", lang, (shot,), voice=voice, speed=speed))
    return studio.make(made_by, ".wav", lambda target: voices.produce(made_by, target))


def speak_to(studio: Studio, text: str, target: Path, voice: str, speed: float) -> Path:
    """Speak a text and publish it to `target`, whose suffix chooses the format. Raises `UserError`."""
    if target.suffix.lower() not in SUFFIXES:
        raise UserError(f"cannot write a '{target.suffix}' sound; choose one of: {', '.join(SUFFIXES)}")
    making = spoken(studio, text, voice, speed)
    title = " ".join(text.split())[:60]
    claim = trust.Claim(title, lang=find_voice(voice).language, parts=(part(making),), credits=making.made.credits)
    samples = pcm.read(making.asset.path, 24_000)

    def written(_: Path, desk: Path) -> None:
        # Formats that are compressed get the audible label first: it cannot be put into them afterwards.
        lossless = desk.suffix in (".wav", ".flac")
        pcm.write(desk, samples if lossless else trust.label_audio(samples, 24_000), 24_000)

    return release(studio, making, target, claim, written)
