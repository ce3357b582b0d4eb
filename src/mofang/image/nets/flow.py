"""Text to image: a transformer that carries noise to a picture's latents along straight lines.

Rectified flow (Liu et al. 2023, arXiv 2209.03003; Lipman et al. 2023, arXiv 2210.02747): with x_t = (1 - t)·x + t·noise
the network learns the velocity noise - x, and a picture is the end of an ordinary differential equation that starts at
noise. The network is a diffusion transformer (Peebles & Xie 2023, arXiv 2212.09748) with one modulation shared by all
blocks (Chen et al. 2024, PixArt-α, arXiv 2310.00426), into whose sequence the words go as tokens of their own beside
those of the picture (Esser et al. 2024, arXiv 2403.03206). Before any noise is read, a `Sketch` says from the words alone
what the picture looks like on the whole: where there are few pictures to learn from, most of what tells subjects apart is
learned by looking it up, at a hundredth of the transformer's work, and the flow draws it in the style that is asked for.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PATCH = 2
"""Latents along a side of one token."""

PAD = 0
"""The token of no word."""


@dataclass(frozen=True)
class FlowShape:
    """Sizes of the network. `side` and `latent`: of the grid it makes; `words` and `vocabulary`: of a caption; `styles`:
    how many it knows (one more means any); `sketch`: features of one token of the sketch."""

    vocabulary: int
    styles: int
    side: int = 16
    latent: int = 6
    width: int = 256
    layers: int = 8
    heads: int = 4
    words: int = 16
    text_layers: int = 2
    sketch: int = 24

    def config(self) -> dict[str, Any]:
        """As a model's `config.json`."""
        return {"model_type": "mofang-flow", **asdict(self)}


def rms(x: Tensor) -> Tensor:
    """Root-mean-square normalisation without weights (Zhang & Sennrich 2019)."""
    if torch.onnx.is_in_onnx_export():  # Its operators have no fused one.
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)
    return F.rms_norm(x, (x.size(-1),), eps=1e-6)


class Attention(nn.Module):
    """Multi-head attention with normalised queries and keys (Dehghani et al. 2023). (B, T, D) → the same."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """`mask` (B, 1, 1, T) is added to the scores."""
        batch, length, width = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        # Written out: for so few tokens the fused kernel's backward pass takes three times as long on a processor.
        scores = rms(q) @ rms(k).transpose(-2, -1) * (width // self.heads) ** -0.5 + mask
        mixed = scores.softmax(-1).to(v.dtype) @ v
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return out


class Mlp(nn.Module):
    """SwiGLU (Shazeer 2020). (B, T, D) → the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = 8 * width // 3 // 32 * 32
        self.up = nn.Linear(width, 2 * inner, bias=False)
        self.down = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.up(x).chunk(2, -1)
        out: Tensor = self.down(F.silu(gate) * value)
        return out


class Block(nn.Module):
    """Attention and MLP, each scaled, shifted and gated by the time, style and words of the whole picture."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = Attention(width, heads)
        self.mlp = Mlp(width)
        self.table = nn.Parameter(torch.zeros(6, width))

    def forward(self, x: Tensor, modulation: Tensor, mask: Tensor) -> Tensor:
        """`modulation` (B, 6, D) is shared by all blocks; `table` makes it this one's."""
        scale1, shift1, gate1, scale2, shift2, gate2 = (modulation + self.table).unsqueeze(2).unbind(1)
        x = x + gate1 * self.attention(rms(x) * (1 + scale1) + shift1, mask)
        out: Tensor = x + gate2 * self.mlp(rms(x) * (1 + scale2) + shift2)
        return out


class Captions(nn.Module):
    """Captions (B, words) of token numbers → features of each word (B, words, D) and of the whole (B, D)."""

    def __init__(self, shape: FlowShape) -> None:
        super().__init__()
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.place = nn.Parameter(torch.randn(shape.words, shape.width) * 0.02)
        self.attention = nn.ModuleList(Attention(shape.width, shape.heads) for _ in range(shape.text_layers))
        self.mlp = nn.ModuleList(Mlp(shape.width) for _ in range(shape.text_layers))
        nn.init.normal_(self.embedding.weight, std=0.5)

    def forward(self, words: Tensor) -> tuple[Tensor, Tensor]:
        real = words != PAD
        mask = _mask(real)
        x = self.embedding(words) + self.place
        for attention, mlp in zip(self.attention, self.mlp, strict=True):
            x = x + attention(rms(x), mask)
            x = x + mlp(rms(x))
        x = rms(x) * real[..., None]
        return x, x.sum(1) / real.sum(1, keepdim=True).clamp(min=1)


