"""μ-law companding: eight bits that are fine where the ear is, near silence.

The continuous law of ITU-T G.711 with μ = 255, and its quantisation to 256 codes as WaveNet uses it
(arXiv:1609.03499, section 2.2): f(x) = sign(x) · ln(1 + μ|x|) / ln(1 + μ).
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MU = 255
CODES = MU + 1
SILENCE = CODES // 2
"""The code of zero: f(0) = 0 lies on the border of codes 127 and 128, and rounds up."""


def compress(x: Floats) -> Floats:
    """Samples in [−1, 1] (beyond: clipped) to [−1, 1] by the μ-law, same shape."""
    clipped = np.clip(x, -1, 1)
    return np.asarray(np.sign(clipped) * np.log1p(MU * np.abs(clipped)) / np.log1p(MU), np.float32)


def expand(y: Floats) -> Floats:
    """The inverse of `compress`."""
    return np.asarray(np.sign(y) * np.expm1(np.abs(y) * np.log1p(MU)) / MU, np.float32)


def encode(x: Floats) -> NDArray[np.uint8]:
    """Samples as codes 0 … 255: the 256 equal steps of the compressed scale."""
    return np.clip(np.floor((compress(x) + 1) / 2 * CODES), 0, MU).astype(np.uint8)


def decode(codes: NDArray[np.integer]) -> Floats:
    """Codes as samples: the middle of each step, so that a sample is off by at most half a step."""
    return expand(((codes.astype(np.float32) + np.float32(0.5)) / CODES * 2 - 1).astype(np.float32))
