"""What a voice of one's own adds to the one training loop: a vocoder and an acoustic model as experiments."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from mofang.sound import mulaw, pcm
from mofang.sound.nets.acoustic import Acoustic, losses
from mofang.sound.nets.wavenet import WaveNet
from mofang.sound.own.acoustic import AcousticModel, regulated
from mofang.sound.own.corpus import Clip, Corpus
from mofang.sound.own.features import BANDS, HOP, RATE, SIZE
from mofang.sound.wavenet.emphasis import emphasised
from mofang.sound.wavenet.sampler import Sampler
from mofang.training import distributed
from mofang.training.muon import Muon
from mofang.training.precision import Precision, autocast, device
from mofang.training.update import update

Floats = NDArray[np.float32]

MARGIN = 3
"""Frames of features on either side of a window: what the upsampler looks at."""


@dataclass(frozen=True)
class Settings:
    """How a network is trained. `batch` windows of `window` frames (WaveNet), or `batch` clips (acoustic), are a step; `lr` is
    Adam's, `matrix_lr` Muon's for the matrices of a WaveNet's layers (0: Adam for everything), and `matrix_decay` shrinks these:
    nothing else in the network holds them, and Muon's updates, all of one size, make them grow until every gate is shut."""

    window: int = 80
    batch: int = 1
    lr: float = 1e-3
    matrix_lr: float = 0.01
    matrix_decay: float = 0.3
    clip: float = 1.0
    precision: Precision = "auto"
    seed: int = 0
    validation: int = 8


