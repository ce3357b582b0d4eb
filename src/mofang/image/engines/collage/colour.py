"""Colour as light falls on it: mixing in OKLab, where equal steps look equal (Ottosson 2020)."""

from functools import lru_cache

Rgb = tuple[float, float, float]
"""Linear-light red, green, blue, 0..1."""


@lru_cache(maxsize=4096)
def linear(hexcode: str) -> Rgb:
    """`#rrggbb` (sRGB, IEC 61966-2-1) as linear light."""
    parts = (int(hexcode[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return red, green, blue


def encoded(rgb: Rgb) -> str:
    """Linear light as `#rrggbb`, clipped to what a screen shows."""
    out = "#"
    for part in rgb:
        part = min(max(part, 0.0), 1.0)
        part = 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
        out += f"{round(part * 255):02x}"
    return out


def _to_lab(rgb: Rgb) -> Rgb:
    red, green, blue = rgb
    l = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)  # noqa: E741
    m = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    s = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s, 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
            0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s)  # fmt: skip


def _from_lab(lab: Rgb) -> Rgb:
    lightness, a, b = lab
    l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3  # noqa: E741
    m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    s = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s, -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
            -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)  # fmt: skip


@lru_cache(maxsize=8192)
def mix(one: str, other: str, share: float) -> str:
    """From `one` to `other` by `share` 0..1, through OKLab."""
    a, b = _to_lab(linear(one)), _to_lab(linear(other))
    x, y, z = (p + (q - p) * share for p, q in zip(a, b, strict=True))
    return encoded(_from_lab((x, y, z)))


@lru_cache(maxsize=8192)
def shift(colour: str, light: float = 0.0, chroma: float = 1.0) -> str:
    """Lighter by `light` (OKLab lightness, −1..1), with its chroma multiplied."""
    lightness, a, b = _to_lab(linear(colour))
    return encoded(_from_lab((min(max(lightness + light, 0.0), 1.0), a * chroma, b * chroma)))


@lru_cache(maxsize=8192)
def under(colour: str, lamp: str) -> str:
    """The colour of a thing under a coloured light: the product in linear light."""
    return encoded(tuple(p * q for p, q in zip(linear(colour), linear(lamp), strict=True)))  # type: ignore[arg-type]
