"""A codebook that follows vectors: what VQ-VAEs of pictures and of sound share.

van den Oord et al. 2017 (arXiv 1711.00937): the nearest entry stands for a vector (equation 1), gradients pass straight through,
the encoder commits to what it chose (third term of equation 3), entries are exponential moving averages of the vectors that
chose them (appendix A.1). Entries hardly ever chosen are restarted at vectors of the batch (Jukebox, arXiv 2005.00341,
section 3.1).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mofang.training import distributed

UNUSED = 0.03
"""Uses a step (averaged) under which an entry is restarted."""


class Codebook(nn.Module):
    """`codes` vectors of `latent` numbers; learned by averaging, not by gradients.

    An entry is restarted when it is used less than `UNUSED` times a step, or with `share` less than that part of an even
    use: batches of few vectors and batches of many then keep their codebooks equally busy.
    """

    entries: Tensor
    counts: Tensor
    sums: Tensor

    def __init__(self, codes: int, latent: int, decay: float = 0.99, share: float = 0.0) -> None:
        super().__init__()
        self.decay, self.share = decay, share
        self.register_buffer("entries", torch.randn(codes, latent))
        self.register_buffer("counts", torch.ones(codes))
        self.register_buffer("sums", self.entries.clone())

    def nearest(self, vectors: Tensor) -> Tensor:
        """The number of the nearest entry of each of (N, latent), (N,)."""
        distance = -2 * vectors @ self.entries.T + self.entries.square().sum(1)
        return distance.argmin(1)

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(N, latent) → what stands for them, with gradients straight through; their codes; the commitment loss."""
        codes = self.nearest(vectors.detach())
        chosen = self.entries[codes]
        commitment = F.mse_loss(vectors, chosen)
        return vectors + (chosen - vectors).detach(), codes, commitment

    @torch.no_grad()
    def begin(self, vectors: Tensor) -> None:
        """Put every entry at a vector of a first batch: random ones would lie where no vector ever comes."""
        picked = vectors[torch.randint(len(vectors), (len(self.entries),))]
        self.entries.copy_(distributed.same(picked + 0.01 * picked.std() * torch.randn_like(picked)))
        self.counts.fill_(self._floor(len(vectors))[1])
        self.sums.copy_(self.entries * self.counts[:, None])

    def _floor(self, rows: int) -> tuple[float, float]:
        """Uses under which an entry is restarted, and those it is then credited with."""
        floor = self.share * rows / len(self.entries)
        return (floor, 2 * floor) if self.share else (UNUSED, 1.0)

    @torch.no_grad()
    def follow(self, vectors: Tensor, codes: Tensor) -> int:
        """Move the entries towards the vectors that chose them; restart those hardly ever chosen, and return how many."""
        chosen = F.one_hot(codes, len(self.entries)).to(vectors)
        self.counts.lerp_(chosen.sum(0), 1 - self.decay)
        self.sums.lerp_(chosen.T @ vectors, 1 - self.decay)
        floor, credit = self._floor(len(vectors))
        dead = self.counts < floor
        # Every process draws by its own seed; all must restart alike.
        picked = distributed.same(vectors[torch.randint(len(vectors), (int(dead.sum()),))])
        self.counts[dead], self.sums[dead] = credit, picked * credit
        self.entries.copy_(self.sums / self.counts[:, None])
        return len(picked)


def perplexity(uses: Tensor) -> float:
    """How many entries are in use, from how often each was chosen: the exponential of the entropy."""
    shares = uses.float() / uses.sum().clamp(min=1)
    return float(torch.exp(-(shares * torch.log(shares.clamp(min=1e-12))).sum()))
