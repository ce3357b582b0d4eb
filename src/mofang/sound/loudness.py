"""Loudness and true peak as broadcasters measure them (ITU-R BS.1770-4, EBU R 128), with numpy alone."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mofang.sound.engines.base import Samples

SILENT = -70.0
"""LUFS: the absolute gate. Sound that never reaches it measures as this."""


def loudness(samples: Samples, rate: int) -> float:
    """Integrated loudness in LUFS of mono (n,) or multi-channel (n, channels) sound; at least `SILENT`.

    Blocks of 400 ms, three quarters overlapped, an absolute gate at -70 LUFS and a relative one 10 LU below (BS.1770-4
    Annex 1). Sound shorter than a block is measured as one block.
    """
    powers = _block_powers(samples, rate)
    gated = powers[powers > _power(SILENT)]
    if not gated.size:
        return SILENT
    gated = gated[gated > gated.mean() * 0.1]
    return max(SILENT, _level(float(gated.mean())))


def true_peak(samples: Samples, rate: int) -> float:
    """The peak in dBTP of the sound between its samples: four times oversampled up to 96 kHz (BS.1770-4 Annex 2)."""
    peak = float(_envelope(_two_dimensional(samples), _oversampling(rate)).max(initial=0.0))
    return 20 * float(np.log10(max(peak, 1e-10)))


def gain_to(samples: Samples, rate: int, lufs: float) -> float:
    """The factor that brings `samples` to `lufs`; 1 for silence."""
    now = loudness(samples, rate)
    return 1.0 if now <= SILENT else float(10 ** ((lufs - now) / 20))


def normalise(samples: Samples, rate: int, lufs: float = -14.0, peak: float = -1.0) -> Samples:
    """`samples` brought to `lufs` with no true peak above `peak` dBTP; silence stays silence.

    Gain first; what then stands above the ceiling is held down by `limit`, and the loudness it cost is given back
    in a few rounds. The ceiling is a little lower than `peak`, since lossy codecs move peaks.
    """
    channels = _two_dimensional(samples)
    peaks = _envelope(channels, _oversampling(rate))
    top = 10 ** ((peak - CODEC_MARGIN) / 20)
    gain = gain_to(samples, rate, lufs)
    for _ in range(4):
        held = channels * (gain * _held_down(peaks * gain, rate, top))[:, None]
        short = lufs - loudness(held, rate)
        if abs(short) < 0.1 or not peaks.any():
            break
        gain *= 10 ** (short / 20)
    return _under(held, rate, top).reshape(samples.shape)


CODEC_MARGIN = 0.6
"""dB kept free under the ceiling for what AAC at 128 kbit/s and more adds to peaks."""
LOOK_AHEAD, RELEASE = 0.005, 0.12
"""Seconds in which the limiter lowers the gain before a peak and lets go after it."""


def limit(samples: Samples, rate: int, ceiling: float) -> Samples:
    """`samples` (n,) or (n, channels) with every true peak at or below `ceiling` dBTP, by a look-ahead limiter.

    The gain each sample needs is held over the look-ahead (a running minimum), let go exponentially, and smoothed by
    a window as long as the look-ahead: it arrives before the peak and bends without a corner. All channels share it.
    """
    channels = _two_dimensional(samples)
    top = 10 ** (ceiling / 20)
    curve = _held_down(_envelope(channels, _oversampling(rate)), rate, top)
    return _under(channels * curve[:, None], rate, top).reshape(samples.shape)


def _held_down(peaks: Samples, rate: int, top: float) -> Samples:
    """The gain (n,) that keeps sound with these true peaks at or below `top`."""
    if peaks.max(initial=0.0) <= top:
        return np.ones_like(peaks)
    ahead = max(1, round(LOOK_AHEAD * rate))
    needed = np.asarray(top / np.maximum(peaks, top), np.float32)
    let_go = _release(_running_minimum(needed, ahead), rate)
    window = np.hanning(2 * ahead + 3)[1:-1].astype(np.float32)
    padded = np.pad(let_go, ahead, mode="edge")
    return np.minimum(_convolve(padded, window / window.sum())[2 * ahead : 2 * ahead + len(peaks)], np.float32(1))


def _under(channels: Samples, rate: int, top: float) -> Samples:
    """A gain that changes within a cycle moves the peak between samples by a hair; take the hair off."""
    over = float(_envelope(channels, _oversampling(rate)).max(initial=0.0)) / top
    return np.asarray(channels / np.float32(max(1.0, over)), np.float32)


def _two_dimensional(samples: Samples) -> Samples:
    assert samples.ndim in (1, 2), samples.shape
    channels = samples if samples.ndim == 2 else samples[:, None]
    return channels.astype(np.float32, copy=False)


def _power(level: float) -> float:
    return float(10 ** ((level + 0.691) / 10))


def _level(power: float) -> float:
    return float(-0.691 + 10 * np.log10(max(power, 1e-12)))


def _block_powers(samples: Samples, rate: int) -> NDArray[np.float64]:
    """Mean square of the K-weighted sound, summed over channels, in blocks of 400 ms every 100 ms."""
    weighted = _k_weighted(_two_dimensional(samples), rate)
    square = sum((np.square(channel, dtype=np.float64) for channel in weighted.T), np.zeros(len(weighted)))
    total = np.concatenate([[0.0], np.cumsum(square)])
    block, step = round(0.4 * rate), 0.1 * rate
    if len(square) <= block:
        return np.array([total[-1] / max(len(square), 1)])
    count = int((len(square) - block) / step) + 1
    starts = np.round(np.arange(count) * step).astype(int)
    starts = starts[starts + block <= len(square)]
    return np.asarray((total[starts + block] - total[starts]) / block)


def _k_weighted(samples: Samples, rate: int) -> Samples:
    """The two filters of BS.1770 (a shelf for the head, a high pass) applied as one finite impulse response.

    The high pass at 38 Hz has died away to -100 dB after a fifth of a second, so a convolution by FFT is the filter.
    """
    response = _k_response(rate)
    return np.stack([_convolve(channel, response)[: len(samples)] for channel in samples.T], axis=1)


@lru_cache(maxsize=8)
def _k_response(rate: int) -> Samples:
    # Analogue prototypes of the standard's 48 kHz coefficients, so that other rates measure the same (De Man, 2014).
    shelf = _biquad(rate, 1681.974450955533, 3.999843853973347, 0.7071752369554196, shelf=True)
    high = _biquad(rate, 38.13547087602444, 0.0, 0.5003270373238773, shelf=False)
    length = 1 << int(np.ceil(np.log2(0.7 * rate)))
    frequencies = np.exp(-2j * np.pi * np.arange(length // 2 + 1) / length)
    response = np.ones(length // 2 + 1, complex)
    for numerator, denominator in (shelf, high):
        response *= np.polyval(numerator[::-1], frequencies) / np.polyval(denominator[::-1], frequencies)
    return np.asarray(np.fft.irfft(response, length)[: round(0.5 * rate)], np.float32)


def _biquad(
    rate: int, centre: float, gain: float, quality: float, *, shelf: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    k = np.tan(np.pi * centre / rate)
    denominator = np.array([1 + k / quality + k * k, 2 * (k * k - 1), 1 - k / quality + k * k])
    if not shelf:
        return np.array([1.0, -2.0, 1.0]), denominator / denominator[0]
    high = 10 ** (gain / 20)
    band = high**0.4996667741545416
    numerator = np.array([high + band * k / quality + k * k, 2 * (k * k - high), high - band * k / quality + k * k])
    return numerator / denominator[0], denominator / denominator[0]


def _convolve(samples: Samples, response: Samples) -> Samples:
    """Linear convolution by overlap-add, (n + m - 1,)."""
    size = 1 << int(np.ceil(np.log2(max(4 * len(response), 1 << 10))))
    tail, step = len(response) - 1, size - len(response) + 1
    blocks = np.pad(samples, (0, -len(samples) % step)).reshape(-1, step)
    spectrum = np.fft.rfft(response, size)
    result = np.zeros((len(blocks) + 1, step), np.float32)
    together = max(1, (1 << 18) // size)  # what fits the processor's cache
    for at in range(0, len(blocks), together):
        made = np.fft.irfft(np.fft.rfft(blocks[at : at + together], size, axis=1) * spectrum, size, axis=1)
        result[at : at + len(made)] += made[:, :step]
        result[at + 1 : at + 1 + len(made), :tail] += made[:, step:]
    return result.ravel()[: len(samples) + tail]


def _oversampling(rate: int) -> int:
    return 4 if rate < 96_000 else 2 if rate < 192_000 else 1


@lru_cache(maxsize=4)
def _interpolators(factor: int) -> tuple[Samples, ...]:
    """Windowed-sinc filters for the points between two samples, one for each fraction."""
    half = 16
    places = np.arange(-half, half + 1)
    filters = []
    for fraction in range(1, factor):
        offset = places - fraction / factor
        taps = np.sinc(offset) * np.cos(np.clip(offset / (half + 1), -1, 1) * np.pi / 2) ** 2
        filters.append((taps / taps.sum()).astype(np.float32)[::-1])
    return tuple(filters)


def _envelope(channels: Samples, factor: int) -> Samples:
    """For each sample the largest magnitude at it and between it and its neighbours, over all channels: (n,)."""
    peaks: Samples = np.maximum.reduce([np.abs(channel) for channel in channels.T])
    half = 16
    for taps in _interpolators(factor):
        for channel in channels.T:
            between = np.abs(_convolve(channel, taps))[half : half + len(peaks)]
            np.maximum(peaks, between, out=peaks)
            np.maximum(peaks[1:], between[:-1], out=peaks[1:])
    return peaks


def _running_minimum(values: Samples, ahead: int) -> Samples:
    """The least value from `ahead` before to `ahead` after each place, by doubling windows."""
    window = 2 * ahead + 1
    padded = np.pad(values, ahead, constant_values=1.0)
    width = 1
    while 2 * width <= window:
        padded = np.minimum(padded[: len(padded) - width], padded[width:])
        width *= 2
    left = window - width
    return np.minimum(padded[: len(padded) - left], padded[left:])[: len(values)]


def _release(gain: Samples, rate: int) -> Samples:
    """`gain`, never rising faster than an exponential release.

    In decibels a straight release is a running maximum along a slope, which needs no loop over samples.
    """
    slope = 12.0 / RELEASE / rate  # decibels a sample: 12 dB in the release time
    decibels = -20 * np.log10(gain) + slope * np.arange(len(gain))
    level = slope * np.arange(len(gain)) - np.maximum.accumulate(decibels)
    return np.asarray(10 ** (level / 20), np.float32)
