"""The explicit label of GB 45438-2025: what a person sees, hears or reads.

Both elements must be there, {人工智能 or AI} and {生成 or 合成}. In pictures and films the text is at least 5 % of the
shortest side high (5.2), in films for two seconds or more; in sound it is a spoken hint or the rhythm short-long
short-short (5.3); in text a line at the start or end (5.1).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.studio.typeset import Block, Ink, Typeface, draw, wrap

Pixels = NDArray[np.uint8]
Samples = NDArray[np.float32]

TEXT = "AI生成"
GLOSS = "AI-GENERATED"
"""For those who do not read Chinese: a translation under the label, smaller, and no part of what the standard measures."""

SHARE = 0.05
"""Least height of the text's drawn box, as a share of the shortest side."""

LEGIBLE = 12
"""Least drawn height in pixels: 5 % of a thumbnail is no longer text."""

SECONDS = 2.0
"""Least time a film shows the label at its start."""

FACE = Typeface((Path(__file__).parent / "fonts" / "label.ttf",))


@dataclass(frozen=True)
class Overlay:
    """The label as a transparent picture (rows, columns, 4), where its upper left corner goes, and how high its text is.

    `text_height` is the drawn height in pixels of the lowest letter of the mandated text.
    """

    image: Pixels
    x: int
    y: int
    text_height: int


@lru_cache(maxsize=16)
def overlay(width: int, height: int, lang: str = "zh") -> Overlay:
    """The label for a picture or film of this size in pixels: white on a dark plate in the upper left corner.

    `lang` other than "zh" adds the English gloss. Raises `ValueError` where legible text does not fit.
    """
    short = min(width, height)
    least = max(int(np.ceil(short * SHARE)), LEGIBLE)
    # Capitals stand about 0.73 of the font size high; the standard measures what is drawn, not the size asked for.
    size = round(least / 0.74)
    while (drawn := _lowest(block := wrap(TEXT, FACE, size, 10_000))) < least:
        size += 1
    rows = [_letters(block)]
    if lang != "zh":
        rows.append(_letters(wrap(GLOSS, FACE, max(round(size * 0.5), 9), 10_000)))
    plate = _plate(rows, size)
    margin = round(short * 0.035)
    # A tall film's very top belongs to the phone's clock and the platform's buttons.
    top = round(height * 0.06) if height > width * 1.4 else margin
    if margin + plate.shape[1] > width or top + plate.shape[0] > height:
        raise ValueError(f"a picture of {width}×{height} is too small to carry a visible label")
    plate.setflags(write=False)
    return Overlay(plate, margin, top, drawn)


def _lowest(block: Block) -> int:
    """The lowest of the letters' drawn boxes, in pixels."""
    return min(len(_letters(wrap(letter, block.face, block.size, 10_000))) for letter in dict.fromkeys(block.text))


def _letters(block: Block) -> Pixels:
    image, _ = draw(block, Ink((255, 255, 255, 250)))
    seen = image[..., 3] > 127
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _plate(rows: list[Pixels], size: int) -> Pixels:
    """The rows, flush left, on a dark plate with round corners, dark enough for white text over a white wall."""
    across, down, gap = round(size * 0.42), round(size * 0.24), round(size * 0.2)
    width = max(row.shape[1] for row in rows) + 2 * across
    height = sum(row.shape[0] + gap for row in rows) - gap + 2 * down
    radius = max(round(size * 0.3), 1)
    y, x = np.mgrid[0:height, 0:width] + 0.5
    dx = np.maximum(radius - np.minimum(x, width - x), 0)
    dy = np.maximum(radius - np.minimum(y, height - y), 0)
    inside = np.clip(radius - np.hypot(dx, dy) + 0.5, 0, 1)
    plate = np.dstack([np.full((height, width), shade) for shade in (16, 18, 26)] + [inside * 165]).astype(np.uint8)
    for row in rows:
        _over(plate[down : down + row.shape[0], across : across + row.shape[1]], row)
        down += row.shape[0] + gap
    return plate


def _over(below: Pixels, above: Pixels) -> None:
    """Porter and Duff's `over`, in place, on RGBA."""
    top, bottom = above[..., 3:] / 255.0, below[..., 3:] / 255.0
    alpha = top + bottom * (1 - top)
    colour = (above[..., :3] * top + below[..., :3] * bottom * (1 - top)) / np.maximum(alpha, 1e-6)
    below[..., :3], below[..., 3:] = np.round(colour), np.round(alpha * 255)


