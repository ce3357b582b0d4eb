"""Noise: estimated while the voice speaks (IMCRA), taken out by OM-LSA.

Cohen & Berdugo 2001 (doi:10.1016/S0165-1684(01)00128-1) for the gain: log-spectral amplitude (Ephraim & Malah 1985) weighed
by the probability that there is speech; Cohen 2003 (doi:10.1109/TSA.2003.811544) for the noise: minima of a smoothed
spectrum, found twice, the second time with the speech taken out.
"""

import numpy as np
from numpy.typing import NDArray

from mofang.sound.edit.source import Sound
from mofang.sound.edit.stft import istft, stft

Floats = NDArray[np.float64]

DECISION = 0.92
"""α of the decision-directed a priori SNR."""
SMOOTH = 0.9
"""α_s: of the spectrum whose minima are followed."""
NOISE = 0.85
"""α_d: of the noise."""
BIAS = 1.66
"""B_min of Cohen 2003: how far the minimum of smoothed noise lies below its mean."""
BETA = 1.47
WINDOWS, FRAMES = 8, 15
"""U sub-windows of V frames in which minima are sought: with hops of 8 ms, about a second."""
LEAST = 10 ** (-25 / 10)
"""The least a priori SNR."""


def denoise(sound: Sound, strength: float = 1.0) -> Sound:
    """`sound` with steady and slowly changing noise lower by up to 20 dB · `strength` (0 … 2)."""
    size = 1 << round(np.log2(0.032 * sound.rate))
    hop = size // 4
    spectra = [stft(channel, size, hop) for channel in sound.samples.T]
    power = sum((np.abs(each).astype(np.float64) ** 2 for each in spectra), np.zeros(spectra[0].shape)) / len(spectra)
    quiet = float(power.max()) * 1e-12
    if quiet <= 0:
        return sound
    gain = gains(np.maximum(power, quiet), 10 ** (-20 * strength / 20))
    made = [istft((each * gain).astype(np.complex64), size, hop, len(sound.samples)) for each in spectra]
    return Sound(np.stack(made, 1), sound.rate)


def gains(power: Floats, floor: float) -> Floats:
    """The gain (frames, bins) of every cell of |Y|² (frames, bins); never below `floor`."""
    out = np.empty_like(power)
    bins = power.shape[1]
    # Before anything is known: the mean of the first second, or the quiet fifth of all if somebody speaks at once.
    start = np.minimum(power[: min(len(power), WINDOWS * FRAMES)].mean(0), np.quantile(power, 0.2, axis=0) * 2)
    noise = np.maximum(start, 1e-20)
    tracker = _Imcra(power[0], noise)
    prior = np.ones(bins)
    smooth_prior = np.full(bins, 0.1)
    frame_before, peak_before = 0.1, 0.1
    for t, now in enumerate(power):
        gamma = np.minimum(now / tracker.noise, 1e3)
        if t == 0:
            xi = np.maximum(gamma - 1, LEAST)
        else:
            xi = np.maximum(DECISION * prior + (1 - DECISION) * np.maximum(gamma - 1, 0), LEAST)
        v = gamma * xi / (1 + xi)
        smooth_prior = 0.7 * smooth_prior + 0.3 * xi
        absence, frame_before, peak_before = _absence(smooth_prior, frame_before, peak_before)
        ratio = absence / (1 - absence) * (1 + xi) * np.exp(-np.minimum(v, 200))
        presence = 1 / (1 + ratio)
        amplitude = np.minimum(xi / (1 + xi) * np.exp(0.5 * exp1(np.maximum(v, 1e-8))), 1.0)
        out[t] = np.maximum(amplitude**presence * floor ** (1 - presence), floor)
        prior = amplitude**2 * gamma
        tracker.take(now, gamma, v, xi)
    return out


def _absence(xi: Floats, frame_before: float, peak: float) -> tuple[Floats, float, float]:
    """q̂ (bins,), the a priori probability that a bin has no speech, from local, wider and whole-frame SNR (2001, §5)."""
    local = _share(np.convolve(xi, (0.25, 0.5, 0.25), "same"))
    wide = np.hanning(33)[1:-1]
    around = _share(np.convolve(xi, wide / wide.sum(), "same"))
    frame = float(xi.mean())
    if frame > 0.1:
        if frame > frame_before:
            peak = min(max(frame, 10 ** (0 / 10)), 10 ** (10 / 10))
            whole = 1.0
        else:
            low, high = peak * 0.1, peak * 0.316
            whole = float(np.clip((np.log(frame) - np.log(low)) / (np.log(high) - np.log(low)), 0, 1))
    else:
        whole = 0.0
    return np.clip(1 - local * around * whole, 0.0, 0.95), frame, peak


