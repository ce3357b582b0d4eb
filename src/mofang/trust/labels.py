"""The explicit label of GB 45438-2025: what a person sees or hears.

Both elements must be there, {人工智能 or AI} and {生成 or 合成}; in pictures and films the drawn text is at least 5 % of the
shortest side high (5.2), in films for two seconds or more, in sound a spoken hint or the rhythm short-long short-short
(5.3), in text a line at the start or end (5.1).
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.studio.typeset import Block, Ink, Typeface, draw, wrap

TEXT = "AI生成"
SHARE = 0.05
"""Least height of the text's drawn box, as a share of the shortest side."""

SECONDS = 2.0
"""Least time a film shows the label at its start; ours stands half a second longer."""

# The cap height of the label's font is 0.733 of its size and the label must pass by its lowest letters; a little more
# for the rounding of small pictures.
SIZE = 0.073

FACE = Typeface((Path(__file__).parent / "fonts" / "label.ttf",))


@dataclass(frozen=True)
class Label:
    """The label as a transparent picture (rows, columns, 4), where its corner goes, and the drawn height of its text."""

    image: NDArray[np.uint8]
    x: int
    y: int
    text_height: int


@lru_cache(maxsize=16)
def overlay(width: int, height: int) -> Label:
    """The label for a picture or film of this size: white on a dark plate in the upper left corner.

    Raises `ValueError` where the sides are too small for legible text (under 48 pixels).
    """
    short = min(width, height)
    if short < 48:
        raise ValueError(f"a picture of {width}×{height} is too small to carry a visible label")
    size = int(np.ceil(short * SIZE))
    while (drawn := _drawn_height(block := wrap(TEXT, FACE, size, width))) < np.ceil(short * SHARE):
        size += 1
    letters, _ = draw(block, Ink((255, 255, 255, 240)))
    across, down = round(size * 0.42), round(size * 0.2)
    box = _trim(letters)
    plate = _plate(box.shape[1] + 2 * across, box.shape[0] + 2 * down, round(size * 0.3))
    _over(plate[down : down + box.shape[0], across : across + box.shape[1]], box)
    margin = round(short * 0.035)
    # A tall film's very top belongs to the phone's clock and the platform's buttons.
    top = round(height * 0.06) if height > width * 1.4 else margin
    return Label(plate, margin, top, drawn)


def _drawn_height(block: Block) -> int:
    """The lowest of the letters' drawn boxes: the standard measures what is seen, not the size asked for."""
    heights: list[int] = []
    for letter in dict.fromkeys(block.text):
        image, _ = draw(wrap(letter, block.face, block.size, 10_000), Ink())
        heights.append(_trim(image).shape[0])
    return min(heights)


