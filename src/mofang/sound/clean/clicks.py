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
NEAR, FAR = 0.0015, 0.014
"""Seconds on both sides between which a burst is compared: beyond the click itself, as far as a voice's next pulse."""
ROUNDS = 4
"""A click hides smaller ones beside it until it is gone."""


def declick(sound: Sound, sensitivity: float = 1.0) -> Sound:
    """`sound` with clicks and crackle filled in; higher `sensitivity` (0.2 … 5) finds fainter ones."""
    return Sound(np.stack([_declicked(channel, sound.rate, sensitivity) for channel in sound.samples.T], 1), sound.rate)


def _declicked(samples: NDArray[np.float32], rate: int, sensitivity: float) -> NDArray[np.float32]:
    out = samples.astype(np.float64)
    far = round(FAR * rate)
    margin = far + 2 * ORDER
    for start in range(0, len(samples), BLOCK):
        first, last = max(0, start - margin), min(len(samples), start + BLOCK + margin)
        part = out[first:last]
        if len(part) < 8 * ORDER or float(np.square(part).mean()) < 1e-10:
            continue
        for _ in range(ROUNDS):
            model = predictor(part)
            found = _clicks(part, model, rate, sensitivity)
            if not found:
                break
            for a, b in found:
                fill(part, np.arange(a, b), model)
    return out.astype(np.float32)


def _clicks(part: Floats, model: Floats, rate: int, sensitivity: float) -> list[tuple[int, int]]:
    """Stretches where the wave cannot be foretold from either side, and far less than around.

    A voice bursts at each of its pulses, but its pulses are alike: a click has no equal within a pitch period or two.
    """
    size = len(part)
    ahead, behind = np.abs(np.convolve(part, model)[:size]), np.abs(np.convolve(part[::-1], model)[:size][::-1])
    ahead[:ORDER], behind[size - ORDER :] = 0, 0
    error = np.minimum(ahead, behind)
    near, far = max(2, round(NEAR * rate)), round(FAR * rate)
    padded = np.pad(error, far)
    side = np.lib.stride_tricks.sliding_window_view(padded, far - near + 1).max(1)
    usual = np.maximum(side[:size], side[far + near : far + near + size])
    bad = error > (1 + 2.5 / sensitivity) * usual + 2e-3 / sensitivity
    found: list[tuple[int, int]] = []
    for at in np.flatnonzero(bad):
        if found and at < found[-1][1]:
            continue
        # The click is as wide as both errors stay above what is usual here and a tenth of its height.
        a, b = max(int(at) - near, 0), min(int(at) + near, size)
        inside = a + np.flatnonzero(error[a:b] > max(1.2 * float(usual[at]), 0.1 * float(error[a:b].max())))
        low, high = int(inside[0]) - 1, int(inside[-1]) + 2
        if low >= ORDER and high + ORDER < size:
            found.append((low, high))
    return found


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
