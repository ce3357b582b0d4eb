"""Log-mel spectrograms: what an acoustic model predicts and a vocoder is conditioned on."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FLOOR = 1e-5
"""Magnitudes below this are silence."""


@dataclass(frozen=True)
class Mel:
    """How a spectrogram is taken: `rate` in Hz, the rest in samples, `low` and `high` in Hz."""

    rate: int = 16_000
    hop: int = 200
    window: int = 800
    size: int = 1024
    bands: int = 80
    low: float = 40.0
    high: float = 7600.0


def to_mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """The mel scale of O'Shaughnessy 1987: m = 2595 log₁₀(1 + f / 700)."""
    return np.asarray(2595 * np.log10(1 + np.asarray(hertz, np.float64) / 700))


def from_mel(mel: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """The inverse of `to_mel`."""
    return np.asarray(700 * (10 ** (np.asarray(mel, np.float64) / 2595) - 1))


@lru_cache(maxsize=8)
def filters(mel: Mel) -> Floats:
    """Triangles (bands, size / 2 + 1) whose corners lie evenly on the mel scale, each of area 1 in Hz · 100."""
    corners = from_mel(np.linspace(to_mel(mel.low), to_mel(mel.high), mel.bands + 2))
    bins = np.arange(mel.size // 2 + 1) * mel.rate / mel.size
    rise = (bins - corners[:-2, None]) / (corners[1:-1] - corners[:-2])[:, None]
    fall = (corners[2:, None] - bins) / (corners[2:] - corners[1:-1])[:, None]
    triangles = np.maximum(0, np.minimum(rise, fall))
    # Equal areas keep a flat spectrum flat, however wide the upper bands are.
    return np.asarray(triangles * (200 / (corners[2:] - corners[:-2]))[:, None], np.float32)


def frames(samples: Floats, mel: Mel) -> Floats:
    """Windowed pieces (n // hop, size), frame i centred on the middle of its hop: sample i·hop + hop / 2."""
    count = len(samples) // mel.hop
    before = mel.size // 2 - mel.hop // 2
    padded = np.pad(samples[: count * mel.hop], (before, mel.size))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, mel.size)[:: mel.hop][:count]
    hann = np.zeros(mel.size, np.float32)
    start = (mel.size - mel.window) // 2
    hann[start : start + mel.window] = np.hanning(mel.window + 1)[:-1]
    return np.asarray(pieces * hann, np.float32)


def magnitudes(samples: Floats, mel: Mel) -> Floats:
    """|STFT| (n // hop, size / 2 + 1), scaled so that a full-scale sine peaks at 1."""
    scale = 2 / np.hanning(mel.window + 1)[:-1].sum()
    pieces = frames(samples, mel)
    # A thousand frames at a time: an hour's spectrum would be gigabytes of complex numbers.
    parts = [np.abs(np.fft.rfft(pieces[at : at + 1000], axis=1)) for at in range(0, len(pieces), 1000)]
    return np.asarray(np.concatenate(parts) * scale if parts else np.zeros((0, mel.size // 2 + 1)), np.float32)


def log_mel(samples: Floats, mel: Mel | None = None) -> Floats:
    """Natural log of the mel spectrum (n // hop, bands) of samples (n,) at `mel.rate` Hz; silence is ln 1e-5."""
    mel = mel or Mel()
    return np.asarray(np.log(np.maximum(magnitudes(samples, mel) @ filters(mel).T, FLOOR)), np.float32)
