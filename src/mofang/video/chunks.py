"""A timeline in pieces small enough to encode side by side and to remember one by one."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from mofang.video.timeline import Caption, Overlay, Shot, Timeline

LONGEST = 4
"""Seconds of a chunk at most. An H.264 stream has a key frame this often anyway, so cutting there costs nothing."""


@dataclass(frozen=True)
class Chunk:
    """Frames `first` to `first + frames` of a shot with everything over them; their times count from the chunk's start.

    `tail` frames after the shot's end still show its picture, in the next shot's transition, so its move must last
    that much longer; `before` is the shot whose own tail this shot's transition shows, None without a transition.
    """

    shot: Shot
    first: int
    frames: int
    tail: int
    before: Shot | None
    captions: tuple[Caption, ...]
    overlays: tuple[Overlay, ...]

    @property
    def needs_before(self) -> bool:
        """Whether the shot before can be seen in it."""
        return self.before is not None and self.first < self.shot.overlap


def cut(timeline: Timeline) -> list[Chunk]:
    """The timeline at its shots, and long shots in even parts."""
    found = []
    shots = timeline.shots
    for number, (shot, start) in enumerate(zip(shots, timeline.starts(), strict=True)):
        tail = shots[number + 1].overlap if number + 1 < len(shots) else 0
        before = shots[number - 1] if shot.overlap else None
        parts = -(-shot.frames // (LONGEST * timeline.fps))
        for first, last in pairwise(shot.frames * part // parts for part in range(parts + 1)):
            found.append(_chunk(timeline, shot, start, first, last, tail, before))
    return found


def _chunk(timeline: Timeline, shot: Shot, start: int, first: int, last: int, tail: int, before: Shot | None) -> Chunk:
    begin, end = start + first, start + last
    captions = tuple(
        replace(item, start=item.start - begin, end=item.end - begin)
        for item in timeline.captions
        if item.start < end and item.end > begin
    )
    overlays = tuple(
        replace(item, start=item.start - begin, end=item.end - begin)
        for item in timeline.overlays
        if item.start < end and item.end > begin
    )
    return Chunk(shot, first, last - first, tail, before, captions, overlays)


def key(chunk: Chunk, look: Any, content: Callable[[Path], str]) -> str:
    """SHA-256 of everything that can be seen in the chunk: `look` holds the settings, `content` hashes a file."""

    def shown(shot: Shot) -> list[Any]:
        return [content(shot.picture), shot.frames, repr(shot.motion), repr(shot.transition)]

    seen = [
        look, shown(chunk.shot), chunk.first, chunk.frames, chunk.tail,
        chunk.before and chunk.needs_before and shown(chunk.before),
        [repr(caption) for caption in chunk.captions],
        [[content(item.image), item.x, item.y, item.start, item.end, item.fade] for item in chunk.overlays],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()
