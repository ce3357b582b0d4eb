"""What a jukebox adds to the one training loop: its autoencoders and its priors as experiments."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from mofang.sound import pcm
from mofang.sound.jukebox import conditions
from mofang.sound.jukebox.codec import Codec
from mofang.sound.jukebox.data import Corpus, Entry
from mofang.sound.jukebox.network import Prior
from mofang.sound.jukebox.picture import spectrograms
from mofang.sound.jukebox.sample import Wish, window_told
from mofang.sound.nets.jukebox_codec import CodecNet, spectral_loss
from mofang.sound.nets.jukebox_prior import PriorNet
from mofang.sound.sampling import nucleus
from mofang.training import distributed
from mofang.training.codebook import perplexity
from mofang.training.optimizers import muon_and_adamw
from mofang.training.precision import Precision, autocast, device
from mofang.training.update import update

Ints = NDArray[np.int64]
COMMITMENT = 0.02
"""β of the paper (table 4)."""


@dataclass(frozen=True)
class Settings:
    """How a network is trained. `batch` windows a step: of `window` samples (codec), of a context (prior). `lr` is AdamW's,
    `matrix_lr` Muon's for a prior's matrices (0: AdamW for everything)."""

    batch: int = 4
    window: int = 8192
    lr: float = 5e-4
    matrix_lr: float = 0.01
    weight_decay: float = 0.01
    dropout: float = 0.1
    clip: float = 1.0
    precision: Precision = "auto"
    seed: int = 0
    validation: int = 24


def windows(entries: list[Entry], rng: np.random.Generator, count: int, size: int) -> list[tuple[int, int]]:
    """`count` pairs of a recording's number and where in it a window of `size` samples begins; longer recordings more often."""
    shares = np.cumsum([entry.length for entry in entries], dtype=np.float64)
    chosen = np.minimum(np.searchsorted(shares, rng.random(count) * shares[-1], "right"), len(entries) - 1)
    return [(int(number), int(rng.integers(max(1, entries[number].length - size + 1)))) for number in chosen]


