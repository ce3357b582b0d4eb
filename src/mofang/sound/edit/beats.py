"""The beat grid: onset strength, tempo, and the beats that fit both best (Ellis 2007, doi:10.1080/09298210701653344)."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mofang.sound.edit.source import Sound
from mofang.sound.mel import Mel, filters, magnitudes
from mofang.sound.pcm import resample

Floats = NDArray[np.float64]

RATE = 22_050
MEL = Mel(RATE, hop=128, window=512, size=512, bands=40, low=30.0, high=10_000.0)
FRAMES = RATE / MEL.hop
"""Frames a second."""
CENTRE, WIDTH = 115.0, 0.9
"""Beats a minute that people tap to most, and how many octaves around it are likely (Ellis: 120, 1.4)."""
TIGHTNESS = 400.0
"""α: how much a beat's place counts beside the strength of the onset there."""
SLOWEST, FASTEST = 40.0, 240.0
BASS = np.exp(-np.arange(MEL.bands) / 16)
"""How much each band tells where the beats are: between two grids half a beat apart it is the bass that decides."""
EARLY = MEL.window / 2 / RATE
"""Seconds by which a spectrum rises before an onset: as soon as the first half of its window reaches it."""


@dataclass(frozen=True, eq=False)
class Grid:
    """`tempo` in beats a minute (0: none), and the beats in seconds."""

    tempo: float
    beats: Floats


def grid(sound: Sound, tempo: float = 0.0) -> Grid:
    """Tempo and beats; `tempo` if it is known. A sound without onsets has none."""
    rises = onsets(sound)
    strength = onset_strength(rises)
    if not strength.any() or len(strength) < 2 * FRAMES:
        return Grid(0.0, np.zeros(0))
    period = 60 * FRAMES / tempo if tempo else beat_period(strength)
    bass = onset_strength(rises, BASS)
    frames = tracked(bass if bass.any() else strength, period)
    if len(frames) < 2:
        return Grid(0.0, np.zeros(0))
    return Grid(_pace(frames), (frames + 0.5) / FRAMES + EARLY)


def _pace(frames: Floats) -> float:
    """Beats a minute of a line through the beats: finer than a frame's period."""
    order = np.arange(len(frames))
    step = float(np.polyfit(order, frames, 1)[0])
    return 60 * FRAMES / step


def onsets(sound: Sound) -> NDArray[np.float32]:
    """(frames, bands): by how many dB each band of the mel spectrum rises."""
    mono = resample(sound.mono(), sound.rate, RATE)
    mel = magnitudes(mono, MEL) @ filters(MEL).T
    if not len(mel) or mel.max() <= 1e-4:
        return np.zeros(mel.shape, np.float32)
    decibels = np.maximum(20 * np.log10(np.maximum(mel, 1e-7)), 20 * np.log10(float(mel.max())) - 80)
    rises: NDArray[np.float32] = np.maximum(np.diff(decibels, axis=0, prepend=decibels[:1]), 0).astype(np.float32)
    return rises


def onset_strength(rises: NDArray[np.float32], weights: Floats | None = None) -> Floats:
    """The mean rise of each frame, bands weighed, without what changes slowly; standard deviation 1, or nothing at all."""
    if not len(rises):
        return np.zeros(0)
    rise = np.average(rises, 1, weights).astype(np.float64)
    # The slow part goes by a difference of means; beats are events of a few frames.
    kernel = np.hanning(9)
    rise = np.convolve(rise, kernel / kernel.sum(), "same")
    wide = int(FRAMES) | 1
    rise -= np.convolve(np.pad(rise, wide // 2, mode="reflect"), np.ones(wide) / wide, "valid") if len(rise) > wide else rise.mean()
    spread = float(rise.std())
    return np.asarray(rise / spread) if spread > 1e-3 else np.zeros(len(rise))


def beat_period(strength: Floats) -> float:
    """Frames a beat: the lag whose autocorrelation, with its double's and triple's, is largest near the tempo people tap."""
    size = 1 << (2 * len(strength)).bit_length()
    spectrum = np.fft.rfft(strength, size)
    auto = np.fft.irfft(np.abs(spectrum) ** 2, size)[: len(strength)]
    auto /= np.maximum(len(strength) - np.arange(len(strength)), 1)  # unbiased: long lags have fewer products
    lags = np.arange(60 * FRAMES / FASTEST, 60 * FRAMES / SLOWEST, 0.25)
    lags = lags[lags * 2 < len(auto) - 1]
    if not len(lags):
        return 60 * FRAMES / CENTRE

    def at(where: Floats) -> Floats:
        return np.interp(where, np.arange(len(auto)), auto, right=0.0)

    # A beat divides into two or three and gathers into two or three: the grid's other levels vote for it.
    combined = at(lags) + 0.5 * at(2 * lags)
    combined += 0.25 * np.maximum(at(lags / 2), at(lags / 3)) + 0.25 * np.maximum(at(3 * lags), at(4 * lags))
    octaves = np.log2(60 * FRAMES / lags / CENTRE) / WIDTH
    return float(lags[int(np.argmax(combined * np.exp(-0.5 * octaves**2)))])


def tracked(strength: Floats, period: float, tightness: float = TIGHTNESS) -> Floats:
    """The frames of the beats: the path that maximises Σ O(tᵢ) − α Σ ln²((tᵢ − tᵢ₋₁) / period) (eq. 3), by dynamic
    programming (eq. 5-6), refined by parabolas."""
    spread = np.arange(-round(period), round(period) + 1) / (period / 32)
    smooth = np.convolve(strength, np.exp(-0.5 * spread**2), "same")[: len(strength)]
    smooth /= max(float(smooth.std()), 1e-9)
    near, far = max(1, round(period / 2)), max(2, round(2 * period))
    steps = np.arange(near, far + 1)
    cost = -tightness * np.log(steps / period) ** 2
    score, back = _paths(smooth, cost, near)
    # The last beat: the best of the final period and a half.
    tail = max(0, len(score) - round(1.5 * period))
    t = tail + int(np.argmax(score[tail:]))
    beats = []
    while t >= 0:
        beats.append(t)
        t = int(back[t])
    found = np.array(beats[::-1])
    heights = smooth[found]
    # Beats before the music begins and after it ends follow nothing.
    loud = np.flatnonzero(heights > 0.3 * np.sqrt((np.maximum(heights, 0) ** 2).mean()))
    if not len(loud):
        return np.zeros(0)
    found = found[loud[0] : loud[-1] + 1]
    inner = np.clip(found, 1, len(smooth) - 2)
    a, b, c = smooth[inner - 1], smooth[inner], smooth[inner + 1]
    curve = a - 2 * b + c
    shift = np.where(curve < -1e-9, 0.5 * (a - c) / np.minimum(curve, -1e-9), 0)
    return np.asarray(found + np.clip(shift, -0.5, 0.5))


@njit(cache=True, nogil=True)
def _paths(strength, cost, near):  # type: ignore[no-untyped-def]
    """For each frame the best score of a path that ends there, and the beat before it (−1: none); `cost`: of steps from `near` on."""
    score, back = strength.copy(), np.full(len(strength), -1)
    for t in range(near, len(strength)):
        best, where = 0.0, -1
        for number in range(min(len(cost), t - near + 1)):
            past = score[t - near - number] + cost[number]
            if past > best:
                best, where = past, t - near - number
        if where >= 0:
            score[t] += best
            back[t] = where
    return score, back
