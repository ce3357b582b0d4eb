"""Gaps filled by what an autoregressive model of the surroundings expects, and the clicks that leave them.

Janssen, Veldhuis & Vries 1986 (doi:10.1109/TASSP.1986.1164824): with the model known, the missing samples that make the
prediction error least are the solution of a small linear system. Clicks are where the prediction error bursts
(Godsill & Rayner 1998, ch. 5).
"""

import numpy as np
from numpy.typing import NDArray

from mofang.sound.edit.source import Sound

Floats = NDArray[np.float64]

ORDER = 32
BLOCK = 2048
LONGEST = 0.004
"""Seconds of one gap: a longer one is no click."""


def declick(sound: Sound, sensitivity: float = 1.0) -> Sound:
    """`sound` with clicks and crackle filled in; higher `sensitivity` (0.2 … 5) finds fainter ones."""
    return Sound(np.stack([_declicked(channel, sound.rate, sensitivity) for channel in sound.samples.T], 1), sound.rate)


def _declicked(samples: NDArray[np.float32], rate: int, sensitivity: float) -> NDArray[np.float32]:
    out = samples.astype(np.float64)
    most = max(3, round(LONGEST * rate))
    for start in range(0, len(samples), BLOCK):
        first, last = max(0, start - 2 * ORDER), min(len(samples), start + BLOCK + 2 * ORDER)
        part = out[first:last]
        if len(part) < 8 * ORDER or float(np.square(part).mean()) < 1e-10:
            continue
        model = predictor(part)
        error = np.convolve(part, model)[: len(part)]
        error[:ORDER] = 0
        usual = float(np.median(np.abs(error))) / 0.6745
        # A voice's own pulses burst too, at 5 to 8 deviations; a click stands far above them.
        bad = np.abs(error) > max(14.0 / sensitivity * usual, 2e-3 / sensitivity)
        for a, b in _runs(bad, most):
            if b - a <= most and a >= ORDER and b + ORDER < len(part) and first + a >= start - ORDER:
                fill(part, np.arange(a, b), model)
    return out.astype(np.float32)


def _runs(bad: NDArray[np.bool_], most: int) -> list[tuple[int, int]]:
    """Stretches of bad samples, those close together as one, and a few samples more on both sides."""
    places = np.flatnonzero(bad)
    if not len(places):
        return []
    parts = np.split(places, np.flatnonzero(np.diff(places) > min(most // 3, 24)) + 1)
    return [(max(int(part[0]) - 2, 0), int(part[-1]) + 3) for part in parts]


def predictor(part: Floats) -> Floats:
    """(ORDER + 1,): 1, a₁ … a_p of the prediction error filter, by the autocorrelation method."""
    windowed = part * np.hanning(len(part))
    size = 1 << (2 * len(part)).bit_length()
    auto = np.fft.irfft(np.abs(np.fft.rfft(windowed, size)) ** 2, size)[: ORDER + 1]
    auto[0] = auto[0] * 1.0001 + 1e-9
    lags = np.abs(np.subtract.outer(np.arange(ORDER), np.arange(ORDER)))
    return np.concatenate([[1.0], np.linalg.solve(auto[lags], -auto[1:])])


def fill(part: Floats, gap: NDArray[np.int64], model: Floats) -> None:
    """Put in place the samples at `gap` (sorted) that the model expects from all others around them."""
    first, last = max(int(gap[0]) - ORDER, 0), min(int(gap[-1]) + ORDER + 1, len(part))
    field = part[first:last].copy()
    where = gap - first
    field[where] = 0
    rows = len(field) - ORDER
    if rows < len(where):
        return
    matrix = np.zeros((rows, len(field)))
    for row in range(rows):
        matrix[row, row : row + ORDER + 1] = model[::-1]
    unknown = matrix[:, where]
    solution, *_ = np.linalg.lstsq(unknown, -matrix @ field, rcond=None)
    part[gap] = solution
