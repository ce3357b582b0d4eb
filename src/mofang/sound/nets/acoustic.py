"""Phonemes to acoustic features, all frames at once: FastSpeech (Ren et al. 2019, arXiv:1905.09263) of ConvNeXt blocks.

Predicted durations repeat each phoneme's vector over its frames (the length regulator); pitch and voicing are predicted
with the spectrum, as in FastSpeech 2 (arXiv:2006.04558). Blocks: Liu et al. 2022, arXiv:2201.03545.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mofang.sound.own.acoustic import MODEL_TYPE, SYMBOL_COUNT, TAPS, AcousticShape
from mofang.sound.own.features import SIZE


class Block(nn.Module):
    """x + W₂ GELU(W₁ LN(depthwise convolution of x))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mix = nn.Conv1d(width, width, TAPS, padding=TAPS // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.wide = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (B, T, width), mask (B, T, 1): what lies behind a sequence's end stays zero, as if it were not there."""
        y = self.mix((x * mask).transpose(1, 2)).transpose(1, 2)
        added: Tensor = self.narrow(F.gelu(self.wide(self.norm(y)), approximate="tanh"))
        return x + added


class Acoustic(nn.Module):
    """Symbols (B, N) to log durations (B, N) and, with durations in frames, features (B, T, SIZE)."""

    def __init__(self, shape: AcousticShape, dropout: float = 0.1) -> None:
        super().__init__()
        width = shape.width
        self.shape = shape
        self.symbols = nn.Embedding(SYMBOL_COUNT, width)
        self.speaker = nn.Embedding(max(1, shape.speakers), width)
        self.encoder = nn.ModuleList(Block(width) for _ in range(shape.encoder))
        self.timing = nn.ModuleList(Block(width) for _ in range(shape.timing))
        self.length = nn.Linear(width, 1)
        nn.init.constant_(self.length.bias, 1.8)  # five frames: what a phoneme lasts before anything is learned
        self.place = nn.Linear(3, width)
        self.decoder = nn.ModuleList(Block(width) for _ in range(shape.decoder))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, SIZE)
        self.dropout = nn.Dropout(dropout)

    def encoded(self, symbols: Tensor, speakers: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors of the symbols (B, N, width), and ln(1 + duration) of each (B, N). `mask` (B, N, 1)."""
        x = self.dropout(self.symbols(symbols)) + self.speaker(speakers)[:, None]
        for block in self.encoder:
            x = block(x, mask)
        # Durations are learned beside the sound, not at its expense.
        y = self.dropout(x.detach())
        for block in self.timing:
            y = block(y, mask)
        return x, self.length(y).squeeze(-1)

    def decoded(self, x: Tensor, index: Tensor, places: Tensor, mask: Tensor) -> Tensor:
        """Features (B, T, SIZE): frame t speaks symbol `index`[t] at `places`[t] (share done, share left, ln length)."""
        y = torch.gather(x, 1, index[..., None].expand(-1, -1, x.size(-1))) + self.place(places)
        for block in self.decoder:
            y = block(y, mask)
        out: Tensor = self.out(self.norm(y))
        return out


def config(shape: AcousticShape) -> dict[str, Any]:
    """As `config.json` has it."""
    return {"model_type": MODEL_TYPE, **asdict(shape)}


@dataclass(frozen=True)
class Weights:
    """Of the parts of the loss."""

    spectrum: float = 1.0
    pitch: float = 0.5
    voiced: float = 0.2
    duration: float = 0.2


def losses(predicted: Tensor, target: Tensor, lengths: Tensor, durations: Tensor, frames: Tensor, symbols: Tensor,
           weights: Weights | None = None) -> dict[str, Tensor]:  # fmt: skip
    """Mean absolute error of the spectrum and (where it sounds) of the pitch, cross-entropy of voicing, squared error of
    log durations; `frames` (B, T) and `symbols` (B, N) are 1 where there is something. `loss` is their weighted sum."""
    weights = weights or Weights()
    bands = SIZE - 2
    count = frames.sum()
    spectrum = ((predicted[..., :bands] - target[..., :bands]).abs().mean(-1) * frames).sum() / count
    voiced = target[..., bands + 1] * frames
    pitch = ((predicted[..., bands] - target[..., bands]).abs() * voiced).sum() / voiced.sum().clamp(min=1)
    doubt = F.binary_cross_entropy_with_logits(predicted[..., bands + 1], target[..., bands + 1], reduction="none")
    sounding = (doubt * frames).sum() / count
    duration = ((lengths - torch.log1p(durations.float())) ** 2 * symbols).sum() / symbols.sum()
    whole = weights.spectrum * spectrum + weights.pitch * pitch + weights.voiced * sounding + weights.duration * duration
    return {"loss": whole, "spectrum": spectrum, "pitch": pitch, "voicing": sounding, "duration": duration}
