"""Music from words: MusicGen (Copet et al., NeurIPS 2023, arXiv:2306.05284), mono, stereo and with a melody, run by Transformers.

A transformer draws the codes of EnCodec (Défossez et al. 2022, arXiv:2210.13438), code book k one frame after book k − 1
(section 2.2 of the paper). It learned from half a minute at a time. A longer piece goes on window by window from the last codes
of what is there, and the codes of all windows are heard as one sequence: no window's end is a cut.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.models.hub import first_line, transformers
from mofang.sound.engines import encodec
from mofang.sound.engines.base import Samples
from mofang.sound.engines.chroma import chroma
from mofang.sound.engines.transformers_files import Checkpoint, find, on_device, opened, tokenizer
from mofang.studio.errors import UserError
from mofang.studio.progress import Progress, silent

CLASSES = {"musicgen": "MusicgenForConditionalGeneration", "musicgen_melody": "MusicgenMelodyForConditionalGeneration"}
"""What a checkpoint says it is, and the class that runs it."""
LONGEST = 600.0
"""Seconds of a piece at most."""
WINDOW, STEP = 30.0, 18.0
"""Seconds that are drawn at once, which is what the model learned from, and by how many each window goes on: the codes of the
12 seconds before are what it has heard."""
LONGEST_PROMPT = 512
"""Tokens of a prompt; T5, which reads it, was trained on so many."""
BLEND = 0.02
"""Seconds in which a given beginning turns into the codec's own account of it, just before the music goes on."""


@dataclass(frozen=True)
class Wish:
    """What is wanted: words for the music, how many seconds in all (a given beginning included), the luck of the draw.

    `guidance` is how closely to keep to the words (classifier-free guidance; 1: none), `top_k` of how many codes one is drawn
    (0: of all). The values are the paper's.
    """

    prompt: str
    seconds: float = 10.0
    seed: int = 0
    guidance: float = 3.0
    temperature: float = 1.0
    top_k: int = 250

    def check(self) -> None:
        """Raises `UserError` for a wish that cannot be met."""
        if not self.prompt.strip():
            raise UserError("say in a few words what the music is like, such as: slow piano with soft strings, rain outside")
        if not 0.1 <= self.seconds <= LONGEST:
            raise UserError(f"a piece lasts 0.1 to {LONGEST:.0f} seconds, not {self.seconds:g}; give --seconds 20")
        if not 1 <= self.guidance <= 50:
            raise UserError(f"a guidance of {self.guidance:g} makes noise; give 1 (none) to 50, mostly 3")
        if not 0.05 <= self.temperature <= 3:
            raise UserError(f"a temperature of {self.temperature:g} makes noise; give 0.05 to 3, mostly 1")
        if not 0 <= self.top_k <= 100_000:
            raise UserError(f"one of {self.top_k} codes cannot be drawn; give --top-k 250, or 0 for all")


