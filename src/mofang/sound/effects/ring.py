"""A ring of tape: everything is made on it, so that its end runs into its beginning and any effect can be looped.

Noise is shaped in the frequency domain of the whole ring, slow changes are sums of its own periods, and what rings on past
the end goes on at the start.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Curve = Sequence[tuple[float, float]]
"""(Hz, dB) points; straight lines over octaves between them."""

RATE = 48_000


@dataclass(frozen=True)
class Ring:
    """`length` samples at 48 kHz and the dice of one effect."""

    length: int
    rng: np.random.Generator

    @property
    def seconds(self) -> float:
        """How long a turn lasts."""
        return self.length / RATE

    def silence(self) -> Floats:
        """An empty stereo tape (length, 2)."""
        return np.zeros((self.length, 2), np.float32)

    def noise(self, curve: Curve) -> Floats:
        """Noise (length,) of the spectrum `curve`, mean square 1."""
        spectrum = np.fft.rfft(self.rng.standard_normal(self.length, np.float32)) * gains(curve, self.length)
        made = np.fft.irfft(spectrum, self.length)
        return np.asarray(made / max(float(made.std()), 1e-9), np.float32)

    def wide(self, curve: Curve, share: float = 0.5) -> Floats:
        """Stereo noise (length, 2) of which the sides have `share` of the power in common."""
        middle = self.noise(curve)
        sides = np.stack([self.noise(curve), self.noise(curve)], 1)
        return np.asarray(np.sqrt(share) * middle[:, None] + np.sqrt(1 - share) * sides, np.float32)

    def wander(self, low: float, high: float) -> Floats:
        """A slow random curve (length,), mean 0 and variance 1, of changes between `low` and `high` Hz."""
        first = max(1, round(low * self.seconds))
        last = max(first + 1, round(high * self.seconds))
        points = max(16, 8 * last)
        spectrum = np.zeros(points // 2 + 1, complex)
        spectrum[first : last + 1] = self.rng.standard_normal(last + 1 - first) + 1j * self.rng.standard_normal(last + 1 - first)
        curve = np.fft.irfft(spectrum, points)
        curve /= max(float(curve.std()), 1e-12)
        place = np.arange(self.length) * (points / self.length)
        return np.asarray(np.interp(place, np.arange(points + 1), np.append(curve, curve[0])), np.float32)

    def filtered(self, tape: Floats, curve: Curve) -> Floats:
        """`tape` (length,) or (length, 2) through the gains of `curve`."""
        shape = gains(curve, self.length)
        columns = tape.reshape(self.length, -1).T
        made = [np.fft.irfft(np.fft.rfft(column) * shape, self.length) for column in columns]
        return np.asarray(np.stack(made, 1).reshape(tape.shape), np.float32)

    def room(self, tape: Floats, seconds: float, wet: float, dull: float = 5000.0) -> Floats:
        """`tape` (length, 2) in a room whose sound dies by 60 dB in `seconds`; `wet`: the room's power beside the source's."""
        count = min(round(seconds * 1.2 * RATE), self.length)
        decay = 10 ** (-3 * np.arange(count) / RATE / seconds)
        out = []
        for column in tape.T:
            response = np.zeros(self.length)
            response[:count] = self.rng.standard_normal(count) * decay
            answer = np.fft.rfft(response) * gains(((60, -12), (200, 0), (dull, 0), (min(3 * dull, 20_000), -18)), self.length)
            made = np.fft.irfft(np.fft.rfft(column) * answer, self.length)
            out.append(column + made * wet * float(column.std()) / max(float(made.std()), 1e-12))
        return np.stack(out, 1).astype(np.float32)

    def moments(self, rate: float) -> NDArray[np.int64]:
        """Samples of events that know nothing of each other, `rate` a second."""
        return np.sort(self.rng.integers(0, self.length, self.rng.poisson(rate * self.seconds)))

    def every(self, seconds: float, jitter: float = 0.0) -> Iterator[tuple[int, int]]:
        """(number, sample) of events about `seconds` apart, a whole number of them to the turn, each off by `jitter` at most."""
        count = max(1, round(self.seconds / seconds))
        for number in range(count):
            shift = self.rng.uniform(-jitter, jitter) if jitter else 0.0
            yield number, round((number + 0.25) * self.length / count + shift * RATE) % self.length

    def add(self, tape: Floats, at: int, grain: Floats, gain: float = 1.0, pan: float = 0.0) -> None:
        """Put a mono grain on a stereo tape from sample `at` on, round the ring if it must; `pan` −1 left … 1 right."""
        angle = (pan + 1) * np.pi / 4
        sides = np.array([np.cos(angle), np.sin(angle)], np.float32) * np.float32(gain)
        at %= self.length
        while len(grain):
            part = grain[: self.length - at]
            tape[at : at + len(part)] += part[:, None] * sides
            grain, at = grain[len(part) :], 0


def gains(curve: Curve, length: int) -> NDArray[np.float64]:
    """The factor of each bin of a transform of `length` samples."""
    hertz = np.maximum(np.fft.rfftfreq(length, 1 / RATE), 1.0)
    points, decibels = zip(*curve, strict=True)
    made = 10 ** (np.interp(np.log2(hertz), np.log2(points), decibels) / 20)
    made[0] = 0  # no constant pressure
    return np.asarray(made)


def band(low: float, high: float, slope: float = 12.0) -> Curve:
    """Flat from `low` to `high` Hz, falling by `slope` dB an octave for five octaves on both sides."""
    return ((low / 32, -5 * slope), (low, 0.0), (high, 0.0), (high * 32, -5 * slope))


def burst(rng: np.random.Generator, low: float, high: float, decay: float, attack: float = 0.001) -> Floats:
    """A struck noise between `low` and `high` Hz, 60 dB down after `decay` seconds, peak 1."""
    count = max(64, round((decay + attack) * RATE))
    size = count + 2048
    made = np.fft.irfft(np.fft.rfft(rng.standard_normal(size)) * gains(band(low, high, 18.0), size), size)[:count]
    time = np.arange(count) / RATE
    made *= np.minimum(time / attack, 1) * 10 ** (-3 * np.maximum(time - attack, 0) / decay)
    return np.asarray(made / max(float(np.abs(made).max()), 1e-9), np.float32)


def struck(partials: Sequence[tuple[float, float, float]], attack: float = 0.001) -> Floats:
    """Modes of a struck body: (Hz, amplitude, seconds to −60 dB) each; peak 1 at most by their sum."""
    longest = max(decay for _, _, decay in partials)
    time = np.arange(round(longest * 1.1 * RATE)) / RATE
    out = np.zeros(len(time))
    for hertz, amplitude, decay in partials:
        count = min(len(time), round(decay * 1.1 * RATE))
        out[:count] += amplitude * np.sin(2 * np.pi * hertz * time[:count]) * 10 ** (-3 * time[:count] / decay)
    end = min(len(out), round(0.01 * RATE))
    out[len(out) - end :] *= np.linspace(1, 0, end)
    out *= np.minimum(time / attack, 1)
    return np.asarray(out / max(sum(abs(amplitude) for _, amplitude, _ in partials), 1e-9), np.float32)


def bubble(radius: float, rising: float) -> Floats:
    """A bubble of air in water, `radius` in metres: f = 3 / r, damping 0.13 / r + 0.0072 r^−3/2, pitch rising as it nears
    the surface (van den Doel 2005, doi:10.1145/1095878.1095883)."""
    hertz, damping = 3 / radius, 0.13 / radius + 0.0072 * radius**-1.5
    time = np.arange(min(round(7 / damping * RATE), RATE // 3)) / RATE
    phase = 2 * np.pi * hertz * time * (1 + rising * damping * time / 2)
    return np.asarray(np.sin(phase) * np.exp(-damping * time) * np.minimum(time * hertz, 1), np.float32)
