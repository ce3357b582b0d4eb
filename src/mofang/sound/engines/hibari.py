"""hibari (Apache-2.0): a small English voice distilled from Kokoro's Heart, weights inside the package."""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files
from typing import Any

import numpy as np

from mofang.sound.engines.base import Samples, Speech, timed
from mofang.sound.engines.vocabulary import numbers
from mofang.sound.frontend import Unit
from mofang.sound.frontend.symbols import SYMBOLS
from mofang.studio.errors import UserError

SHA256 = "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8"
"""Of hibari.onnx in hibari-tts 0.2.1."""
DURATIONS = "/Clip_output_0"
FRAME = 600
"""Samples in one frame of a duration: 25 ms at 24 kHz, two frames of the spectrum."""


class Hibari:
    """The engine; one thread is plenty. Nothing is loaded before the first sentence."""

    rate = 24_000
    tells_times = True
    longest = 380  # the package splits at 400 symbols

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads

    def speak(self, units: Sequence[Unit], voice: str, speed: float) -> Speech:
        """Say `units`; there is one voice, `hibari`. Shape and errors as in `VoiceEngine`."""
        samples, frames = self.utter(numbers("".join(unit.phonemes for unit in units)), voice, speed)
        return Speech(samples, self.rate, timed(units, SYMBOLS, frames, FRAME / self.rate))

    def utter(self, tokens: Sequence[int], voice: str, speed: float) -> tuple[Samples, Samples]:
        """Samples, and the duration of each token in frames of `FRAME` samples."""
        from hibari import dsp

        outputs = self._session.run(None, {"ids": np.array([tokens], np.int64), "speed": np.array([speed], np.float32)})
        spectra, frames = (part[0] for part in outputs[:-1]), outputs[-1].ravel()
        # The breath in the voice is noise; the same noise every time makes the same samples every time.
        samples = dsp.synth(*spectra, np.random.default_rng(0))
        assert len(samples) == frames.sum() * FRAME, "durations and sound disagree"
        return samples, frames

    @cached_property
    def _session(self) -> Any:
        import onnx

        from mofang.models.session import load
        from mofang.sound.engines.graphs import expose

        content = (files("hibari") / "assets" / "hibari.onnx").read_bytes()
        if hashlib.sha256(content).hexdigest() != SHA256:
            raise UserError(
                "the weights in hibari-tts are not those of 0.2.1; run: pip install --force-reinstall hibari-tts==0.2.1"
            )
        model = onnx.load_from_string(content)
        expose(model, (DURATIONS,))
        return load(model.SerializeToString(), self.threads, "the voice model")
