"""The priors over a Jukebox's codes (Dhariwal et al. 2020, arXiv 2005.00341, sections 4 and 4.1 to 4.4).

A decoder-only transformer (Vaswani et al. 2017) in today's dress: RMS norms, rotary angles, SwiGLU. What it is told: style and
total length before the first code (section 4.1), place in seconds and share of the piece at every code, lyrics as a
prefix that is attended to (the paper's single decoder of the 1B model, section 4.4); below the top, the level above through
non-causal dilated convolutions and a transposed one (the conditioner of section 4.2, figure 2).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mofang.sound.jukebox.shape import BINS, LYRIC_SYMBOLS, PriorShape
from mofang.sound.nets.score import Block, RMSNorm

EPS = 1e-6


class Conditioner(nn.Module):
    """Codes of the level above (B, upper) → what each code below is told (B, upper · ratio, width)."""

    def __init__(self, shape: PriorShape) -> None:
        super().__init__()
        width = shape.width
        self.codes = nn.Embedding(shape.codes, width)
        self.wide = nn.ModuleList(nn.Conv1d(width, width, 3, padding=3**k, dilation=3**k) for k in range(shape.conditioner))
        self.narrow = nn.ModuleList(nn.Conv1d(width, width, 1) for _ in range(shape.conditioner))
        self.spread = nn.ConvTranspose1d(width, width, shape.ratio, shape.ratio)
        self.norm = RMSNorm(width, EPS)

    def forward(self, codes: Tensor) -> Tensor:
        """See the class."""
        x = self.codes(codes).transpose(1, 2)
        for wide, narrow in zip(self.wide, self.narrow, strict=True):
            x = x + narrow(F.relu(wide(F.relu(x))))
        out: Tensor = self.norm(self.spread(x).transpose(1, 2))
        return out


class PriorNet(nn.Module):
    """Logits of every code of a window given those before it and what it is told."""

    def __init__(self, shape: PriorShape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape, width = shape, shape.width
        self.codes, self.styles = nn.Embedding(shape.codes, width), nn.Embedding(len(shape.styles), width)
        self.total, self.place, self.share = (nn.Embedding(BINS, width) for _ in range(3))
        if shape.lyrics:
            self.letters = nn.Embedding(LYRIC_SYMBOLS, width)
        if shape.upper:
            self.conditioner = Conditioner(shape)
        block = {"hidden_size": width, "intermediate_size": shape.inner, "num_attention_heads": shape.heads, "rms_norm_eps": EPS}
        self.blocks = nn.ModuleList(Block(block, dropout) for _ in range(shape.layers))
        self.norm, self.head = RMSNorm(width, EPS), nn.Linear(width, shape.codes)
        size = width // shape.heads
        frequency = 10_000.0 ** -(torch.arange(0, size, 2, dtype=torch.float64) / size)
        angle = torch.outer(torch.arange(shape.lyrics + shape.context, dtype=torch.float64), frequency).repeat(1, 2)
        self._turn = angle.cos().float(), angle.sin().float()
        self.apply(_initialise)
        for layer in self.blocks:  # Each block starts as the identity (Zhang et al. 2019).
            nn.init.zeros_(layer.get_parameter("out.weight"))
            nn.init.zeros_(layer.get_parameter("down.weight"))
        nn.init.zeros_(self.head.weight)

    def forward(self, codes: Tensor, style: Tensor, times: Tensor, lyrics: Tensor | None = None,
                upper: Tensor | None = None) -> Tensor:  # fmt: skip
        """Logits (B, T, codes) for codes (B, T).

        `style` (B,); `times` (B, T, 3): bins of total length, place and share (`conditions.times`); `lyrics` (B, shape.lyrics)
        bytes; `upper` (B, shape.upper) codes of the level above.
        """
        total, place, share = times.unbind(-1)
        first = self.styles(style)[:, None] + self.total(total[:, :1])
        x = torch.cat((first, self.codes(codes[:, :-1])), 1) + self.place(place) + self.share(share)
        if upper is not None:
            x = x + self.conditioner(upper)[:, : x.size(1)]
        before = 0
        if lyrics is not None:
            x, before = torch.cat((self.letters(lyrics), x), 1), lyrics.size(1)
        turn = (self._turn[0][: x.size(1)].to(x.device), self._turn[1][: x.size(1)].to(x.device))
        for layer in self.blocks:
            x, _ = layer(x, turn, None)
        logits: Tensor = self.head(self.norm(x[:, before:]))
        return logits


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=module.in_features**-0.5)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
