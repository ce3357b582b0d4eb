"""Which tokens stay in the draw. Every filter takes probabilities (sum 1, any order) and gives a mask, never an empty one."""

import numpy as np
from numpy.typing import NDArray

from mofang.text.sampling.settings import Sampling

Probabilities = NDArray[np.float64]
Mask = NDArray[np.bool_]
FEW = 256
"""Tokens sorted first: nearly always the nucleus lies among them, and sorting thousands costs more than the model."""


def nucleus(p: Probabilities, share: float) -> Mask:
    """The smallest set of the likeliest tokens whose probabilities sum to at least `share` (arXiv:1904.09751)."""
    return _first(p, -p, share)


def floor(p: Probabilities, share: float) -> Mask:
    """The tokens at least `share` times as likely as the likeliest (arXiv:2407.01082)."""
    mask: Mask = p >= share * p.max()
    return mask


def typical(p: Probabilities, share: float) -> Mask:
    """The tokens whose information is nearest the entropy, until they sum to `share` (arXiv:2202.00666)."""
    information = np.full(p.shape, np.inf)
    np.log(p, where=p > 0, out=information)
    np.negative(information, where=p > 0, out=information)
    entropy = float((p[p > 0] * information[p > 0]).sum())
    return _first(p, np.abs(information - entropy), share)


def _first(p: Probabilities, order: NDArray[np.float64], share: float) -> Mask:
    """The first tokens by `order` until their probabilities sum to `share`."""
    if p.size > 4 * FEW:
        near = np.argpartition(order, FEW)[:FEW]
        near = near[np.argsort(order[near])]
        if p[near].sum() < share:
            near = np.argsort(order)
    else:
        near = np.argsort(order)
    # A rounding error must not drag in a token of no weight when all of the mass is asked for.
    count = int(np.searchsorted(np.cumsum(p[near]), share * (1 - 1e-12))) + 1
    mask = np.zeros(p.size, np.bool_)
    mask[near[:count]] = True
    return mask


def candidates(logits: NDArray[np.float32], sampling: Sampling) -> tuple[NDArray[np.intp], Probabilities]:
    """Tokens that may be drawn, ascending, and their probabilities. `logits` (V,) has a finite entry; temperature > 0."""
    if 0 < sampling.top_k < logits.size:
        ids = np.sort(np.argpartition(logits, -sampling.top_k)[-sampling.top_k :])
        kept = logits[ids]
    else:
        ids, kept = np.arange(logits.size), logits
    p = softmax(kept, sampling.temperature)
    for keep, share, off in ((nucleus, sampling.top_p, 1.0), (floor, sampling.min_p, 0.0), (typical, sampling.typical, 1.0)):
        if share != off:
            mask = keep(p, share)
            ids, p = ids[mask], p[mask]
            p = p / p.sum()
    return ids, p


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> Probabilities:
    """e^(logits / temperature), normalised; −inf gives 0."""
    top = logits.max()
    shifted = (logits - top) / np.float32(max(temperature, 1e-6))
    p: Probabilities = np.exp(shifted).astype(np.float64)
    p /= p.sum()
    return p
