"""A film as data: shots, what lies over them, and the sound, in whole frames."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mofang.studio.errors import UserError
from mofang.video.motion import Motion
from mofang.video.transitions import KINDS

LARGEST = 7680
"""Pixels of a film's longer side (8K)."""


@dataclass(frozen=True)
class Word:
    """A caption's word: its text and the frames, from the caption's start, in which it is heard."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Caption:
    """One caption on the screen from frame `start` up to, not including, frame `end`."""

    words: tuple[Word, ...]
    start: int
    end: int

    @property
    def text(self) -> str:
        """What it says."""
        return "".join(word.text for word in self.words)


@dataclass(frozen=True)
class Overlay:
    """A picture with transparency (PNG) at (`x`, `y`), over frames `start` to `end`, fading in and out over `fade`."""

    image: Path
    x: int
    y: int
    start: int
    end: int
    fade: int = 0


@dataclass(frozen=True)
class Transition:
    """How a shot comes in over the one before: one of `transitions.KINDS`, in its first `frames` frames."""

    kind: str
    frames: int


@dataclass(frozen=True)
class Shot:
    """One picture for so many frames, under a moving camera."""

    picture: Path
    frames: int
    motion: Motion
    transition: Transition | None = None

    @property
    def overlap(self) -> int:
        """The frames in which the shot before can still be seen."""
        return self.transition.frames if self.transition else 0


@dataclass(frozen=True)
class Timeline:
    """The whole film. `audio` is a sound file as long as the film, or None for silence."""

    width: int
    height: int
    fps: int
    shots: tuple[Shot, ...]
    captions: tuple[Caption, ...] = ()
    overlays: tuple[Overlay, ...] = ()
    audio: Path | None = None

    @property
    def frames(self) -> int:
        """The film's length in frames."""
        return sum(shot.frames for shot in self.shots)

    @property
    def seconds(self) -> float:
        """The film's length in seconds."""
        return self.frames / self.fps

    def starts(self) -> list[int]:
        """The frame each shot begins at."""
        starts, frame = [], 0
        for shot in self.shots:
            starts.append(frame)
            frame += shot.frames
        return starts

    def check(self) -> None:
        """Refuse what cannot be rendered. Raises `UserError`."""
        sides = (self.width, self.height)
        if any(side % 2 or not 16 <= side <= LARGEST for side in sides):
            raise UserError(f"a film cannot be {self.width}×{self.height}; use even sides from 16 to {LARGEST} pixels")
        if not self.shots:
            raise UserError("a film needs at least one shot; the storyboard is empty")
        if not 1 <= self.fps <= 120:
            raise UserError(f"{self.fps} frames per second cannot be; use 1 to 120")
        before = 0
        for number, shot in enumerate(self.shots, 1):
            if shot.frames < 1:
                raise UserError(f"shot {number} has no frames; give it a line to say or a length")
            if shot.transition:
                kind = shot.transition.kind
                if kind not in KINDS:
                    raise UserError(f"shot {number}: no transition '{kind[:30]}'; use one of: {', '.join(KINDS)}")
                if not 1 <= shot.overlap <= min(shot.frames, before):
                    raise UserError(
                        f"shot {number}: its transition must be as short as the shots it joins, or left out"
                    )
            before = shot.frames

    def to_json(self) -> dict[str, Any]:
        """Plain values, with paths as text."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value