class Sketch(nn.Module):
    """A whole caption (B, D) → what its picture looks like in no style yet, features (B, T, sketch) of its T tokens.

    A style is a linear view of those features, the same at every token: it is too little to remember single pictures by, so
    that a subject never seen in a style gets a sketch as good as the others'. Features drop out in training: the flow must not
    trust a sketch of a picture it was made from more than it can trust one of a picture never seen (Ho et al. 2022, arXiv
    2106.15282, section 4.2).
    """

    def __init__(self, shape: FlowShape, dropout: float = 0.1) -> None:
        super().__init__()
        tokens, values = (shape.side // PATCH) ** 2, shape.latent * PATCH**2
        self.size, self.dropout = (tokens, shape.sketch), dropout
        self.enter = nn.Linear(shape.width, 4 * shape.width)
        self.leave = nn.Linear(4 * shape.width, tokens * shape.sketch)
        self.views = nn.Parameter(torch.randn(shape.styles + 1, shape.sketch, values) * shape.sketch**-0.5)
        self.ground = nn.Parameter(torch.zeros(shape.styles + 1, tokens, values))

    def forward(self, whole: Tensor) -> Tensor:
        features = self.leave(F.silu(self.enter(whole))).view(-1, *self.size)
        return F.dropout(features, self.dropout, self.training)

    def seen(self, features: Tensor, style: Tensor) -> Tensor:
        """The latents' patches (B, T, 4C) as `style` (B) would have them, in the mean."""
        return features @ self.views[style] + self.ground[style]


class Flow(nn.Module):
    """The velocity at latents x_t (B, latent, side, side), times t (B) in 0..1, captions (B, words), styles (B)."""

    def __init__(self, shape: FlowShape) -> None:
        super().__init__()
        self.shape = shape
        width, grid = shape.width, shape.side // PATCH
        self.captions = Captions(shape)
        self.sketch = Sketch(shape)
        self.guide = nn.Linear(shape.sketch, width, bias=False)
        self.enter = nn.Linear(shape.latent * PATCH**2, width)
        self.place = nn.Parameter(torch.randn(grid * grid, width) * 0.02)
        self.style = nn.Embedding(shape.styles + 1, width)
        self.time = nn.Sequential(nn.Linear(128, width), nn.SiLU(), nn.Linear(width, width))
        self.modulation = nn.Linear(width, 6 * width)
        self.blocks = nn.ModuleList(Block(width, shape.heads) for _ in range(shape.layers))
        self.last = nn.Linear(width, 2 * width)
        self.leave = nn.Linear(width, shape.latent * PATCH**2)
        for layer in (self.modulation, self.last, self.leave):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, noisy: Tensor, t: Tensor, words: Tensor, style: Tensor) -> Tensor:
        features, whole = self.captions(words)
        return self.velocity(noisy, t, features, whole, words != PAD, style)

    def velocity(self, noisy: Tensor, t: Tensor, features: Tensor, whole: Tensor, real: Tensor, style: Tensor) -> Tensor:
        """The velocity, given what `captions` made of the words and which of them are `real`."""
        batch, tokens = noisy.size(0), self.place.size(0)
        condition = F.silu(self.time(waves(t)) + self.style(style) + whole)
        modulation = self.modulation(condition).view(batch, 6, -1)
        x = self.enter(patches(noisy)) + self.guide(self.sketch(whole)) + self.place
        x = torch.cat([x, features], 1)
        mask = _mask(torch.cat([real.new_ones(batch, tokens), real], 1))
        for block in self.blocks:
            x = block(x, modulation, mask)
        scale, shift = self.last(condition)[:, None].chunk(2, -1)
        out = self.leave(rms(x[:, :tokens]) * (1 + scale) + shift)
        return grid(out, self.shape.side)


def _mask(real: Tensor) -> Tensor:
    """(B, T) of what is there → (B, 1, 1, T) to add to scores."""
    return torch.where(real, 0.0, -1e4)[:, None, None]


def patches(latents: Tensor) -> Tensor:
    """(B, C, S, S) → (B, (S/2)², 4C)."""
    return F.pixel_unshuffle(latents, PATCH).flatten(2).transpose(1, 2)


def grid(tokens: Tensor, side: int) -> Tensor:
    """(B, (S/2)², 4C) → (B, C, S, S)."""
    across = side // PATCH
    return F.pixel_shuffle(tokens.transpose(1, 2).reshape(tokens.size(0), -1, across, across), PATCH)


def waves(t: Tensor, size: int = 128) -> Tensor:
    """Times (B) in 0..1 as sines and cosines (B, size) of frequencies from 1 to 1,000 (Vaswani et al. 2017)."""
    frequencies = torch.exp(torch.linspace(0, math.log(1000), size // 2, device=t.device))
    angles = t.float()[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], 1)
