"""VITS (Kim et al., ICML 2021, arXiv:2106.06103), and with it the thousand languages of MMS, run by Transformers."""

import numpy as np

from mofang.sound.engines.base import Samples
from mofang.sound.engines.transformers_files import Checkpoint, opened, tokenizer
from mofang.studio.errors import UserError


class Vits:
    """A checkpoint, opened once; its speakers are numbers."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Raises `UserError` for a broken checkpoint."""
        self.name = checkpoint.name
        self._network, self._words = opened(checkpoint, "VitsModel"), tokenizer(checkpoint)
        self.rate = int(self._network.config.sampling_rate)

    def say(self, text: str, speaker: str, speed: float) -> tuple[Samples, bool]:
        """See `Network`; it says a text of any length."""
        number = self._speaker(speaker)
        inputs = self._words(text, return_tensors="pt")
        if inputs["input_ids"].shape[1] < 2:
            raise UserError(f"{self.name} knows none of these letters; it was trained for another script")
        self._network.speaking_rate = speed
        return np.asarray(self._network(**inputs, speaker_id=number).waveform[0].float().numpy(), np.float32), True

    def _speaker(self, number: str) -> int | None:
        speakers = int(self._network.config.num_speakers)
        if not number:
            return 0 if speakers > 1 else None
        if not number.isdecimal() or int(number) >= speakers:
            raise UserError(f"this voice has no speaker {number[:20]}; it has 0 to {speakers - 1}")
        return int(number) if speakers > 1 else None
