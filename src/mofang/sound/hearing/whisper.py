"""Whisper (Radford et al. 2022) by CTranslate2, which reads speech back."""

from functools import cached_property
from typing import Any, Protocol

from mofang import models
from mofang.sound.engines.base import Samples
from mofang.sound.frontend import Lang
from mofang.studio.alignment import Aligned
from mofang.studio.errors import UserError
from mofang.studio.progress import Progress, silent

RATE = 16_000
"""Samples a second, as a recogniser hears them."""
MODEL = "whisper-base"


class Recogniser(Protocol):
    """Whatever writes down what it hears."""

    def __call__(self, samples: Samples, language: Lang, progress: Progress = silent) -> list[Aligned]:
        """The words heard in a recording (n,) at `RATE`, in order, with the spaces between them; when each was heard."""


class Whisper:
    """Whisper base (74 M parameters, 145 MB); a core hears about nine seconds of speech in a second (measured).

    Raises `UserError` if the package or the weights are missing. The same sound gives the same words: no sampling, and no window
    hears what was made of the one before.
    """

    def __init__(self, threads: int = 2) -> None:
        try:
            import faster_whisper  # noqa: F401
        except ImportError as error:
            raise UserError(f"hearing speech needs faster-whisper ({error.name} is missing): pip install 'mofang[check]'") from error
        if not models.installed(MODEL):
            raise UserError(f"the model that hears speech is not here; run: mofang models pull {MODEL}")
        self._threads = threads

    @cached_property
    def _model(self) -> Any:
        from faster_whisper import WhisperModel

        return WhisperModel(str(models.ensure(MODEL).folder), device="cpu", compute_type="int8", cpu_threads=self._threads)

    def __call__(self, samples: Samples, language: Lang, progress: Progress = silent) -> list[Aligned]:
        """The words of a recording (n,) at `RATE`. Where nobody speaks nothing is heard: music would be taken for words."""
        segments, _ = self._model.transcribe(
            samples, language=language, beam_size=5, temperature=0.0, condition_on_previous_text=False, word_timestamps=True,
            vad_filter=True,
        )  # fmt: skip
        found = []
        for segment in segments:
            found += [Aligned(word.word, float(word.start), float(word.end)) for word in segment.words or () if word.word]
            progress(min(segment.end * RATE / max(len(samples), 1), 1.0), segment.text.strip()[:40])
        progress(1.0, "")
        return found
