"""The colours of a page: taken from its picture, ordered into roles, kept apart enough to read."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mofang.image.engines.collage.colour import linear, mix, shift

Rgb8 = NDArray[np.uint8]
READABLE = 4.5
"""The least contrast of text and ground (WCAG 2.2, 1.4.3)."""
ROLES = ("paper", "ink", "accent", "deep", "muted")

# Ottosson 2020: linear sRGB to cone-like responses, their cube roots to lightness and two opponent axes.
_TO_LMS = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                    [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
_TO_LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                    [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip


def linear_light(image: Rgb8) -> NDArray[np.float32]:
    """(…, 3) of sRGB bytes as linear light 0..1."""
    value = np.arange(256) / 255
    table = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)
    light: NDArray[np.float32] = table[image]
    return light


def luminance(image: Rgb8) -> NDArray[np.float32]:
    """(…) of (…, 3): relative luminance (WCAG 2.2), 0..1."""
    found: NDArray[np.float32] = linear_light(image) @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    return found


def luminance_of(colour: str) -> float:
    """Relative luminance of `#rrggbb`."""
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Of two colours: 1..21 (WCAG 2.2)."""
    light, dark = sorted((luminance_of(one), luminance_of(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def oklab(image: Rgb8) -> NDArray[np.float64]:
    """(n, 3) bytes in OKLab."""
    lab: NDArray[np.float64] = np.cbrt(linear_light(image).astype(np.float64) @ _TO_LMS.T) @ _TO_LAB.T
    return lab


def clusters(image: Rgb8, count: int = 6) -> list[tuple[str, float]]:
    """The picture's main colours and their shares, most of it first: k-means in OKLab from farthest-first seeds."""
    import cv2

    small = cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA).reshape(-1, 3)
    points = oklab(small)
    centres = points.mean(0, keepdims=True)
    while len(centres) < count:
        far = ((points[:, None] - centres) ** 2).sum(2).min(1)
        centres = np.vstack([centres, points[far.argmax()]])
    for _ in range(24):
        owner = ((points[:, None] - centres) ** 2).sum(2).argmin(1)
        moved = np.array([points[owner == k].mean(0) if (owner == k).any() else centres[k] for k in range(count)])
        if np.abs(moved - centres).max() < 1e-4:
            break
        centres = moved
    found = []
    for k in range(count):
        mine = owner == k
        if mine.any():
            colour = small[mine][((points[mine] - centres[k]) ** 2).sum(1).argmin()]
            found.append(("#{:02x}{:02x}{:02x}".format(*colour), float(mine.mean())))
    return sorted(found, key=lambda each: -each[1])


def roles_from(image: Rgb8) -> dict[str, str]:
    """Roles for a page around this picture: paper and ink of its prevailing hue, the most vivid colour for accents."""
    found = clusters(image)
    labs = oklab(np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c, _ in found], np.uint8))
    chroma = np.hypot(labs[:, 1], labs[:, 2])
    shares = np.array([share for _, share in found])
    main = int((shares * (0.04 + chroma)).argmax())
    vivid = int((chroma * np.minimum(shares, 0.08) ** 0.5).argmax())
    hue, accent = found[main][0], found[vivid][0]
    if chroma[vivid] < 0.03:
        accent = "#b4452f"  # A picture in greys gets the red of a seal.
    return settled({"paper": _at(hue, 0.965, 0.016), "ink": _at(hue, 0.24, 0.03), "accent": accent, "deep": _at(hue, 0.3, 0.06)})


def settled(roles: Mapping[str, str]) -> dict[str, str]:
    """The same roles, the accent and a muted ink made readable on the paper."""
    full = {"muted": mix(roles["ink"], roles["paper"], 0.32), **roles}
    for name in ("accent", "muted"):
        full[name] = toward(full[name], full["paper"])
    return full


def toward(colour: str, ground: str, least: float = READABLE) -> str:
    """The colour, made darker or lighter until it stands out from the ground."""
    step = -0.02 if luminance_of(ground) > 0.18 else 0.02
    for _ in range(50):
        if contrast(colour, ground) >= least:
            break
        colour = shift(colour, step)
    return colour


def _at(colour: str, lightness: float, chroma: float) -> str:
    """The colour's hue at this OKLab lightness, its chroma at most this."""
    lab = oklab(np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)]], np.uint8))[0]
    now = float(np.hypot(lab[1], lab[2]))
    return shift(colour, lightness - float(lab[0]), min(1.0, chroma / now) if now > 1e-6 else 1.0)