class CodecTraining:
    """An `Experiment`: the sound again from its codes at every level, each level on its own (section 3.1)."""

    def __init__(self, net: CodecNet, corpus: Corpus, settings: Settings) -> None:
        self.device = device()
        self.net, self.corpus, self.settings = net.to(self.device), corpus, settings
        self.modules: dict[str, nn.Module] = {"model": self.net}
        self.optimizers: dict[str, Optimizer] = {
            "adamw": torch.optim.AdamW(net.parameters(), settings.lr, (0.9, 0.99), weight_decay=0.0, fused=True)
        }
        self.pieces, held = corpus.part("train"), corpus.part("validation")
        rng = np.random.default_rng(settings.seed)
        self.held_out = [(held[number], start) for number, start in windows(held, rng, settings.validation, settings.window)]
        # Errors are told in shares of the sound's own power, so that quiet corpora are learned as well as loud ones.
        drawn = windows(self.pieces, rng, 200, settings.window)
        power = [float(np.square(corpus.samples(self.pieces[n], at, settings.window)).mean()) for n, at in drawn]
        self.power = max(float(np.mean(power)), 1e-6)

    @property
    def tokens_per_step(self) -> int:
        """Samples of sound seen in one step over all processes."""
        return self.settings.batch * self.settings.window

    def _sound(self, places: list[tuple[Entry, int]]) -> Tensor:
        sound = np.zeros((len(places), self.settings.window), np.float32)
        for row, (entry, start) in zip(sound, places, strict=True):
            part = self.corpus.samples(entry, start, self.settings.window)
            row[: len(part)] = part
        return torch.from_numpy(sound).to(self.device)

    def _error(self, made: Tensor, sound: Tensor) -> tuple[Tensor, Tensor]:
        return F.mse_loss(made, sound) / self.power, spectral_loss(made, sound)

    def step(self, step: int) -> dict[str, float]:
        """One update of every level on the windows of step number `step`."""
        self.net.train()
        rng = np.random.default_rng((self.settings.seed, step))
        places = windows(self.pieces, rng, self.settings.batch, self.settings.window)
        sound = self._sound([(self.pieces[number], at) for number, at in places][distributed.rank() :: distributed.world()])
        if step == 0:
            with torch.no_grad():
                for level in self.net.levels:
                    level.codebook.begin(distributed.gather(level.vectors(sound)))  # type: ignore[union-attr, operator]
        said: dict[str, float] = {}
        loss, norm = update(self._losses(sound, said), 1, self.optimizers.values(), self.settings.clip)
        return {"loss": loss, "norm": norm, **said}

    def _losses(self, sound: Tensor, said: dict[str, float]) -> Iterator[Tensor]:
        with autocast(self.device, self.settings.precision):
            found = self.net(sound)
        total, follow = sound.new_zeros(()), []
        for level, (made, codes, vectors, commitment) in zip(self.net.levels, found, strict=True):
            squares, spectra = self._error(made, sound)
            total = total + squares + spectra + COMMITMENT * commitment
            follow.append((level.codebook, vectors.detach(), codes))
        yield total
        restarted = 0
        for codebook, vectors, codes in follow:
            restarted += codebook.follow(distributed.gather(vectors), distributed.gather(codes))  # type: ignore[union-attr, operator]
        said["restarted"] = float(restarted)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Of each level on held-out sound: the error's share of the power and the distance of the spectra (their sum over the
        levels is the loss), the ratio of signal to noise in dB, and how many entries of the codebook are in use."""
        self.net.eval()
        measured: dict[str, float] = {}
        count = len(self.net.levels)
        squares, spectra = np.zeros(count), np.zeros(count)
        uses = [torch.zeros(self.net.shape.codes, device=self.device) for _ in range(count)]
        batches = range(0, len(self.held_out), self.settings.batch)
        for start in batches:
            sound = self._sound(self.held_out[start : start + self.settings.batch])
            with autocast(self.device, self.settings.precision):
                found = self.net(sound)
            for number, (made, codes, _, _) in enumerate(found):
                one, other = self._error(made, sound)
                squares[number] += float(one) / len(batches)
                spectra[number] += float(other) / len(batches)
                uses[number] += torch.bincount(codes, minlength=self.net.shape.codes)
        for number in range(count):
            measured |= {f"spectral{number}": spectra[number], f"snr{number}": -10 * log(max(squares[number], 1e-9), 10),
                         f"used{number}": perplexity(uses[number])}  # fmt: skip
        return {"loss": float(squares.sum() + spectra.sum()), **measured}

    def samples(self, folder: Path, step: int) -> str:
        """Four seconds held out, and what each level gives back, fine to coarse: sound, and a picture of the spectrograms."""
        entry, start = self.held_out[0]
        sound = self.corpus.samples(entry, min(start, max(0, entry.length - 4 * self.corpus.rate)), 4 * self.corpus.rate)
        tensors = {name: tensor.detach().float().cpu().numpy() for name, tensor in self.net.state_dict().items()}
        codec, levels = Codec(self.net.shape, tensors), range(len(self.net.levels))
        parts = [sound, *(codec.decode(codec.encode(sound, level), level) for level in levels)]
        pcm.write_wav(folder / f"{step:07}.wav", np.concatenate(parts), self.corpus.rate)
        path = folder / f"{step:07}.png"
        path.write_bytes(spectrograms(parts, self.corpus.rate))
        return f"{path.name}\n{entry.title[:60]}: as recorded, then from the codes of levels {', '.join(map(str, levels))}"


class PriorTraining:
    """An `Experiment`: −ln p of every code of a level given those before it and what it is told."""

    def __init__(self, net: PriorNet, corpus: Corpus, codes: list[list[Ints]], codec: Codec, settings: Settings) -> None:
        """`codes` of each recording at this level and, for an upsampler, at the level above."""
        self.device = device()
        self.net, self.corpus, self.codec, self.settings, self.shape = net.to(self.device), corpus, codec, settings, net.shape
        self.modules: dict[str, nn.Module] = {"model": self.net}
        self.optimizers = muon_and_adamw(net, lambda name: name.startswith("blocks."), settings.lr, settings.matrix_lr,
                                         settings.weight_decay)  # fmt: skip
        self.styles = {style: number for number, style in enumerate(net.shape.styles)}
        self.pieces = {part: [(entry, found) for entry, found in zip(corpus.entries, codes, strict=True) if entry.part == part]
                       for part in ("train", "validation")}  # fmt: skip
        rng = np.random.default_rng(settings.seed)
        self.held_out = self._drawn("validation", rng, settings.validation)

    @property
    def tokens_per_step(self) -> int:
        """Codes seen in one step over all processes, at most."""
        return self.settings.batch * self.shape.context

    def _drawn(self, part: str, rng: np.random.Generator, count: int) -> list[tuple[Entry, list[Ints], int]]:
        """Windows of a part: a recording by its length and the code to begin at, a whole one of the level above."""
        pieces = self.pieces[part]
        shares = np.cumsum([len(codes[0]) for _, codes in pieces], dtype=np.float64)
        found = []
        for _ in range(count):
            number = min(int(np.searchsorted(shares, rng.random() * shares[-1], "right")), len(pieces) - 1)
            entry, codes = pieces[number]
            last = max(0, len(codes[0]) - self.shape.context) // self.shape.ratio
            # The first window more often than its share: every piece is begun.
            start = 0 if rng.random() < 0.1 else int(rng.integers(last + 1)) * self.shape.ratio
            found.append((entry, codes, start))
        return found

    def loss(self, drawn: list[tuple[Entry, list[Ints], int]]) -> tuple[Tensor, int]:
        """Sum of −ln p over the codes of windows, and how many these are."""
        shape, count = self.shape, len(drawn)
        codes, mask = np.zeros((count, shape.context), np.int64), np.zeros((count, shape.context), bool)
        times = np.zeros((count, shape.context, 3), np.int64)
        words = np.zeros((count, shape.lyrics), np.int64)
        upper = np.zeros((count, shape.upper), np.int64)
        for row, (entry, found, start) in enumerate(drawn):
            part, total = found[0][start : start + shape.context], len(found[0])
            codes[row, : len(part)], mask[row, : len(part)] = part, True
            times[row] = conditions.times(start, shape.context, total, shape.rate)
            if shape.lyrics:
                words[row] = conditions.lyrics(entry.lyrics, start, shape.context, total, shape.lyrics)
            if shape.upper:
                coarse = found[1][start // shape.ratio :][: shape.upper]
                upper[row, : len(coarse)] = coarse
        style = torch.tensor([self.styles[entry.style] for entry, _, _ in drawn], device=self.device)
        wanted, when, sung, above = (torch.from_numpy(each).to(self.device) for each in (codes, times, words, upper))
        with autocast(self.device, self.settings.precision):
            logits = self.net(wanted, style, when, sung if shape.lyrics else None, above if shape.upper else None)
        kept = torch.from_numpy(mask).to(self.device).flatten()
        total_nats = F.cross_entropy(logits.float().flatten(0, 1)[kept], wanted.flatten()[kept], reduction="sum")
        return total_nats, int(mask.sum())

    def step(self, step: int) -> dict[str, float]:
        """One update on the windows of step number `step`."""
        self.net.train()
        drawn = self._drawn("train", np.random.default_rng((self.settings.seed, step)), self.settings.batch)
        mine = drawn[distributed.rank() :: distributed.world()]
        total, count = self.loss(mine)
        loss, norm = update([total / count], 1, self.optimizers.values(), self.settings.clip)
        return {"loss": loss, "norm": norm}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Nats and bits a code over held-out windows."""
        self.net.eval()
        total, count = 0.0, 0
        for start in range(0, len(self.held_out), self.settings.batch):
            nats, codes = self.loss(self.held_out[start : start + self.settings.batch])
            total, count = total + float(nats), count + codes
        return {"loss": total / count, "bits": total / count / log(2)}

    def samples(self, folder: Path, step: int) -> str:
        """A window of a held-out piece as this level hears it, and one that begins alike and goes on by itself."""
        entry, codes, _ = self.held_out[0]
        shape = self.shape
        size = min(shape.context, len(codes[0]))
        tensors = {name: tensor.detach().float().cpu().numpy() for name, tensor in self.net.state_dict().items()}
        prior, rng, wish = Prior(shape, tensors), np.random.default_rng(step), Wish(entry.style, 1.0)
        made = codes[0][:size].copy()
        upper = codes[1] if shape.upper else None
        prior.begin(window_told(prior, 0, len(codes[0]), upper, self.styles[entry.style], entry.lyrics))
        first = size // 4
        logits = prior.feed(made[:first])
        for at in range(first, size):
            made[at] = nucleus(logits, rng, wish.temperature, wish.top_p)
            if at + 1 < size:
                logits = prior.feed(made[at : at + 1])
        parts = [self.codec.decode(each, shape.level) for each in (codes[0][:size], made)]
        pcm.write_wav(folder / f"{step:07}.wav", np.concatenate(parts), self.corpus.rate)
        path = folder / f"{step:07}.png"
        path.write_bytes(spectrograms(parts, self.corpus.rate))
        return f"{path.name}\n{entry.title[:60]} ({entry.style}): as it is, and continued after its first quarter"
