"""Voices that Transformers runs: VITS and MMS, and Bark."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from mofang.models.hub import first_line
from mofang.sound.engines import presets
from mofang.sound.engines.bark import Bark
from mofang.sound.engines.base import Samples, Speech, estimated
from mofang.sound.engines.transformers_files import Checkpoint, find
from mofang.sound.engines.vits import Vits
from mofang.sound.frontend import Unit
from mofang.sound.pauses import rest_after
from mofang.sound.pcm import resample
from mofang.studio.errors import UserError


class Network(Protocol):
    """A kind of network that speaks."""

    rate: int

    def say(self, text: str, speaker: str, speed: float) -> tuple[Samples, bool]:
        """`text` as samples (n,) at `rate` Hz, and whether that is the whole of it: no samples if it is plainly too long."""
        ...


KINDS: dict[str, Callable[[Checkpoint], Network]] = {"vits": Vits, "bark": Bark}
"""What a checkpoint says it is, and what runs it."""


class TransformersVoices:
    """A `VoiceEngine` whose voices are `transformers:FOLDER` or `transformers:OWNER/MODEL`, with `#SPEAKER` for one of several: of
    VITS a number, of Bark a preset (`#v2/zh_speaker_3`, `#zh`) or the file of one (`#me.npz`). The same words make the same
    samples; when each sounds is an estimate."""

    rate = 24_000
    longest = 380
    tells_times = False

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads

    def speak(self, units: Sequence[Unit], voice: str, speed: float) -> Speech:
        """Say `units`; shape and errors as in `VoiceEngine`."""
        place, speaker = _parts(voice)
        network = _opened(place, _stamp(place))
        said = [self._whole(part, samples, network.rate) for part, samples in _said(units, network, speaker, speed, Path(place).name)]
        ends = np.cumsum([0.0, *(part.duration for part in said)])
        alignment = tuple(piece.shifted(float(start)) for part, start in zip(said, ends, strict=False) for piece in part.alignment)
        return Speech(np.concatenate([part.samples for part in said]), self.rate, alignment)

    def _whole(self, units: Sequence[Unit], samples: Samples, rate: int) -> Speech:
        samples = resample(samples, rate, self.rate)
        samples /= max(1.0, float(np.abs(samples).max(initial=0.0)))
        return Speech(samples, self.rate, estimated(units, samples, self.rate))

    def utter(self, tokens: Sequence[int], voice: str, speed: float) -> tuple[Samples, Samples]:
        """These voices have alphabets of their own: `UserError`."""
        raise UserError("a voice of Transformers has phonemes of its own, so nothing can be trained on it; use a ready voice")


def checkpoint_of(voice: str) -> Checkpoint:
    """The checkpoint of `transformers:…`. Raises `UserError`."""
    return find(_parts(voice)[0])


def key(voice: str) -> str:
    """All that makes a voice what it is: `name@sha256` of the checkpoint, and of a speaker's file if it is one. Raises
    `UserError`."""
    mark = presets.mark(_parts(voice)[1])
    return checkpoint_of(voice).key() + (f"+{mark}" if mark else "")


def _parts(voice: str) -> tuple[str, str]:
    place, _, speaker = voice.removeprefix("transformers:").partition("#")
    return place, speaker


def _said(units: Sequence[Unit], network: Network, speaker: str, speed: float, name: str) -> list[tuple[Sequence[Unit], Samples]]:
    """`units` in as few parts as the network says whole, and the samples of each; a single word is as long as it is."""
    import torch

    try:
        with torch.random.fork_rng(), torch.inference_mode():
            torch.manual_seed(0)
            samples, whole = network.say("".join(unit.text for unit in units).strip(), speaker, speed)
    except (RuntimeError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise UserError(f"{name} could not say this ({first_line(error)}); try other words") from error
    if not np.isfinite(samples).all():
        raise UserError(f"{name} made something that is no sound (NaN); its weights are broken")
    if whole or (len(samples) and len(units) == 1):
        return [(units, samples)]
    said: list[tuple[Sequence[Unit], Samples]] = []
    for half in _halves(units):
        if any(letter.isalnum() for unit in half for letter in unit.text):
            said += _said(half, network, speaker, speed, name)
        else:  # Marks alone.
            said.append((half, np.zeros(network.rate // 20, np.float32)))
    return said


def _halves(units: Sequence[Unit]) -> tuple[Sequence[Unit], Sequence[Unit]]:
    """`units` cut at the longest rest near the middle; a single one that is no word at all, in the middle of its letters."""
    if len(units) == 1:
        text, sounds = units[0].text, units[0].phonemes
        return [Unit(text[: len(text) // 2], sounds[: len(sounds) // 2])], [Unit(text[len(text) // 2 :], sounds[len(sounds) // 2 :])]
    middle, quarter = len(units) / 2, len(units) // 4
    places = range(max(1, quarter), len(units) - quarter)
    cut = max(places, key=lambda at: (rest_after(units[at - 1].text), -abs(at - middle)))
    return units[:cut], units[cut:]


def _stamp(place: str) -> int:
    path = Path(place).expanduser() / "config.json"
    return path.stat().st_mtime_ns if path.is_file() else 0


@lru_cache(maxsize=2)
def _opened(place: str, changed: int) -> Network:
    checkpoint = find(place)
    kind = checkpoint.config["model_type"]
    if kind not in KINDS:
        raise UserError(f"{checkpoint.name} is a {kind[:30]}, no voice that runs here; give a VITS, MMS or Bark model")
    return KINDS[kind](checkpoint)
