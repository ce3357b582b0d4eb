"""Sharp again: the picture that, blurred as this one was, gives this one.

With the blur known, half-quadratic splitting takes turns between a Wiener filter and BM3D as what a natural picture may
look like (plug and play; Zhang, Li, Zuo et al. 2021, arXiv 2008.13751, equations 6 and 7, with BM3D for their network).
With the blur unknown it is found first, coarse to fine, from a picture of few edges (`blind`).
"""

import numpy as np
from numpy.typing import NDArray

from mofang.image.edit.bm3d import Floats, Prior
from mofang.image.edit.denoise import noise_of

STEPS = 6
FIRST = 40 / 255
"""How strongly the first step denoises; the last does by the picture's own noise."""
WEIGHT = 0.23
"""λ of the paper: how much the prior weighs."""
FRAMES = 8
"""Times in a step that what lies beyond the frame is thought anew."""
LEAST = 0.8 / 255
"""The least noise that is believed: rounding to bytes alone makes a third of it."""


def deblur(image: Floats, kernel: Floats, strength: float = 1.0, sigma: float | None = None) -> Floats:
    """(rows, columns, 3) in 0..1 with the blur `kernel` (odd sides, sum 1) undone.

    `sigma` is the noise's standard deviation (measured if not given); `strength` below 1 undoes less of the blur, above 1
    believes in less noise.
    """
    noise = max(noise_of(image) if sigma is None else sigma, LEAST) / max(strength, 1.0)
    edge = max(kernel.shape)
    padded = np.pad(image, ((edge, edge), (edge, edge), (0, 0)), mode="symmetric" if min(image.shape[:2]) > edge else "edge")
    seen = guess = taper(padded, kernel)
    shape = seen.shape[:2]
    transfer = otf(kernel, shape)[..., None]
    power = (np.abs(transfer) ** 2).astype(np.float32)
    prior = Prior(step=4)
    levels = np.geomspace(FIRST, noise, STEPS)
    for number, level in enumerate(levels):
        weight = np.float32(WEIGHT * (noise / level) ** 2)
        for _ in range(FRAMES):
            pulled = _forward(seen) * transfer.conj() + weight * _forward(guess)
            solved = _back(pulled / (power + weight), shape)
            # What was seen ends at the frame; beyond it stands what the guess, blurred, says (Reeves 2005).
            beyond = _back(_forward(solved) * transfer, shape)
            beyond[edge:-edge, edge:-edge] = image
            seen = beyond
        guess = prior(solved, float(level), again=number % 2 == 0)
    sharp = np.clip(guess[edge:-edge, edge:-edge], 0, 1)
    found: Floats = image + (sharp - image) * np.float32(min(strength, 1.0))
    return found


def _forward(picture: Floats) -> NDArray[np.complex64]:
    return np.fft.rfft2(picture, axes=(0, 1)).astype(np.complex64)


def _back(spectrum: NDArray[np.complex64], shape: tuple[int, ...]) -> Floats:
    found: Floats = np.fft.irfft2(spectrum, shape, axes=(0, 1)).astype(np.float32)
    return found


def otf(kernel: Floats, shape: tuple[int, ...]) -> NDArray[np.complex64]:
    """The kernel's transfer function on a picture of that shape, as `rfft2` has it."""
    rows, columns = kernel.shape
    placed = np.zeros(shape[:2], np.float32)
    placed[:rows, :columns] = kernel
    moved = np.roll(placed, (-(rows // 2), -(columns // 2)), (0, 1))
    return np.fft.rfft2(moved).astype(np.complex64)


def blurred(image: Floats, kernel: Floats) -> Floats:
    """The picture blurred, what lies outside it mirrored."""
    import cv2

    # filter2D correlates; a convolution turns the kernel round.
    found: Floats = cv2.filter2D(image, -1, kernel[::-1, ::-1].copy(), borderType=cv2.BORDER_REFLECT)
    return found


def taper(image: Floats, kernel: Floats) -> Floats:
    """Opposite edges drawn together, so that the picture goes on where it ends: what the Fourier transform takes for granted."""
    out = image
    for _ in range(3):
        soft = np.fft.irfft2(np.fft.rfft2(out, axes=(0, 1)) * otf(kernel, image.shape)[..., None], image.shape[:2], axes=(0, 1))
        ramps = [_ramp(side, size) for side, size in zip(image.shape[:2], kernel.shape, strict=True)]
        keep = np.outer(*ramps).astype(np.float32)[..., None]
        out = keep * image + (1 - keep) * soft.astype(np.float32)
    return out


def _ramp(length: int, width: int) -> NDArray[np.float64]:
    distance = np.minimum(np.arange(length), np.arange(length)[::-1])
    return np.asarray(np.clip(distance / max(width, 1), 0, 1) ** 0.5)