def _trim(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    seen = image[..., 3] > 127
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _plate(width: int, height: int, radius: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[0:height, 0:width] + 0.5
    dx = np.maximum(radius - np.minimum(x, width - x), 0)
    dy = np.maximum(radius - np.minimum(y, height - y), 0)
    inside = np.clip(radius - np.hypot(dx, dy) + 0.5, 0, 1) if radius else np.ones((height, width))
    return np.dstack([np.full((height, width), shade) for shade in (16, 18, 26)] + [inside * 150]).astype(np.uint8)


def _over(below: NDArray[np.uint8], above: NDArray[np.uint8]) -> None:
    top, bottom = above[..., 3:] / 255.0, below[..., 3:] / 255.0
    alpha = top + bottom * (1 - top)
    colour = (above[..., :3] * top + below[..., :3] * bottom * (1 - top)) / np.maximum(alpha, 1e-6)
    below[..., :3], below[..., 3:] = np.round(colour), np.round(alpha * 255)


def on_picture(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A copy of (rows, columns, 3 or 4) with the label drawn in."""
    label = overlay(rgb.shape[1], rgb.shape[0])
    out = rgb.copy()
    rows, columns = label.image.shape[:2]
    place = out[label.y : label.y + rows, label.x : label.x + columns]
    image = label.image[: place.shape[0], : place.shape[1]]
    if rgb.shape[2] == 4:
        _over(place, image)
    else:
        alpha = image[..., 3:] / 255.0
        place[:] = np.round(place * (1 - alpha) + image[..., :3] * alpha)
    return out


def is_on(rgb: NDArray[np.uint8]) -> bool:
    """Whether our label can be seen in a frame (rows, columns, 3): its letters correlate with the picture there."""
    label = overlay(rgb.shape[1], rgb.shape[0])
    rows, columns = label.image.shape[:2]
    place = rgb[label.y : label.y + rows, label.x : label.x + columns].astype(np.float64).mean(2)
    if place.shape != (rows, columns):
        return False
    expected = label.image[..., :3].mean(2) * (label.image[..., 3] / 255.0)
    a, b = place - place.mean(), expected - expected.mean()
    return bool((a * b).sum() > 0.6 * np.sqrt((a * a).sum() * (b * b).sum()) > 0)


def in_text(text: str, lang: str) -> str:
    """The text with the label as its first line, once."""
    line = "【本内容由人工智能（AI）生成】" if lang == "zh" else "[AI-generated 人工智能生成]"
    return text if has_text_label(text) else f"{line}\n\n{text}"


def has_text_label(text: str) -> bool:
    """Whether both elements stand in the first or last 64 characters, front matter aside."""
    if text.startswith("---\n"):
        text = text.partition("\n---\n")[2] or text
    text = text.strip()
    ends = (text[:64].lower(), text[-64:].lower())
    return any(
        ("人工智能" in end or "ai" in end) and any(w in end for w in ("生成", "合成", "generated")) for end in ends
    )


# Morse for A I: · −  · ·
RHYTHM = ((0, 1), (2, 5), (9, 10), (11, 12))
UNIT = 0.09
TONE = 880.0


def hint(rate: int) -> NDArray[np.float32]:
    """The rhythm as soft tones, mono float32, with half a second of rest after it."""
    out = np.zeros(round((RHYTHM[-1][1] * UNIT + 0.5) * rate), np.float32)
    for start, end in RHYTHM:
        a, b = round(start * UNIT * rate), round(end * UNIT * rate)
        time = np.arange(b - a) / rate
        envelope = np.minimum(1, np.minimum(time, time[::-1]) / 0.012)
        tone = np.sin(2 * np.pi * TONE * time) + 0.3 * np.sin(4 * np.pi * TONE * time)
        out[a:b] = 0.16 * envelope * tone
    return out


def on_sound(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Samples (n,) or (n, channels) with the rhythm before them."""
    tones = hint(rate)
    if samples.ndim == 2:
        tones = np.repeat(tones[:, None], samples.shape[1], 1)
    return np.concatenate([tones, samples.astype(np.float32)])


def is_in_sound(samples: NDArray[np.float32], rate: int) -> bool:
    """Whether the rhythm is heard in the first two seconds: the tone's strength over time follows its pattern."""
    mono = samples.mean(1) if samples.ndim == 2 else samples
    expected = hint(rate)
    pattern = np.zeros(len(expected))
    for start, end in RHYTHM:
        pattern[round(start * UNIT * rate) : round(end * UNIT * rate)] = 1
    window = mono[: len(expected) + rate // 5].astype(np.float64)
    if len(window) < len(expected):
        return False
    carrier = np.exp(-2j * np.pi * TONE * np.arange(len(window)) / rate)
    width = max(round(0.02 * rate), 1)
    strength = np.abs(np.convolve(window * carrier, np.ones(width) / width, "same"))
    # Encoders delay the sound a little; look for the best fit within the slack.
    step = max(rate // 500, 1)
    best = 0.0
    for shift in range(0, len(window) - len(expected) + 1, step):
        heard = strength[shift : shift + len(expected)]
        a, b = heard - heard.mean(), pattern - pattern.mean()
        best = max(best, float((a * b).sum() / max(np.sqrt((a * a).sum() * (b * b).sum()), 1e-9)))
    return best > 0.8