class MusicGen:
    """A checkpoint, opened once. `rate` is in Hz, `channels` 1 or 2, `hears_melodies` whether it follows one."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Raises `UserError` for a checkpoint of another kind, or a broken one."""
        transformers()
        check_kind(checkpoint)
        self.name = checkpoint.name
        self.hears_melodies = checkpoint.config["model_type"] == "musicgen_melody"
        self._network = on_device(opened(checkpoint, CLASSES[checkpoint.config["model_type"]]))
        self._words = tokenizer(checkpoint)
        self._codec = encodec.Codec(self._network.audio_encoder, self.name)
        decoder = self._network.decoder.config
        self.rate, self.channels, self._books = self._codec.rate, int(decoder.audio_channels), int(decoder.num_codebooks)
        self._room = int(decoder.max_position_embeddings) - self._books

    @classmethod
    def open(cls, name: str) -> "MusicGen":
        """The checkpoint in a folder, or of the hub. Raises `UserError`."""
        return cls(find(name))

    def make(self, wish: Wish, beginning: Samples | None = None, melody: Samples | None = None, progress: Progress = silent, *,
             window: float = WINDOW, step: float = STEP) -> Samples:  # fmt: skip
        """Sound of exactly `wish.seconds`: (n,) or for a stereo model (n, 2), at `rate`. The same wish makes the same sound.

        `beginning` (samples of that shape and rate) is kept as it is and gone on from; `melody` (n,) at `rate` is followed by a
        model that hears melodies, from its start, again and again if it is shorter. Raises `UserError`.
        """
        import torch

        wish.check()
        if melody is not None and not self.hears_melodies:
            raise UserError(f"{self.name} follows no melody; use a melody model (facebook/musicgen-melody), or --continue")
        hop, total = self._codec.hop, round(wish.seconds * self.rate)
        given = np.zeros(self._shape(0), np.float32) if beginning is None else beginning
        if len(given) >= total:
            raise UserError(f"the beginning alone lasts {len(given) / self.rate:.1f} s; ask for more --seconds than that")
        at_once = max(2, min(round(window * self.rate / hop), self._room))
        context = at_once - max(1, round(at_once * step / window))
        told = self._prompt(wish.prompt)
        with torch.random.fork_rng(), torch.inference_mode():
            # Whole frames that end where the beginning does; what lies before them the model does not hear.
            known = min(len(given) // hop, context)
            codes = self._encoded(given[len(given) - known * hop :])
            wanted = known - (len(given) - total) // hop
            number = 0
            while codes.shape[1] < wanted:
                heard = codes[:, max(0, codes.shape[1] - context) :]
                start = len(given) - known * hop + (codes.shape[1] - heard.shape[1]) * hop
                count = min(at_once - heard.shape[1], wanted - codes.shape[1])
                torch.manual_seed(wish.seed + (number << 32))
                features = {} if melody is None else self._followed(melody, start, at_once * hop)
                before = codes.shape[1]

                def drawn(made: int, before: int = before) -> None:
                    progress(min(1.0, (before + made - known) / (wanted - known)), f"{(before + made) * hop / self.rate:.0f} s")

                new = self._drawn(wish, told | features, heard, count, drawn)
                codes = torch.cat([codes, new], 1)
                number += 1
            made = self._decoded(codes)
        if not np.isfinite(made).all():
            raise UserError(f"{self.name} made something that is no sound (NaN); its weights are broken")
        return joined(given, made, known * hop, total, round(BLEND * self.rate))

    # -- what the transformer is told and gives ------------------------------------------------------------------------

    def _shape(self, length: int) -> tuple[int, ...]:
        return (length,) if self.channels == 1 else (length, self.channels)

    def _prompt(self, text: str) -> dict[str, Any]:
        # Cut by letters first: a token takes at least one, and a book takes minutes to tokenise.
        told = self._words(" ".join(text[: LONGEST_PROMPT * 40].split()), return_tensors="pt")
        if told["input_ids"].shape[1] > LONGEST_PROMPT or len(text) > LONGEST_PROMPT * 40:
            raise UserError(f"the prompt is longer than the {LONGEST_PROMPT} tokens the model reads; describe the music in a sentence")
        if not self._words.decode(told["input_ids"][0], skip_special_tokens=True).strip():
            raise UserError(f"{self.name} knows none of these letters; describe the music in English")
        return {name: told[name].to(self._network.device) for name in ("input_ids", "attention_mask")}

    def _followed(self, melody: Samples, start: int, length: int) -> dict[str, Any]:
        """The melody's pitch classes under a window that begins at sample `start` of the piece."""
        import torch

        turned = np.resize(np.roll(melody, -(start % len(melody))), length)
        heard = torch.from_numpy(chroma(turned, self.rate, int(self._network.config.num_chroma)))
        return {"input_features": heard[None].to(self._network.device)}

    def _drawn(self, wish: Wish, told: dict[str, Any], heard: Any, count: int, drawn: Callable[[int], None]) -> Any:
        """`count` frames of codes (books, count) after the frames `heard`."""
        import torch

        apart = self._books // self.channels  # The books of a frame are drawn over so many steps; those of two channels together.
        ids: list[Any] = []

        def see(rows: Any, scores: Any, **_: Any) -> Any:
            ids[:] = [rows]
            drawn(max(0, rows.shape[1] - heard.shape[1] - apart))
            return torch.zeros(len(rows), dtype=torch.bool, device=rows.device)

        beginning = {"decoder_input_ids": heard} if heard.shape[1] else {}
        try:
            self._network.generate(**told, **beginning, do_sample=True, guidance_scale=float(wish.guidance), top_k=wish.top_k,
                                   temperature=float(wish.temperature), max_new_tokens=count + apart - 1,
                                   stopping_criteria=[see])  # fmt: skip
        except (RuntimeError, ValueError, IndexError, TypeError, AttributeError) as error:
            raise UserError(f"{self.name} could not make this ({first_line(error)}); try other words, or fetch it again") from error
        first = 1 + heard.shape[1]  # Every row begins with the token that stands for nothing.
        late = [book // self.channels for book in range(self._books)]
        return torch.stack([row[first + each : first + each + count] for row, each in zip(ids[0], late, strict=True)])

    # -- between sound and codes ---------------------------------------------------------------------------------------

    def _encoded(self, samples: Samples) -> Any:
        """Codes (books, frames) of samples that are whole frames; books of two channels are laid alternately."""
        import torch

        each = samples.reshape(len(samples), self.channels).T
        books = torch.stack([self._codec.encode(channel, self._books // self.channels) for channel in each], 1)
        return books.reshape(self._books, -1)

    def _decoded(self, codes: Any) -> Samples:
        channels = [self._codec.decode(codes[channel :: self.channels]) for channel in range(self.channels)]
        return channels[0] if self.channels == 1 else np.stack(channels, 1)


def reads(checkpoint: Checkpoint, text: str) -> bool:
    """Whether the model's vocabulary has all of a text; MusicGen's own, T5's, has no Chinese. Raises `UserError`."""
    words = tokenizer(checkpoint)
    return words.unk_token_id is None or words.unk_token_id not in words(text[: LONGEST_PROMPT * 40])["input_ids"]


def check_kind(checkpoint: Checkpoint) -> None:
    """Raises `UserError` unless it is a MusicGen."""
    kind = checkpoint.config["model_type"]
    if kind not in CLASSES:
        raise UserError(f"{checkpoint.name} is a {kind[:30]}, which makes no music here; give a MusicGen (facebook/musicgen-small)")


def joined(given: Samples, made: Samples, known: int, total: int, blend: int) -> Samples:
    """`given`, and then what of `made` comes after its first `known` samples, `total` in all; over the last `blend` samples given
    the one turns into the other, which says the same."""
    blend = min(blend, known)
    slope: NDArray[np.float32] = np.linspace(0, 1, blend + 2, dtype=np.float32)[1:-1].reshape(-1, *[1] * (given.ndim - 1))
    end = len(given)
    whole = np.concatenate([given, made[known : known + total - end]])
    whole[end - blend : end] += slope * (made[known - blend : known] - whole[end - blend : end])
    return whole
