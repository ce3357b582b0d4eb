"""The peers of `music_nll.py`: an LSTM and a plain Music Transformer over the same events, trained for the same seconds."""

import math
import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mofang.sound.music import tokens
from mofang.training.precision import autocast

Ids = np.ndarray
DROPOUT = 0.1


class LSTM(nn.Module):
    """Embedding → two LSTM layers → the same embedding as output (Press & Wolf 2017)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens.VOCABULARY, width)
        self.layers = nn.LSTM(width, width, 2, batch_first=True, dropout=DROPOUT)
        self.dropout = nn.Dropout(DROPOUT)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)

    def forward(self, ids: Tensor) -> Tensor:
        """(B, T) → logits (B, T, V)."""
        hidden, _ = self.layers(self.dropout(self.embedding(ids)))
        return F.linear(self.dropout(hidden), self.embedding.weight)


class RelativeBlock(nn.Module):
    """Attention with learned relative positions, skewed (Huang et al. 2018, arXiv 1809.04281), and a ReLU network."""

    def __init__(self, width: int, heads: int, reach: int) -> None:
        super().__init__()
        self.heads, self.size, self.reach = heads, width // heads, reach
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.distance = nn.Parameter(torch.randn(heads, reach, self.size) * self.size**-0.5)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) → the same shape."""
        batch, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, self.size).permute(2, 0, 3, 1, 4)
        # Distances beyond the reach are all the farthest one.
        table = self.distance[:, -length:]
        if length > self.reach:
            table = torch.cat((self.distance[:, :1].expand(-1, length - self.reach, -1), table), 1)
        relative = torch.einsum("bhtd,hrd->bhtr", q, table.to(q.dtype))
        skewed = F.pad(relative, (1, 0)).view(batch, self.heads, length + 1, length)[:, :, 1:]
        scores = (q @ k.transpose(-1, -2) + skewed) * self.size**-0.5
        mask = torch.ones(length, length, dtype=torch.bool).triu(1)
        shares = self.dropout(scores.float().masked_fill(mask, -torch.inf).softmax(-1)).to(v.dtype)
        x = x + self.dropout(self.out((shares @ v).transpose(1, 2).reshape(batch, length, width)))
        return x + self.dropout(self.down(F.relu(self.up(self.norm2(x)))))


class MusicTransformer(nn.Module):
    """Events and nothing else, relative attention."""

    def __init__(self, layers: int, width: int, heads: int, reach: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens.VOCABULARY, width)
        self.blocks = nn.ModuleList(RelativeBlock(width, heads, reach) for _ in range(layers))
        self.norm, self.dropout = nn.LayerNorm(width), nn.Dropout(DROPOUT)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)

    def forward(self, ids: Tensor) -> Tensor:
        """(B, T) → logits (B, T, V)."""
        x = self.dropout(self.embedding(ids) * math.sqrt(self.embedding.embedding_dim))
        for block in self.blocks:
            x = block(x)
        return F.linear(self.norm(x), self.embedding.weight)


def size_of(net: nn.Module) -> int:
    """Parameters."""
    return sum(weight.numel() for weight in net.parameters())


def lstm_like(size: int) -> LSTM:
    """The LSTM with about so many parameters."""
    width = 16
    while 16 * width**2 + (tokens.VOCABULARY + 16) * width < size:
        width += 8
    return LSTM(width)


def transformer_like(size: int, layers: int, heads: int, reach: int) -> MusicTransformer:
    """The Music Transformer with so many layers and about so many parameters."""
    width = heads * 8
    while layers * (12 * width**2 + reach * width) + tokens.VOCABULARY * width < size:
        width += heads * 4
    return MusicTransformer(layers, width, heads, reach)


def drawn(pieces: list[Ids], shares: np.ndarray, step: int, batch: int, context: int) -> Tensor:
    """Windows of a step in other keys, (batch, context + 1), padded with 0: beginnings as often as insides."""
    rng = np.random.default_rng((7, step))
    out = np.zeros((batch, context + 1), np.int64)
    for row in out:
        piece = pieces[min(int(np.searchsorted(shares, rng.random())), len(pieces) - 1)]
        semitones = int(rng.integers(-5, 6))
        with suppress(ValueError):  # out of MIDI's range: it stays where it is
            piece = tokens.transpose(piece, semitones)
        room = len(piece) - context - 1
        begin = int(rng.integers(0, room + 1)) if room > 0 and rng.random() < 0.5 else 0
        cut = piece[begin : begin + context + 1]
        row[: len(cut)] = cut
    return torch.from_numpy(out)


def nats(net: nn.Module, piece: Ids) -> np.ndarray:
    """−ln p of every event of a piece but its first."""
    ids = torch.from_numpy(piece.astype(np.int64))[None]
    with torch.inference_mode():
        logits = net(ids[:, :-1]).float()
    return F.cross_entropy(logits[0], ids[0, 1:], reduction="none").numpy()


def fit(net: nn.Module, pieces: list[Ids], shares: np.ndarray, held: list[Ids], seconds: float, lr: float, batch: int, context: int,
        tell: Callable[[str], None]) -> nn.Module:  # fmt: skip
    """AdamW for so many seconds of steps, a tenth of them warming up, then a cosine; the weights that did best on `held` are kept.
    Validation is not counted, as it is not in ours."""
    optimizer = torch.optim.AdamW(net.parameters(), lr, (0.9, 0.98), weight_decay=0.1)
    spent, step, due, best, kept = 0.0, 0, 0.1, math.inf, {}
    while (share := spent / seconds) < 1:
        start = time.perf_counter()
        net.train()
        rate = lr * (share / 0.1 if share < 0.1 else 0.5 + 0.5 * math.cos(math.pi * (share - 0.1) / 0.9))
        for group in optimizer.param_groups:
            group["lr"] = rate
        ids = drawn(pieces, shares, step, batch, context)
        with autocast(torch.device("cpu"), "auto"):
            logits = net(ids[:, :-1])
        loss = F.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten(), ignore_index=0)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        step += 1
        spent += time.perf_counter() - start
        if share >= due or not kept:
            due += 0.1
            net.eval()
            found = float(np.concatenate([nats(net, piece[: context + 1]) for piece in held]).mean())
            if found < best:
                best, kept = found, {name: value.clone() for name, value in net.state_dict().items()}
    net.eval()
    found = float(np.concatenate([nats(net, piece[: context + 1]) for piece in held]).mean())
    if found > best:
        net.load_state_dict(kept)
    tell(f"{type(net).__name__}: {step} steps, {min(best, found):.3f} nats an event on validation")
    return net
