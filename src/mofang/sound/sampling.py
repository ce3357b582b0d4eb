"""Drawing from what a network says of the next event."""

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32] | NDArray[np.float64]


def nucleus(logits: Logits, rng: np.random.Generator, temperature: float, top_p: float) -> int:
    """One index: softmax(logits / temperature), cut to the fewest that have `top_p` of it (Holtzman et al. 2020, arXiv
    1904.09751). A logit of −∞ is never drawn."""
    scaled = logits.astype(np.float64) / max(temperature, 1e-6)
    shares = np.exp(scaled - scaled.max())
    order = np.argsort(-shares, kind="stable")
    sums = np.cumsum(shares[order])
    kept = int(np.searchsorted(sums, top_p * sums[-1])) + 1
    return int(order[min(int(np.searchsorted(sums[:kept], rng.random() * sums[min(kept, len(sums)) - 1], "right")), kept - 1)])
