"""The engine of voices of one's own: phonemes to features (acoustic model) to sound (WaveNet), without torch."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mofang.models import own
from mofang.sound.engines.base import Samples, Speech, timed
from mofang.sound.engines.vocabulary import numbers
from mofang.sound.frontend import Unit
from mofang.sound.frontend.symbols import SYMBOLS
from mofang.sound.own import consent
from mofang.sound.own.acoustic import AcousticModel, AcousticShape
from mofang.sound.own.features import HOP, RATE
from mofang.sound.own.join import MODEL_TYPE, part_of
from mofang.sound.wavenet.sampler import Sampler
from mofang.sound.wavenet.shape import Shape
from mofang.studio.errors import UserError


class OwnVoices:
    """A `VoiceEngine` whose voices are folders, `FOLDER` or `FOLDER#SPEAKER`."""

    rate = RATE
    tells_times = True
    longest = 380

    def speak(self, units: Sequence[Unit], voice: str, speed: float) -> Speech:
        """Say `units`; shape and errors as in `VoiceEngine`."""
        samples, frames = self.utter(numbers("".join(unit.phonemes for unit in units)), voice, speed)
        return Speech(samples, self.rate, timed(units, SYMBOLS, frames, HOP / RATE))

    def utter(self, tokens: Sequence[int], voice: str, speed: float) -> tuple[Samples, Samples]:
        """Samples, and the duration of each token in frames of HOP samples; the same every time."""
        place, _, name = voice.partition("#")
        acoustic, sampler, config = opened(Path(place), stamp(Path(place)))
        speaker = speaker_number(config, name)
        features, durations = acoustic.features(tokens, speaker, speed)
        samples = sampler.sample(features, speaker=speaker if sampler.shape.speakers else 0,
                                 temperature=float(config.get("temperature", 1.0)))  # fmt: skip
        return samples, durations.astype(np.float32)


def stamp(folder: Path) -> int:
    """When the voice's weights were last written."""
    try:
        return (folder / own.WEIGHTS).stat().st_mtime_ns
    except OSError as error:
        raise UserError(f"{folder} holds no voice; give the folder that `mofang sound join` wrote") from error


@lru_cache(maxsize=2)
def opened(folder: Path, changed: int) -> tuple[AcousticModel, Sampler, dict[str, Any]]:
    """The two networks of a voice and its configuration. Raises `UserError` if it is none, or may not speak any more."""
    config = own.read_config(folder)
    if config["model_type"] != MODEL_TYPE or not all(isinstance(config.get(part), dict) for part in ("acoustic", "wavenet")):
        raise UserError(f"{folder} is a model of kind {config['model_type'][:40]!r}, no voice; make one with: mofang sound join")
    if not isinstance(config.get("temperature", 1.0), int | float) or not isinstance(config.get("speakers"), list):
        raise UserError(f"the {own.CONFIG} in {folder} is no voice's; make the voice again with: mofang sound join")
    consent.may_speak(own.read_card(folder))
    tensors = own.read_tensors(folder)
    return (AcousticModel(AcousticShape.read(config["acoustic"]), part_of(tensors, "acoustic")),
            Sampler(Shape.read(config["wavenet"]), part_of(tensors, "wavenet")), config)  # fmt: skip


def speaker_number(config: dict[str, Any], name: str) -> int:
    """The number of the speaker of that name; of none, the first."""
    speakers = [str(speaker) for speaker in config.get("speakers", [])]
    if name and name not in speakers:
        raise UserError(f"this voice has no speaker {name[:40]!r}; it has: {', '.join(speakers)}")
    return speakers.index(name) if name else 0