def on_picture(pixels: Pixels, lang: str = "zh") -> Pixels:
    """A copy of (rows, columns, 3 or 4) with the label drawn in. Raises `ValueError` if it is too small."""
    label = overlay(pixels.shape[1], pixels.shape[0], lang)
    out = pixels.copy()
    rows, columns = label.image.shape[:2]
    place = out[label.y : label.y + rows, label.x : label.x + columns]
    if pixels.shape[2] == 4:
        _over(place, label.image)
    else:
        alpha = label.image[..., 3:] / 255.0
        place[:] = np.round(place * (1 - alpha) + label.image[..., :3] * alpha)
    return out


def is_on(rgb: Pixels) -> bool:
    """Whether our label can be seen in a frame (rows, columns, 3), in either language."""
    return any(_matches(rgb, lang) for lang in ("zh", "en"))


def _matches(rgb: Pixels, lang: str) -> bool:
    """Whether the letters' shape is there (correlation) and stands out (slope of what is seen over what was drawn)."""
    try:
        label = overlay(rgb.shape[1], rgb.shape[0], lang)
    except ValueError:
        return False
    rows, columns = label.image.shape[:2]
    place = rgb[label.y : label.y + rows, label.x : label.x + columns].astype(np.float64).mean(2)
    drawn = label.image[..., :3].mean(2) * (label.image[..., 3] / 255.0)
    a, b = place - place.mean(), drawn - drawn.mean()
    together, energy = (a * b).sum(), (b * b).sum()
    return bool(together > 0.6 * np.sqrt((a * a).sum() * energy) and together > 0.4 * energy)


AI = re.compile(r"人工智能|(?<![A-Za-z])AI(?![A-Za-z])")
MADE = re.compile(r"生成|合成")
REACH = 64
"""Characters from the start or end of a text within which both elements must stand."""


def label_text(text: str, lang: str = "zh") -> str:
    """The text with the label as its first line, once."""
    line = "【本内容由人工智能（AI）生成】" if lang == "zh" else "[AI生成 · AI-generated]"
    return text if has_text_label(text) else f"{line}\n\n{text}"


def has_text_label(text: str) -> bool:
    """Whether both elements stand together near the start or the end of a text (without front matter)."""
    text = text.strip()
    return any(AI.search(end) and MADE.search(end) for end in (text[:REACH], text[-REACH:]))


# Morse for A I, in units of a dot: · −   · ·
RHYTHM = ((0, 1), (2, 5), (8, 9), (10, 11))
UNIT = 0.09
TONE = 880.0


def rhythm(rate: int) -> Samples:
    """The rhythm short-long short-short as soft tones, mono float32 in ±1, with half a second of rest after it."""
    out = np.zeros(round((RHYTHM[-1][1] * UNIT + 0.5) * rate), np.float32)
    for start, end in RHYTHM:
        a, b = round(start * UNIT * rate), round(end * UNIT * rate)
        time = np.arange(b - a) / rate
        envelope = np.minimum(1, np.minimum(time, time[::-1]) / 0.012)
        tone = np.sin(2 * np.pi * TONE * time) + 0.3 * np.sin(4 * np.pi * TONE * time)
        out[a:b] = 0.16 * envelope * tone
    return out


def label_audio(samples: Samples, rate: int) -> Samples:
    """Samples (n,) or (n, channels) in ±1 with the rhythm before them, once."""
    if has_audio_label(samples, rate):
        return samples
    tones = rhythm(rate)
    if samples.ndim == 2:
        tones = np.repeat(tones[:, None], samples.shape[1], 1)
    return np.concatenate([tones, samples.astype(np.float32)])


def has_audio_label(samples: Samples, rate: int) -> bool:
    """Whether the rhythm is heard at the start: the strength of its tone over time follows its pattern."""
    mono = samples.mean(1) if samples.ndim == 2 else samples
    length = round((RHYTHM[-1][1] * UNIT + 0.3) * rate)
    # Encoders delay the sound a little; look for the best fit within the slack.
    window = mono[: length + rate // 5].astype(np.float64)
    if len(window) < length:
        return False
    carrier = np.exp(-2j * np.pi * TONE * np.arange(len(window)) / rate)
    total = np.concatenate([[0], np.cumsum(window * carrier)])
    width, step = max(round(0.02 * rate), 1), max(rate // 500, 1)
    strength = np.abs(total[width:] - total[:-width])[::step] / width
    pattern = np.zeros(len(range(0, length - width, step)))
    for start, end in RHYTHM:
        pattern[round(start * UNIT * rate / step) : round(end * UNIT * rate / step)] = 1
    return any(
        _follows(strength[shift : shift + len(pattern)], pattern) for shift in range(len(strength) - len(pattern) + 1)
    )


def _follows(heard: NDArray[np.float64], pattern: NDArray[np.float64]) -> bool:
    a, b = heard - heard.mean(), pattern - pattern.mean()
    shape = (a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-9)
    # 0.005 is about -46 dB below full scale: fainter than that nobody hears it.
    return bool(shape > 0.8 and (heard * pattern).sum() > 0.005 * pattern.sum())
