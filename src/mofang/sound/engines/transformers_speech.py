"""Voices that Transformers runs: VITS (Kim et al., ICML 2021, arXiv:2106.06103), and with it the thousand languages of MMS."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mofang.models.hub import first_line
from mofang.sound.engines.base import Samples, Speech, estimated
from mofang.sound.engines.transformers_files import find, opened, tokenizer
from mofang.sound.frontend import Unit
from mofang.sound.pcm import resample
from mofang.studio.errors import UserError


class TransformersVoices:
    """A `VoiceEngine` whose voices are `transformers:FOLDER`, with `#NUMBER` for one of several speakers. The same words make the
    same samples; when each sounds is an estimate."""

    rate = 24_000
    longest = 380
    tells_times = False

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads

    def speak(self, units: Sequence[Unit], voice: str, speed: float) -> Speech:
        """Say `units`; shape and errors as in `VoiceEngine`."""
        import torch

        place, _, number = voice.removeprefix("transformers:").partition("#")
        network, words = _opened(place, _stamp(place))
        speaker = _speaker(network, number)
        inputs = words("".join(unit.text for unit in units).strip(), return_tensors="pt")
        if inputs["input_ids"].shape[1] < 2:
            raise UserError(f"{Path(place).name} knows none of these letters; it was trained for another script")
        network.speaking_rate = speed
        try:
            with torch.random.fork_rng(), torch.inference_mode():
                torch.manual_seed(0)
                wave = network(**inputs, speaker_id=speaker).waveform[0].float().numpy()
        except (RuntimeError, ValueError, IndexError) as error:
            raise UserError(f"{Path(place).name} could not say this ({first_line(error)}); try other words") from error
        if not np.isfinite(wave).all():
            raise UserError(f"{Path(place).name} made something that is no sound (NaN); its weights are broken")
        samples = resample(wave.astype(np.float32), int(network.config.sampling_rate), self.rate)
        samples /= max(1.0, float(np.abs(samples).max(initial=0.0)))
        return Speech(samples, self.rate, estimated(units, samples, self.rate))

    def utter(self, tokens: Sequence[int], voice: str, speed: float) -> tuple[Samples, Samples]:
        """These voices have alphabets of their own: `UserError`."""
        raise UserError("a voice of Transformers has phonemes of its own, so nothing can be trained on it; use a ready voice")


def _stamp(place: str) -> int:
    path = Path(place).expanduser() / "config.json"
    return path.stat().st_mtime_ns if path.is_file() else 0


@lru_cache(maxsize=2)
def _opened(place: str, changed: int) -> tuple[Any, Any]:
    checkpoint = find(place)
    kind = checkpoint.config["model_type"]
    if kind != "vits":
        raise UserError(f"{checkpoint.name} is a {kind[:30]}, no voice that runs here; give a VITS or MMS model")
    return opened(checkpoint, "VitsModel"), tokenizer(checkpoint)


def _speaker(network: Any, number: str) -> int | None:
    speakers = int(network.config.num_speakers)
    if not number:
        return 0 if speakers > 1 else None
    if not number.isdecimal() or int(number) >= speakers:
        raise UserError(f"this voice has no speaker {number[:20]}; it has 0 to {speakers - 1}")
    return int(number) if speakers > 1 else None
