"""Bark (Suno, 2023): words to meaning, to coarse and to fine codes of EnCodec, by three transformers, run by Transformers.

It speaks thirteen languages, laughs where the text says `[laughs]` and sings between ♪; a preset is a few seconds of somebody
it goes on from. What it says in one go is some thirteen seconds, and it stops wherever it then is: what fills them all was cut.
Described at https://github.com/suno-ai/bark.
"""

import re
from typing import Any

import numpy as np

from mofang.sound.edit.source import Sound
from mofang.sound.edit.tempo import tempo
from mofang.sound.engines.base import Samples
from mofang.sound.engines.presets import Presets, Sizes
from mofang.sound.engines.transformers_files import Checkpoint, on_device, opened, tokenizer
from mofang.studio.errors import UserError

_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
PACE, WIDE_PACE = 15.0, 4.5
"""Letters, and characters that are a syllable, said in a second."""
ROOM = 0.85
"""Share of the time it has that a text may take by that pace before it is said in two goes."""
LEAST = 8
"""Codes of meaning that are a sixth of a second; the codec makes no sound of fewer."""
SURE = 0.2
"""Chance of its end from which a text is taken to be said, as Bark's makers have it; past it the voice makes things up."""


class Bark:
    """A checkpoint, opened once; its speakers are presets."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Raises `UserError` for a broken checkpoint."""
        self.name = checkpoint.name
        self._network, self._words = on_device(opened(checkpoint, "BarkModel")), tokenizer(checkpoint)
        from transformers.models.bark import generation_configuration_bark

        settings: Any = generation_configuration_bark
        told = self._network.generation_config
        try:
            meaning = settings.BarkSemanticGenerationConfig(**told.semantic_config)
            coarse = settings.BarkCoarseGenerationConfig(**told.coarse_acoustics_config)
            fine = settings.BarkFineGenerationConfig(**told.fine_acoustics_config)
            self.rate, self._tokens = int(told.sample_rate), int(meaning.max_input_semantic_length)
            self._over = float(SURE if meaning.min_eos_p is None else meaning.min_eos_p)
            self._last = (int(meaning.max_new_tokens) - 1) / float(meaning.semantic_rate_hz)
            sizes = Sizes(int(meaning.semantic_vocab_size), int(told.codebook_size), int(coarse.n_coarse_codebooks),
                          int(fine.n_fine_codebooks))  # fmt: skip
        except (AttributeError, TypeError, ValueError, ZeroDivisionError) as error:
            raise UserError(f"{self.name} has no generation_config.json of a Bark; fetch it whole") from error
        if not 0 < self._tokens <= 4096 or not 1000 <= self.rate <= 96_000 or not 0 < self._last <= 120:
            raise UserError(f"{self.name}'s generation_config.json describes no voice; fetch it again")
        self._presets = Presets(checkpoint.name, checkpoint.folder, sizes)

    def say(self, text: str, speaker: str, speed: float) -> tuple[Samples, bool]:
        """See `Network`."""
        import torch

        text = " ".join(text.split())
        preset = self._presets.find(speaker, text)
        wide = len(_WIDE.findall(text))
        if wide / WIDE_PACE + (len(text) - wide) / PACE > self._last * ROOM:
            return np.zeros(0, np.float32), False
        inputs = self._words(text, padding="max_length", max_length=self._tokens, add_special_tokens=False, return_tensors="pt")
        heard = inputs["input_ids"][inputs["attention_mask"].bool()]
        if not (heard != self._words.unk_token_id).any():
            raise UserError(f"{self.name} knows none of these letters; it was trained for other scripts")
        if len(heard) > self._tokens:
            return np.zeros(0, np.float32), False
        device = self._network.device
        history = {name: torch.from_numpy(codes).to(device) for name, codes in preset.items()} or None
        sound = self._network.generate(
            input_ids=inputs["input_ids"].to(device), attention_mask=inputs["attention_mask"].to(device), history_prompt=history,
            min_eos_p=self._over, semantic_min_new_tokens=LEAST)[0].float().cpu().numpy()  # fmt: skip
        whole = len(sound) / self.rate < self._last
        # It has no tempo of its own.
        return tempo(Sound(sound[:, None], self.rate), speed).samples[:, 0], whole
