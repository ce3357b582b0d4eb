"""Small films for the tests, of flat colours that survive encoding."""

import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mofang.video import Motion, Shot, Timeline, Transition

COLOURS = ((200, 40, 40), (40, 180, 60), (50, 60, 210), (220, 200, 60), (120, 120, 120))


def still(folder: Path, number: int, width: int = 96, height: int = 160) -> Path:
    """A picture of one colour with a white square in it, so that moves can be seen."""
    path = folder / f"still{number}-{width}.png"
    image = np.full((height, width, 3), COLOURS[number % len(COLOURS)], np.uint8)
    image[height // 4 : height // 4 + 12, width // 4 : width // 4 + 12] = 255
    Image.fromarray(image).save(path)
    return path


def film(
    folder: Path, lengths: tuple[int, ...] = (20, 25, 30), kind: str = "", overlap: int = 6, **more: Any
) -> Timeline:
    """A timeline of still cameras, 96×160 at 25 frames per second."""
    shots = tuple(
        Shot(still(folder, number), frames, Motion(), Transition(kind, overlap) if kind and number else None)
        for number, frames in enumerate(lengths)
    )
    return Timeline(96, 160, 25, shots, **more)


def click(folder: Path, seconds: float, at: float, rate: int = 44_100) -> Path:
    """A WAV file of silence with a short loud tone at `at` seconds."""
    samples = np.zeros(round(seconds * rate), np.int16)
    start = round(at * rate)
    tone = np.sin(np.arange(round(0.05 * rate)) / rate * 2 * np.pi * 1000) * 25_000
    samples[start : start + len(tone)] = tone[: len(samples) - start]
    path = folder / "click.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


def decoded(path: Path) -> list[NDArray[np.uint8]]:
    """Every frame of a film as RGB."""
    return list(_decoded(path))


def _decoded(path: Path) -> Iterator[NDArray[np.uint8]]:
    import av

    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def near(colour: NDArray[np.uint8], wanted: tuple[int, int, int], within: int = 12) -> bool:
    """Whether two colours are alike but for what encoding does."""
    return bool(np.abs(colour.astype(int) - np.array(wanted)).max() <= within)