class Vocoder:
    """An `Experiment`: −ln p of every sample of windows of speech, given those before it and the features.

    The first samples of a window lack a part of their past and are not learned from, unless the clip begins there. With
    an `acoustic` model it learns from that model's spectra instead of measured ones: what it will be given in use.
    """

    def __init__(self, net: WaveNet, corpus: Corpus, settings: Settings, acoustic: AcousticModel | None = None) -> None:
        self.device = device()
        self.net, self.corpus, self.settings = net.to(self.device), corpus, settings
        self.features = foretold(corpus, acoustic) if acoustic else corpus.features
        self.modules: dict[str, nn.Module] = {"model": self.net}
        self.optimizers = optimizers(net, settings)
        self.clips = [clip for clip in corpus.part(False) if clip.frames * HOP > net.shape.receptive_field] or corpus.part(False)
        self.shares = np.cumsum([clip.frames for clip in self.clips]) / sum(clip.frames for clip in self.clips)
        self.held_out = self._judged()

    @property
    def tokens_per_step(self) -> int:
        """Samples of sound seen in one step over all processes."""
        return self.settings.batch * self.settings.window * HOP

    def _judged(self) -> list[tuple[Clip, int]]:
        """The same windows for every validation: from the middle of held-out clips."""
        clips = self.corpus.part(True)
        chosen = [clips[at] for at in np.unique(np.linspace(0, len(clips) - 1, self.settings.validation).astype(int))]
        return [(clip, max(0, (clip.frames - self.settings.window) // 2)) for clip in chosen]

    def drawn(self, step: int) -> list[tuple[Clip, int]]:
        """The windows of a step: a clip by its length, and the first frame within it."""
        rng = np.random.default_rng((self.settings.seed, step))
        windows = []
        for _ in range(self.settings.batch):
            clip = self.clips[int(np.searchsorted(self.shares, rng.random()))]
            windows.append((clip, int(rng.integers(max(1, clip.frames - self.settings.window + 1)))))
        return windows

    def loss(self, windows: Sequence[tuple[Clip, int]]) -> Tensor:
        """Mean −ln p in nats a sample over the windows."""
        shape, frames = self.net.shape, self.settings.window
        sound = np.zeros((len(windows), frames * HOP), np.float32)
        given = np.zeros((len(windows), frames + 2 * MARGIN, SIZE), np.float32)
        mask = np.zeros((len(windows), frames * HOP), np.float32)
        for number, (clip, start) in enumerate(windows):
            count = min(frames, clip.frames - start)
            at = (clip.start + start) * HOP
            # One sample more, so that the emphasis of the first is right.
            before = 1 if start else 0
            raw = self.corpus.sound[at - before : at + count * HOP].astype(np.float32) / np.float32(32768)
            sound[number, : count * HOP] = emphasised(raw, shape.emphasis)[before:]
            low, high = max(0, start - MARGIN), min(clip.frames, start + count + MARGIN)
            place = low - (start - MARGIN)
            given[number, place : place + high - low] = self.features[clip.start + low : clip.start + high]
            mask[number, (shape.receptive_field if start else 0) : count * HOP] = 1
        samples = torch.from_numpy(mulaw.encode(sound).astype(np.int64) if shape.output == "mulaw" else sound)
        features, speakers = torch.from_numpy(given).to(self.device), torch.tensor([clip.speaker for clip, _ in windows])
        with autocast(self.device, self.settings.precision):
            whole = self.net.conditions(features, speakers.to(self.device) if shape.speakers else None)
            assert whole is not None
            local = whole[:, MARGIN * HOP : (MARGIN + frames) * HOP]
            nats = self.net.nats(samples.to(self.device), local)
        weights = torch.from_numpy(mask).to(self.device)
        return (nats * weights).sum() / weights.sum().clamp(min=1)

    def step(self, step: int) -> dict[str, float]:
        """One update on the windows of step number `step`."""
        self.net.train()
        mine = self.drawn(step)[distributed.rank() :: distributed.world()]
        loss, norm = update([self.loss(mine)], 1, self.optimizers.values(), self.settings.clip)
        return {"loss": loss, "norm": norm}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Mean −ln p on held-out windows, in nats a sample."""
        self.net.eval()
        return {"loss": float(np.mean([float(self.loss([window])) for window in self.held_out]))}

    def samples(self, folder: Path, step: int) -> str:
        """A second and a half of a held-out clip, said again from its features alone."""
        clip = self.held_out[0][0]
        start = max(0, clip.frames // 2 - 60)
        features = self.features[clip.start + start : clip.start + min(clip.frames, start + 120)].astype(np.float32)
        tensors = {name: tensor.detach().float().cpu().numpy() for name, tensor in self.net.state_dict().items()}
        made = Sampler(self.net.shape, tensors).sample(features, speaker=clip.speaker if self.net.shape.speakers else 0)
        path = folder / f"{step:07}.wav"
        pcm.write_wav(path, made, RATE)
        return f"{path.name}: {len(made) / RATE:.1f} s"


def optimizers(net: WaveNet, settings: Settings) -> dict[str, Optimizer]:
    """Muon for the matrices that turn vectors into vectors, Adam for tables, entry, exits and biases."""
    inside = {name for name, weight in net.named_parameters() if name.startswith("layers.") and weight.ndim == 2}
    inside = inside if settings.matrix_lr else set()
    others = [weight for name, weight in net.named_parameters() if name not in inside]
    found: dict[str, Optimizer] = {"adam": torch.optim.Adam(others, settings.lr, (0.9, 0.95), fused=True)}
    if inside:
        matrices = [weight for name, weight in net.named_parameters() if name in inside]
        found["muon"] = Muon(matrices, settings.matrix_lr, weight_decay=settings.matrix_decay)
    return found


def foretold(corpus: Corpus, acoustic: AcousticModel) -> NDArray[np.float16]:
    """The corpus's features with the spectra that `acoustic` makes of its phonemes at their true durations.

    Pitch and voicing stay as measured: the spectra are too smooth to show the pitch, so it is learned from its own column.
    """
    made = np.array(corpus.features)
    for clip in corpus.clips:
        if clip.symbols:
            spectra, _ = acoustic.features(clip.symbols, clip.speaker, given=clip.durations)
            made[clip.start : clip.start + clip.frames, :BANDS] = spectra[:, :BANDS]
    return made


class AcousticTraining:
    """An `Experiment`: the features of clips from their phonemes, and the phonemes' durations."""

    def __init__(self, net: Acoustic, corpus: Corpus, settings: Settings) -> None:
        self.device = device()
        self.net, self.corpus, self.settings = net.to(self.device), corpus, settings
        self.modules: dict[str, nn.Module] = {"model": self.net}
        self.optimizers: dict[str, Optimizer] = {
            "adamw": torch.optim.AdamW(net.parameters(), settings.lr, (0.9, 0.98), weight_decay=0.01, fused=True)
        }
        self.clips = [clip for clip in corpus.part(False) if clip.symbols]
        self.held_out = [clip for clip in corpus.part(True) if clip.symbols][: 4 * settings.validation] or self.clips[:4]

    @property
    def tokens_per_step(self) -> int:
        """Clips seen in one step over all processes."""
        return self.settings.batch

    def losses(self, clips: Sequence[Clip]) -> dict[str, Tensor]:
        """The parts of the loss over the clips (see `nets.acoustic.losses`)."""
        symbols, durations = (_stacked([getattr(clip, name) for clip in clips]) for name in ("symbols", "durations"))
        laid = [regulated(clip.durations) for clip in clips]
        index = _stacked([index for index, _ in laid])
        places = _stacked_floats([places for _, places in laid])
        target = _stacked_floats([self.corpus.features[clip.start : clip.start + clip.frames].astype(np.float32) for clip in clips])
        at, frames = (_mask([len(part) for part in parts]).to(self.device) for parts in
                      ([clip.symbols for clip in clips], [index for index, _ in laid]))  # fmt: skip
        speakers = torch.tensor([clip.speaker for clip in clips]).to(self.device)
        with autocast(self.device, self.settings.precision):
            x, logs = self.net.encoded(symbols.to(self.device), speakers, at[..., None])
            predicted = self.net.decoded(x, index.to(self.device), places.to(self.device), frames[..., None])
        return losses(predicted.float(), target.to(self.device), logs.float(), durations.to(self.device), frames, at)

    def step(self, step: int) -> dict[str, float]:
        """One update on the clips of step number `step`."""
        self.net.train()
        rng = np.random.default_rng((self.settings.seed, step))
        chosen = rng.choice(len(self.clips), min(self.settings.batch, len(self.clips)), replace=False)
        mine = [self.clips[at] for at in chosen[distributed.rank() :: distributed.world()]]
        parts: dict[str, float] = {}

        def one() -> Iterator[Tensor]:
            found = self.losses(mine)
            parts.update({name: float(value.detach()) for name, value in found.items() if name != "loss"})
            yield found["loss"]

        loss, norm = update(one(), 1, self.optimizers.values(), self.settings.clip)
        return {"loss": loss, **parts, "norm": norm}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """The parts of the loss on held-out clips."""
        self.net.eval()
        found = [self.losses([clip]) for clip in self.held_out]
        return {name: float(np.mean([float(each[name]) for each in found])) for name in found[0]}

    def samples(self, folder: Path, step: int) -> str:
        """A held-out clip's features beside those predicted, as a picture of two spectrograms."""
        from mofang.sound.own.picture import spectrograms

        clip = self.held_out[0]
        tensors = {name: tensor.detach().float().cpu().numpy() for name, tensor in self.net.state_dict().items()}
        made, _ = AcousticModel(self.net.shape, tensors).features(clip.symbols, clip.speaker)
        path = folder / f"{step:07}.png"
        path.write_bytes(spectrograms([self.corpus.features[clip.start : clip.start + clip.frames].astype(np.float32), made]))
        return f"{path.name}: {clip.text[:40]} ({len(made) * HOP / RATE:.1f} s, {clip.frames * HOP / RATE:.1f} s as recorded)"


def _stacked(parts: Sequence[Sequence[int] | NDArray[np.int64]]) -> Tensor:
    whole = np.zeros((len(parts), max(map(len, parts))), np.int64)
    for row, part in zip(whole, parts, strict=True):
        row[: len(part)] = part
    return torch.from_numpy(whole)


def _stacked_floats(parts: Sequence[Floats]) -> Tensor:
    whole = np.zeros((len(parts), max(map(len, parts)), parts[0].shape[1]), np.float32)
    for row, part in zip(whole, parts, strict=True):
        row[: len(part)] = part
    return torch.from_numpy(whole)


def _mask(counts: Sequence[int]) -> Tensor:
    return torch.from_numpy((np.arange(max(counts)) < np.array(counts)[:, None]).astype(np.float32))

