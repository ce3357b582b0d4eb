"""Kernel Inception Distance: how far two sets of pictures are apart, without bias for small sets.

Bińkowski et al. 2018, "Demystifying MMD GANs" (arXiv 1801.01401), section 4: the squared maximum mean discrepancy with the
kernel k(x, y) = (xᵀy / d + 1)³. Here d is replaced by the mean squared norm of the reference, so that features of any
scale give numbers of the same order.
"""

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float32]


def kid(generated: Features, reference: Features) -> float:
    """Unbiased estimate of the squared MMD between (N, D) and (M, D), N, M ≥ 2. 0 for sets of one distribution, on
    average; single estimates may be negative."""
    assert len(generated) > 1 and len(reference) > 1, "a distance between sets needs two of each"
    x, y = generated.astype(np.float64), reference.astype(np.float64)
    middle = y.mean(0)
    x, y = x - middle, y - middle
    scale = float((y * y).sum(1).mean()) or 1.0
    xx, yy, xy = (_kernel(a, b, scale) for a, b in ((x, x), (y, y), (x, y)))
    n, m = len(x), len(y)
    within = (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return float(within - 2 * xy.mean())


def _kernel(a: NDArray[np.float64], b: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    return np.asarray((a @ b.T / scale + 1) ** 3)


def diversity(generated: Features, reference: Features) -> float:
    """Mean squared distance between two generated pictures, as a share of that between two real ones: 0 if all are one
    picture, 1 if they differ as real ones do."""
    spread = float(generated.var(0).sum())
    return spread / max(float(reference.var(0).sum()), 1e-12)
