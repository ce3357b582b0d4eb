"""OM-LSA's gains with IMCRA's noise, frame after frame, compiled (papers and sections: see `noise`)."""

import numpy as np
from numba import njit

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
NARROW = np.array((0.25, 0.5, 0.25))
"""Weights that smooth a spectrum over three bins."""
WIDE = np.hanning(33)[1:-1] / np.hanning(33).sum()
"""Neighbours whose SNR says whether there is speech around a bin."""
RARE = 0.1
"""Mean SNR of a frame up to which it has no speech."""


@njit(cache=True, nogil=True, error_model="numpy")
def gains(power, start, floor):  # type: ignore[no-untyped-def]
    """The gain (frames, bins) of every cell of |Y|² (frames, bins), never below `floor`; `start`: the first noise (bins,)."""
    frames, bins = power.shape
    out = np.empty((frames, bins), np.float32)
    noise, raw, log_floor = start.copy(), start.copy(), np.log(floor)
    s, spread = smoothed_by(NARROW, power[0]), smoothed_by(NARROW, noise)
    quiet, left, loud = np.empty(bins), np.empty(bins), np.empty(bins)
    for k in range(bins):
        s[k] = min(s[k], 2 * spread[k])
    tilde, low, low_tilde, current, current_tilde = s.copy(), s.copy(), s.copy(), s.copy(), s.copy()
    stored, stored_tilde = np.empty((WINDOWS, bins)), np.empty((WINDOWS, bins))
    stored[:], stored_tilde[:] = s, s
    gamma, xi, v, prior, smooth = np.empty(bins), np.empty(bins), np.empty(bins), np.ones(bins), np.full(bins, 0.1)
    before, peak, place = 0.1, 0.1, 0
    for t in range(frames):
        now = power[t]
        for k in range(bins):
            gamma[k] = min(now[k] / noise[k], 1e3)
            weighed = gamma[k] - 1 if t == 0 else DECISION * prior[k] + (1 - DECISION) * max(gamma[k] - 1, 0.0)
            xi[k] = max(weighed, LEAST)
            v[k] = gamma[k] * xi[k] / (1 + xi[k])
            smooth[k] = 0.7 * smooth[k] + 0.3 * xi[k]
        local, around = smoothed_by(NARROW, smooth), smoothed_by(WIDE, smooth)
        frame = smooth.mean()
        whole, peak = _whole(frame, before, peak)
        before = frame
        for k in range(bins):
            # q̂, the a priori probability that a bin has no speech, from local, wider and whole-frame SNR (2001, §5).
            absence = min(max(1 - share(local[k]) * share(around[k]) * whole, 0.0), 0.95)
            fall = np.exp(-min(v[k], 200.0))
            left[k] = (1 + xi[k]) * fall
            presence = 1 / (1 + absence / (1 - absence) * left[k])
            amplitude = min(log_amplitude(xi[k] / (1 + xi[k]), gamma[k], fall), 0.0)
            out[t, k] = max(np.exp(presence * amplitude + (1 - presence) * log_floor), floor)
            prior[k] = np.exp(2 * amplitude) * gamma[k]
        spread = smoothed_by(NARROW, now)
        for k in range(bins):
            s[k] = SMOOTH * s[k] + (1 - SMOOTH) * spread[k]
            low[k] = min(low[k], s[k])
            current[k] = min(current[k], s[k])
            # Rough decision: strong cells are speech and left out of the second smoothing (2003, eq. 21, 26).
            quiet[k] = 1.0 if now[k] < 4.6 * BIAS * low[k] and s[k] < 1.67 * BIAS * low[k] else 0.0
            loud[k] = quiet[k] * now[k]
        weight, kept = smoothed_by(NARROW, quiet), smoothed_by(NARROW, loud)
        for k in range(bins):
            smoothed = kept[k] / weight[k] if weight[k] > 0 else tilde[k]
            tilde[k] = SMOOTH * tilde[k] + (1 - SMOOTH) * smoothed
            low_tilde[k] = min(low_tilde[k], tilde[k])
            current_tilde[k] = min(current_tilde[k], tilde[k])
            near, calm = now[k] / (BIAS * low_tilde[k]), s[k] < 1.67 * BIAS * low_tilde[k]
            absence = min(max((3 - near) / 2, 0.0), 1.0) if calm else 0.0
            presence = 0.0 if absence >= 1 else 1 / (1 + absence / (1 - absence) * left[k])
            slow = NOISE + (1 - NOISE) * presence
            raw[k] = slow * raw[k] + (1 - slow) * now[k]
            noise[k] = BETA * raw[k]
        if t % FRAMES == FRAMES - 1:
            stored[place], stored_tilde[place] = current, current_tilde
            place = (place + 1) % WINDOWS
            low[:], low_tilde[:] = stored[0], stored_tilde[0]
            for window in range(1, WINDOWS):
                for k in range(bins):
                    low[k], low_tilde[k] = min(low[k], stored[window, k]), min(low_tilde[k], stored_tilde[window, k])
            current[:], current_tilde[:] = s, tilde
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _whole(frame, before, peak):  # type: ignore[no-untyped-def]
    """How likely a frame of mean SNR `frame` has speech, after one of `before`; and the last peak's SNR."""
    if frame <= RARE:
        return 0.0, peak
    if frame > before:
        return 1.0, min(max(frame, 1.0), 10.0)
    return min(max(np.log(frame / (0.1 * peak)) / np.log(3.16), 0.0), 1.0), peak


@njit(cache=True, nogil=True, error_model="numpy")
def share(xi):  # type: ignore[no-untyped-def]
    """0 at −10 dB and below, 1 at −5 dB and above, straight in decibels between."""
    if xi <= 0.1:
        return 0.0
    return min((np.log10(xi) * 10 + 10) / 5, 1.0) if xi < 0.32 else 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def smoothed_by(weights, power):  # type: ignore[no-untyped-def]
    """`power` (bins,) smoothed by an odd number of weights, nothing beyond its ends."""
    bins, reach = len(power), len(weights) // 2
    padded, out = np.zeros(bins + 2 * reach), np.zeros(bins)
    padded[reach : reach + bins] = power
    for number in range(len(weights)):
        piece, weight = padded[number : number + bins], weights[number]
        for k in range(bins):  # a slice from its beginning: indices that cannot be negative make vectors
            out[k] += weight * piece[k]
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def log_amplitude(wiener, gamma, fall):  # type: ignore[no-untyped-def]
    """ln of the log-spectral amplitude's gain (Ephraim & Malah 1985, eq. 20): ln w + E₁(v)/2 with v = w·γ, where `fall` is e⁻ᵛ.

    E₁(v) = ∫ᵥ^∞ e⁻ᵗ/t dt to 2·10⁻⁷ (Abramowitz & Stegun 5.1.53 and 5.1.56).
    """
    x = wiener * gamma
    if x <= 1:
        series = ((((0.00107857 * x - 0.00976004) * x + 0.05519968) * x - 0.24991055) * x + 0.99999193) * x - 0.57721566
        return 0.5 * (np.log(wiener / gamma) + series)  # ln w − ln(w·γ) / 2: one logarithm for two
    top = (((x + 8.5733287401) * x + 18.0590169730) * x + 8.6347608925) * x + 0.2677737343
    bottom = (((x + 9.5733223454) * x + 25.6329561486) * x + 21.0996530827) * x + 3.9584969228
    return np.log(wiener) + 0.5 * fall / x * top / bottom
