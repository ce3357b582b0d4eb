"""Short-time spectra and back, (frames, bins), each frame centred on its hop."""

import numpy as np
from numpy.typing import NDArray

from mofang.sound.engines.base import Samples

Spectra = NDArray[np.complex64]


def window(size: int) -> Samples:
    """The periodic Hann window."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)


def stft(samples: Samples, size: int, hop: int) -> Spectra:
    """Spectra of samples (n,): frame i is centred on sample i·hop; 1 + ⌈n / hop⌉ frames."""
    frames = 1 + -(-len(samples) // hop)
    padded = np.pad(samples, (size // 2, size // 2 + hop))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop][:frames]
    out = np.empty((frames, size // 2 + 1), np.complex64)
    weights = window(size)
    for at in range(0, frames, 512):  # some at a time: what is weighed is four times as large
        out[at : at + 512] = np.fft.rfft(pieces[at : at + 512] * weights, axis=1)
    return out


def istft(spectra: Spectra, size: int, hop: int, length: int) -> Samples:
    """The signal (length,) whose short-time spectra come nearest (Griffin & Lim 1984, eq. 6)."""
    weights = window(size)
    count, parts = len(spectra), -(-size // hop)
    total = np.zeros((count + parts, hop), np.float32)
    norm = np.zeros_like(total)
    square = np.pad(weights * weights, (0, parts * hop - size)).reshape(parts, hop)
    for at in range(0, count, 512):
        pieces = np.fft.irfft(spectra[at : at + 512], size, axis=1).astype(np.float32, copy=False) * weights
        for part in range(parts):
            piece = pieces[:, part * hop : (part + 1) * hop]
            total[at + part : at + part + len(pieces), : piece.shape[1]] += piece
            norm[at + part : at + part + len(pieces)] += square[part]
    made = (total / np.maximum(norm, 0.05)).ravel()[size // 2 : size // 2 + length]
    return np.pad(made, (0, length - len(made)))