def _share(xi: Floats) -> Floats:
    """0 at −10 dB and below, 1 at −5 dB and above, straight in decibels between."""
    return np.clip((np.log10(np.maximum(xi, 1e-6)) * 10 + 10) / 5, 0, 1)


class _Imcra:
    """The noise (bins,), controlled by minima (Cohen 2003)."""

    def __init__(self, first: Floats, noise: Floats) -> None:
        self.noise, self.raw = noise.copy(), noise.copy()
        self.s = _spread(first)
        self.s = np.minimum(self.s, _spread(noise) * 2)
        self.tilde = self.s.copy()
        self.low, self.low_tilde = self.s.copy(), self.s.copy()
        self.current, self.current_tilde = self.s.copy(), self.s.copy()
        self.stored = np.repeat(self.s[None], WINDOWS, 0)
        self.stored_tilde = self.stored.copy()
        self.count = 0

    def take(self, power: Floats, gamma: Floats, v: Floats, xi: Floats) -> None:
        """Learn from a frame."""
        self.s = SMOOTH * self.s + (1 - SMOOTH) * _spread(power)
        self.low = np.minimum(self.low, self.s)
        self.current = np.minimum(self.current, self.s)
        # Rough decision: strong cells are speech and left out of the second smoothing (eq. 21, 26).
        quiet = (power / (BIAS * self.low) < 4.6) & (self.s / (BIAS * self.low) < 1.67)
        weight = _spread(quiet.astype(np.float64))
        smoothed = np.where(weight > 0, _spread(np.where(quiet, power, 0)) / np.maximum(weight, 1e-9), self.tilde)
        self.tilde = SMOOTH * self.tilde + (1 - SMOOTH) * smoothed
        self.low_tilde = np.minimum(self.low_tilde, self.tilde)
        self.current_tilde = np.minimum(self.current_tilde, self.tilde)
        near = power / (BIAS * self.low_tilde)
        absence = np.where((near <= 1) & (self.s / (BIAS * self.low_tilde) < 1.67), 1.0,
                           np.where((near < 3) & (self.s / (BIAS * self.low_tilde) < 1.67), (3 - near) / 2, 0.0))  # fmt: skip
        odds = absence / np.maximum(1 - absence, 1e-9) * (1 + xi) * np.exp(-np.minimum(v, 200))
        presence = np.where(absence >= 1, 0.0, 1 / (1 + odds))
        slow = NOISE + (1 - NOISE) * presence
        self.raw = slow * self.raw + (1 - slow) * power
        self.noise = BETA * self.raw
        self.count += 1
        if self.count == FRAMES:
            self.count = 0
            self.stored = np.concatenate([self.stored[1:], self.current[None]])
            self.stored_tilde = np.concatenate([self.stored_tilde[1:], self.current_tilde[None]])
            self.low, self.low_tilde = self.stored.min(0), self.stored_tilde.min(0)
            self.current, self.current_tilde = self.s.copy(), self.tilde.copy()


def _spread(power: Floats) -> Floats:
    """Smoothed over three bins."""
    return np.convolve(power, (0.25, 0.5, 0.25), "same")


def exp1(x: Floats) -> Floats:
    """E₁(x) = ∫ₓ^∞ e⁻ᵗ/t dt for x > 0, to 2·10⁻⁷ (Abramowitz & Stegun 5.1.53 and 5.1.56)."""
    small = np.minimum(x, 1.0)
    series = -np.log(small) + np.polyval((0.00107857, -0.00976004, 0.05519968, -0.24991055, 0.99999193, -0.57721566), small)
    large = np.maximum(x, 1.0)
    top = np.polyval((1, 8.5733287401, 18.0590169730, 8.6347608925, 0.2677737343), large)
    bottom = np.polyval((1, 9.5733223454, 25.6329561486, 21.0996530827, 3.9584969228), large)
    return np.asarray(np.where(x <= 1, series, np.exp(-np.minimum(large, 700)) / large * top / bottom))
