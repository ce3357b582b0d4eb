"""Networks that turn a picture into one of its own size or larger: our own, or anybody's, whatever runs them.

What is asked of a network: pictures of one channel or three in 0..1 in RGB, sides free or fixed; a result of the same
channels whose sides are the input's times a whole number, less perhaps the same rim all around (networks without padding,
as waifu2x). Most published networks for super-resolution, denoising and repair are so. One with a single channel works on
lightness.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mofang.image.edit.bm3d import Floats
from mofang.studio.errors import UserError

SIDES = range(64, 257, 48)
"""Sides of the parts a picture is taken in: multiples of sixteen for networks that halve or have windows, and sixteen more
than multiples of 48 for those without padding that do."""
OVERLAP = 16
"""Pixels by which parts overlap, at least."""
SMALLEST, LARGEST = 16, 2048
"""Sides that a network may insist on."""
MOST = 8
"""The largest factor that is believed."""


class Runner(Protocol):
    """What runs a network. `name` is what the creator calls it, `fixed` (rows, columns) if no other size will do."""

    name: str
    channels: int
    fixed: tuple[int, int] | None

    def __call__(self, part: Floats) -> Floats:
        """(rows', columns', channels') of (rows, columns, channels). Raises `UserError`."""
        ...


@dataclass(frozen=True)
class _Fit:
    """What a network makes of sides: `factor` times the input's, less `rim` pixels on each side."""

    factor: int
    rim: int


class Network:
    """A runner as a function on whole pictures. `factor` is how much larger its result is."""

    def __init__(self, runner: Runner) -> None:
        """Raises `UserError` for what is no such network."""
        self._runner, self.name, self.channels = runner, runner.name, runner.channels
        if runner.fixed and any(not SMALLEST <= side <= LARGEST for side in runner.fixed):
            raise unfit(self.name, "its picture has a size that cannot be used")
        rows, columns = runner.fixed or (SIDES[0], SIDES[1])
        grey = self._once(np.full((rows, columns, self.channels), 0.5, np.float32))
        if np.abs(grey).max() > 4:
            raise unfit(self.name, "its colours are not in 0..1")
        fit = fitting((rows, columns), grey.shape[:2])
        if fit is None:
            raise unfit(self.name, f"it makes {grey.shape[1]}×{grey.shape[0]} of {columns}×{rows}")
        self.factor, self._rim = fit.factor, fit.rim

    def __call__(self, image: Floats) -> Floats:
        """(rows·factor, columns·factor, 3) of (rows, columns, 3), in overlapping parts."""
        import cv2

        if self.channels == 3:
            return self._parts(image)
        # Lightness through the network, colours by interpolation: the eye sees the first sharper.
        tone = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
        size = (image.shape[1] * self.factor, image.shape[0] * self.factor)
        large = cv2.resize(tone, size, interpolation=cv2.INTER_CUBIC)
        large[..., :1] = self._parts(tone[..., :1])
        found: Floats = np.clip(cv2.cvtColor(large, cv2.COLOR_YCrCb2RGB), 0, 1)
        return found

    def _parts(self, image: Floats) -> Floats:
        rows, columns = image.shape[:2]
        f = self.factor
        lost = -(-self._rim // f)
        lap = max(OVERLAP, lost)
        high, wide = self._runner.fixed or (_side(rows + 2 * lap), _side(columns + 2 * lap))
        if 2 * lap >= min(high, wide):
            lap = max(lost, (min(high, wide) - 1) // 4)
        padded = np.pad(image, ((lap, max(high, lap)), (lap, max(wide, lap)), (0, 0)), mode="edge")
        out = np.empty((rows * f, columns * f, image.shape[2]), np.float32)
        for top in range(0, rows, high - 2 * lap):
            for left in range(0, columns, wide - 2 * lap):
                part = self._once(np.ascontiguousarray(padded[top : top + high, left : left + wide]))
                place = out[top * f : (top + high - 2 * lap) * f, left * f : (left + wide - 2 * lap) * f]
                inner = part[lap * f - self._rim :, lap * f - self._rim :]
                place[:] = inner[: place.shape[0], : place.shape[1]]
        return np.clip(out, 0, 1)

    def _once(self, part: Floats) -> Floats:
        made = self._runner(part)
        if made.ndim != 3 or made.shape[2] != part.shape[2]:
            raise unfit(self.name, "it does not give a picture of the channels it takes")
        if not np.isfinite(made).all():
            raise unfit(self.name, "it gives numbers that are none")
        return made


def fitting(given: tuple[int, int], made: tuple[int, ...]) -> _Fit | None:
    """The whole factor and the rim that lead from one size (rows, columns) to another, the smallest factor first."""
    # From a square alone, a factor that is not whole looks like a rim: then a rim is believed to a tenth of a side.
    most = 0.2 if given[0] == given[1] else 1.0
    for factor in range(1, MOST + 1):
        lost, also = (factor * side - to for side, to in zip(given, made, strict=True))
        if lost == also and lost % 2 == 0 and 0 <= lost <= most * factor * min(given):
            return _Fit(factor, lost // 2)
    return None


def _side(least: int) -> int:
    return next((side for side in SIDES if side >= least), SIDES[-1])


def unfit(name: str, why: str) -> UserError:
    """The error for a file that holds no network of the kind that is asked for."""
    return UserError(f"{name} is no network for pictures that can be used: {why}; "
                     "give one from RGB in 0..1 to the same, as large or a whole number larger")  # fmt: skip
