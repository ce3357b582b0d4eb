"""What a model of scores adds to the one training loop: pieces in any key, arranged into tasks, and their next events."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from mofang.sound.music import tokens
from mofang.sound.music.data import Data
from mofang.sound.music.tasks import example, window
from mofang.sound.nets.score import ScoreNet
from mofang.training import distributed
from mofang.training.optimizers import muon_and_adamw
from mofang.training.precision import Precision, autocast, device
from mofang.training.update import update

Ids = NDArray[np.uint16]


@dataclass(frozen=True)
class Settings:
    """How a model of scores is trained. `batch` pieces of at most `context` events are a step; each is moved to another key
    within ± `keys` semitones; styles are drawn with weight size^`evenness` (1: as they are, 0: all alike)."""

    context: int = 512
    batch: int = 16
    lr: float = 2e-3
    matrix_lr: float = 0.02
    weight_decay: float = 0.1
    clip: float = 1.0
    keys: int = 5
    evenness: float = 0.5
    precision: Precision = "auto"
    seed: int = 0
    validation: int = 200


class Composer:
    """An `Experiment`: −ln p of every event given those before it, in nats an event."""

    def __init__(self, net: ScoreNet, data: Data, settings: Settings) -> None:
        self.device = device()
        self.net, self.settings = net.to(self.device), settings
        self.modules: dict[str, nn.Module] = {"model": self.net}
        self.optimizers = muon_and_adamw(net, lambda name: name.startswith("blocks."), settings.lr, settings.matrix_lr,
                                         settings.weight_decay)  # fmt: skip
        entries = [entry for entry in data.entries if entry.part == "train"]
        self.pieces = [data.tokens[entry.start : entry.start + entry.length] for entry in entries]
        sizes: dict[str, int] = {}
        for entry in entries:
            sizes[entry.style] = sizes.get(entry.style, 0) + entry.length
        weights = np.array([entry.length * sizes[entry.style] ** (settings.evenness - 1) for entry in entries], np.float64)
        self.shares = np.cumsum(weights / weights.sum())
        held = data.pieces("validation") or data.pieces("test") or self.pieces[:1]
        picked = np.unique(np.linspace(0, len(held) - 1, settings.validation).astype(int))
        self.held_out = [window(held[at], settings.context, 0) for at in picked]

    @property
    def tokens_per_step(self) -> int:
        """Events seen in one step over all processes, at most."""
        return self.settings.batch * self.settings.context

    def drawn(self, step: int) -> list[tuple[Ids, NDArray[np.int64]]]:
        """The examples of a step: a piece by its weight, a task, a tempo and mood, bars to look at, a key."""
        rng = np.random.default_rng((self.settings.seed, step))
        found = []
        for _ in range(self.settings.batch):
            piece = self.pieces[min(int(np.searchsorted(self.shares, rng.random())), len(self.pieces) - 1)]
            semitones = int(rng.integers(-self.settings.keys, self.settings.keys + 1))
            ids, places = example(piece, self.settings.context, rng)
            with suppress(ValueError):  # Out of the range of MIDI: it stays where it is.
                ids = tokens.transpose(ids, semitones)
            found.append((ids, places))
        return found

    def loss(self, windows: list[tuple[Ids, NDArray[np.int64]]]) -> tuple[Tensor, int]:
        """Sum of −ln p over the events of windows, and how many these are. Their first event has nothing before it."""
        longest = max(len(ids) for ids, _ in windows)
        events = np.zeros((len(windows), longest), np.int64)
        where = np.zeros((len(windows), longest, 3), np.int64)
        for row, (ids, places) in enumerate(windows):
            events[row, : len(ids)], where[row, : len(ids)] = ids, places
        given, places_ = torch.from_numpy(events).to(self.device), torch.from_numpy(where).to(self.device)
        with autocast(self.device, self.settings.precision):
            logits, _ = self.net(given[:, :-1], places_[:, :-1])
        wanted = given[:, 1:].reshape(-1)
        total = F.cross_entropy(logits.float().flatten(0, 1), wanted, ignore_index=0, reduction="sum")
        return total, int((wanted != 0).sum())

    def step(self, step: int) -> dict[str, float]:
        """One update on the windows of step number `step`."""
        self.net.train()
        mine = self.drawn(step)[distributed.rank() :: distributed.world()]
        total, count = self.loss(mine)
        loss, norm = update([total / count], 1, self.optimizers.values(), self.settings.clip)
        return {"loss": loss, "norm": norm}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Nats an event over the beginnings of held-out pieces."""
        self.net.eval()
        total, count = 0.0, 0
        for start in range(0, len(self.held_out), self.settings.batch):
            nats, events = self.loss(self.held_out[start : start + self.settings.batch])
            total, count = total + float(nats), count + events
        return {"loss": total / count}

    def samples(self, folder: Path, step: int) -> str:
        """How likely the held-out events are, as a person reads it."""
        return f"{np.exp(self.validate()['loss']):.2f} events to choose from"

