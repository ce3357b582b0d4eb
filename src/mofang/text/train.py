"""What the craft of text adds to the one training loop: a language model, its losses, its samples."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from mofang.studio.errors import UserError
from mofang.text.batches import Windows, whole
from mofang.text.nets.loss import next_token_loss
from mofang.training import distributed
from mofang.training.optimizers import muon_and_adamw
from mofang.training.precision import Precision, autocast, device
from mofang.training.update import update

MATRICES_FOR = ("self_attn", "cross_attn", "mlp", "rnn")
"""Parts whose matrices Muon may take: they turn vectors into vectors. Embeddings and heads look tokens up."""


@dataclass(frozen=True)
class Settings:
    """How a language model is trained. `batch` windows of `context` tokens are one step over all processes, taken in
    `accumulate` parts; `lr` is AdamW's, `matrix_lr` Muon's (0: AdamW for everything)."""

    context: int
    batch: int
    accumulate: int = 1
    lr: float = 4e-3
    matrix_lr: float = 0.02
    weight_decay: float = 0.05
    clip: float = 1.0
    precision: Precision = "auto"
    seed: int = 0
    validation_windows: int | None = 400


class Codec(Protocol):
    """What training asks of a tokenizer."""

    @property
    def end(self) -> int:
        """The token between documents."""

    def encode(self, text: str) -> list[int]:
        """Text as tokens."""

    def decode(self, ids: Sequence[int]) -> str:
        """Tokens as text."""


class LanguageModel:
    """An `Experiment`: next-token prediction over the windows of a token stream.

    `model` is any network of `text.nets` with `hidden`, `logits`-weights and a state. Validation is the mean loss over
    non-overlapping windows of the held-out stream, in nats per token.
    """

    def __init__(self, model: nn.Module, train: NDArray[np.unsignedinteger], held_out: NDArray[np.unsignedinteger],
                 tokenizer: Codec, settings: Settings, prompts: Sequence[str] = ()) -> None:  # fmt: skip
        if settings.accumulate > (share := settings.batch // distributed.world()):
            raise UserError(f"{share} windows of a batch cannot be taken in {settings.accumulate} parts; take --accumulate "
                            f"{max(share, 1)} or a larger --batch")  # fmt: skip
        self.device = device()
        self.settings, self.tokenizer, self.prompts = settings, tokenizer, prompts
        self.model = model.to(self.device)
        self.modules: dict[str, nn.Module] = {"model": self.model}
        self.optimizers = optimizers(self.model, settings)
        self.windows = Windows(train, settings.context, settings.seed)
        self.held_out = whole(held_out, settings.context, settings.validation_windows)

    @property
    def tokens_per_step(self) -> int:
        """Tokens predicted in one step over all processes."""
        return self.settings.batch * self.settings.context

    def step(self, step: int) -> dict[str, float]:
        """One update on batch number `step`."""
        settings = self.settings
        self.model.train()
        losses = self._losses(self.windows.batch(step, settings.batch))
        loss, norm = update(losses, settings.accumulate, self.optimizers.values(), settings.clip)
        return {"loss": loss, "norm": norm}

    def _losses(self, batch: NDArray[np.int64]) -> Iterator[Tensor]:
        mine = batch[distributed.rank() :: distributed.world()]
        for part in np.array_split(mine, self.settings.accumulate):
            # Parts need not be equal; every window counts alike.
            weight = len(part) * self.settings.accumulate * distributed.world() / len(batch)
            with autocast(self.device, self.settings.precision):
                yield self.loss(part) * weight

    def loss(self, windows: NDArray[np.int64]) -> Tensor:
        """Mean loss over windows (B, T + 1), nats per token."""
        ids = torch.from_numpy(windows).to(self.device)
        hidden, _ = self.model.hidden(ids[:, :-1])  # type: ignore[operator]
        head = getattr(self.model, "head", None)
        return next_token_loss(hidden.reshape(-1, hidden.size(-1)), self.model.output_weight,  # type: ignore[arg-type]
                               None if head is None else head.bias, ids[:, 1:].reshape(-1))  # fmt: skip

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Mean loss on held-out windows; each process takes its share."""
        self.model.eval()
        total, seen = 0.0, 0
        size = max(1, self.settings.batch // self.settings.accumulate)
        for start in range(0, len(self.held_out), size):
            part = self.held_out[start : start + size]
            with autocast(self.device, self.settings.precision):
                total += float(self.loss(part)) * len(part)
            seen += len(part)
        return {"loss": total / seen}

    def samples(self, folder: Path, step: int) -> str:
        """A continuation of each prompt, at temperature 0.8."""
        self.model.eval()
        texts = [prompt + self.continued(prompt) for prompt in self.prompts]
        (folder / f"{step:07}.txt").write_text("\n\n".join(texts) + "\n", "utf-8")
        return "\n\n".join(texts)

    @torch.no_grad()
    def continued(self, prompt: str, most: int = 80, temperature: float = 0.8) -> str:
        """What the model writes after `prompt`, up to `most` tokens or the end of a document."""
        room = self.settings.context - most
        ids = [self.tokenizer.end, *self.tokenizer.encode(prompt)][-max(1, room) :]
        written: list[int] = []
        state, given = None, torch.tensor([ids], device=self.device)
        for _ in range(min(most, self.settings.context - len(ids))):
            hidden, state = self.model.hidden(given, state)  # type: ignore[operator]
            logits: Tensor = self.model.logits(hidden[:, -1]).float()  # type: ignore[operator]
            given = torch.multinomial((logits / temperature).softmax(-1), 1)
            if int(given) == self.tokenizer.end:
                break
            written.append(int(given))
        return self.tokenizer.decode(written)


def optimizers(model: nn.Module, settings: Settings) -> dict[str, Optimizer]:
    """Muon for the matrices inside the network, AdamW for embeddings, heads, norms and biases."""
    return muon_and_adamw(model, lambda name: any(part in name for part in MATRICES_FOR),
                          settings.lr, settings.matrix_lr, settings.weight_decay)  # fmt: skip


def bits(nats: float) -> float:
    """Nats as bits."""
    return nats / math.log(2)
