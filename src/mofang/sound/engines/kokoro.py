"""Kokoro-82M (hexgrad, Apache-2.0): StyleTTS 2 (arXiv:2306.07691) with an ISTFTNet decoder, on onnxruntime."""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mofang.sound.engines.base import Samples, Speech, timed
from mofang.sound.engines.vocabulary import numbers
from mofang.sound.frontend import Unit
from mofang.sound.frontend.symbols import SYMBOLS
from mofang.studio.atomic import atomic, write_atomic
from mofang.studio.errors import UserError

DURATIONS = "/encoder/Clip_output_0"
"""The predicted duration of every token in frames, an inner tensor of the published graph."""
FRAME = 600
"""Samples in one frame: 25 ms at 24 kHz. The durations add up to the sound exactly."""
STYLES = (510, 256)
"""A voice: one style vector for each number of tokens."""
SHORTEST_STYLE = 20
"""The style vectors for a word or two were hardly trained and mumble; a short phrase takes that of a clause."""


class Kokoro:
    """The engine; `threads` is onnxruntime's intra-op pool. Nothing is loaded before the first sentence."""

    rate = 24_000
    tells_times = True
    # Trained on up to 510 tokens, but the ends of half-minute sentences are lost (hexgrad/kokoro#166).
    longest = 380

    def __init__(self, threads: int = 2) -> None:
        self.threads = threads
        self._styles: dict[str, Samples] = {}

    def speak(self, units: Sequence[Unit], voice: str, speed: float) -> Speech:
        """Say `units` in the voice of that name, such as `zf_xiaoxiao`. Shape and errors as in `VoiceEngine`."""
        samples, frames = self.utter(numbers("".join(unit.phonemes for unit in units)), voice, speed)
        return Speech(samples, self.rate, timed(units, SYMBOLS, frames, FRAME / self.rate))

    def utter(self, tokens: Sequence[int], voice: str, speed: float) -> tuple[Samples, Samples]:
        """Samples, and the duration of each token in frames of `FRAME` samples."""
        assert 2 < len(tokens) <= STYLES[0] + 2, len(tokens)
        style = self._style(voice)[max(len(tokens) - 3, SHORTEST_STYLE)]
        samples, frames = self._session.run(
            None,
            {
                "tokens": np.array([tokens], np.int64),
                "style": style[None],
                "speed": np.array([speed], np.float32),
            },
        )
        samples, frames = samples.ravel(), frames.ravel()
        assert len(samples) == frames.sum() * FRAME, "durations and sound disagree"
        return samples, frames

    @cached_property
    def _model(self) -> Any:
        from mofang import models

        return models.ensure("kokoro-82m")

    @cached_property
    def _session(self) -> Any:
        from mofang.models.session import load

        return load(derived(self._model.file("model")), self.threads)

    def _style(self, voice: str) -> Samples:
        if voice not in self._styles:
            path = self._model.file(f"voices/{voice}")
            style = np.fromfile(path, "<f4")
            if style.size != STYLES[0] * STYLES[1] or not np.isfinite(style).all():
                raise UserError(f"the voice file {path} is damaged; run: mofang models verify kokoro-82m")
            self._styles[voice] = style.reshape(STYLES)
        return self._styles[voice]


def derived(source: Path) -> Path:
    """The published graph, made to give its durations and to run fast on this CPU; kept beside `source`.

    Where the CPU has exact 8-bit dot products the integers stay (`graphs.sign_activations`: the same samples, sooner);
    elsewhere they become float32. The file is sealed with its SHA-256 and made again if the seal does not hold.
    """
    from mofang.sound.engines.graphs import exact_signed_products

    kind = "signed" if exact_signed_products() else "float32"
    target = source.with_name(f"{source.stem}.{kind}.onnx")
    seal = target.with_name(f".{target.name}.sha256")
    try:
        with target.open("rb") as file:
            if seal.read_text("ascii") == hashlib.file_digest(file, "sha256").hexdigest():
                return target
    except (OSError, UnicodeDecodeError):
        pass
    with atomic(target) as temporary:
        derive(source, temporary, kind)
        with temporary.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    write_atomic(seal, digest)
    return target


def derive(source: Path, target: Path, kind: str) -> None:
    """Write the graph in `source` with its durations given out: `integer` as it is, `signed` or `float32`."""
    import onnx

    from mofang.sound.engines.dequantise import dequantise
    from mofang.sound.engines.graphs import expose, sign_activations

    try:
        model = onnx.load(str(source))
        expose(model, (DURATIONS,))
        if kind == "signed":
            sign_activations(model)
        elif kind == "float32":
            dequantise(model)
    except Exception as error:  # protobuf's DecodeError, or a graph that is not the published one
        raise UserError(f"the voice model {source} is damaged; run: mofang models verify kokoro-82m") from error
    onnx.save(model, str(target))
