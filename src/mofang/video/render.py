"""A timeline becomes a film.

The film is cut into chunks, one per shot with its incoming transition. Each chunk is encoded by itself with the same
settings and remembered under a hash of all that can be seen in it, so that a second run encodes only what changed; the
chunks are then joined packet by packet without encoding again. Two chunks are encoded at a time, each by one thread:
x264 scales better over films than over slices, and numpy, OpenCV and the encoder all release the interpreter's lock.
"""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from mofang.studio.atomic import atomic
from mofang.studio.progress import Progress, silent
from mofang.video import mux
from mofang.video.captions import Style, spoken_at
from mofang.video.planes import BLACK, Patch, Planes, Still
from mofang.video.timeline import Caption, Overlay, Shot, Timeline
from mofang.video.transitions import BLENDS

VERSION = 1
"""Raise when the same timeline would give other pixels: chunks of earlier versions are then not used."""


@dataclass(frozen=True)
class Encoding:
    """x264's preset and constant rate factor."""

    preset: str = "veryfast"
    crf: int = 20


@dataclass(frozen=True)
class Chunk:
    """One shot with everything over it, in frames counted from its own start."""

    shot: Shot
    before: Shot | None
    tail: int
    """Frames the next shot's transition will still need of this picture: the move must last that long."""
    before_tail: int
    captions: tuple[Caption, ...]
    overlays: tuple[Overlay, ...]


def chunks(timeline: Timeline) -> list[Chunk]:
    """The timeline cut at its shots."""
    found = []
    shots = timeline.shots
    tails = [_overlap(shot) for shot in shots[1:]] + [0]
    for number, (shot, start) in enumerate(zip(shots, timeline.starts(), strict=True)):
        end = start + shot.frames
        captions = tuple(
            Caption(item.words, item.start - start, item.end - start)
            for item in timeline.captions
            if item.start < end and item.end > start
        )
        overlays = tuple(
            Overlay(item.image, item.x, item.y, item.start - start, item.end - start, item.fade)
            for item in timeline.overlays
            if item.start < end and item.end > start
        )
        before = shots[number - 1] if number and _overlap(shot) else None
        found.append(Chunk(shot, before, tails[number], tails[number - 1] if before else 0, captions, overlays))
    return found


def _overlap(shot: Shot) -> int:
    return shot.overlap if shot.transition != "none" else 0


def render(
    timeline: Timeline,
    target: Path,
    style: Style,
    cache: Path,
    *,
    encoding: Encoding = Encoding(),
    threads: int = 2,
    progress: Progress = silent,
) -> int:
    """Write the film to `target` (MP4: H.264 High 4:2:0 BT.709, AAC) and return how many chunks had to be encoded.

    `cache` is a folder for encoded chunks. Raises `UserError` for a timeline or a picture that cannot be rendered.
    Ctrl-C stops between frames; chunks already encoded stay.
    """
    import cv2

    timeline.check()
    cv2.setNumThreads(1)
    parts = chunks(timeline)
    cache.mkdir(parents=True, exist_ok=True)
    hashes: dict[Path, str] = {}
    paths = [cache / f"{_key(part, timeline, style, encoding, hashes)}.mp4" for part in parts]
    todo = {path: part for path, part in zip(paths, parts, strict=True) if not mux.is_whole(path, part.shot.frames)}
    total = sum(part.shot.frames for part in todo.values()) or 1
    done = 0
    stop = Event()
    with ThreadPoolExecutor(threads, "render") as pool:
        waiting: set[Future[int]] = {
            # The longest first, so that no thread is left with a long one at the end.
            pool.submit(_encode, part, path, timeline, style, encoding, stop)
            for path, part in sorted(todo.items(), key=lambda item: -item[1].shot.frames)
        }
        try:
            while waiting:
                finished, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
                done += sum(future.result() for future in finished)
                progress(0.97 * done / total, f"{len(paths) - len(waiting)}/{len(paths)}")
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    with atomic(target, suffix=".mp4") as temporary:
        mux.join(paths, timeline.audio, temporary, timeline.fps)
    progress(1.0, f"{len(paths)}/{len(paths)}")
    return len(todo)


class Stopped(Exception):
    """The render was interrupted."""


def _encode(part: Chunk, path: Path, timeline: Timeline, style: Style, encoding: Encoding, stop: Event) -> int:
    with atomic(path, suffix=".mp4") as temporary:
        frames = _frames(part, timeline, style)
        mux.encode(_unless(stop, frames), temporary, timeline.width, timeline.height, timeline.fps, encoding.preset,
                   encoding.crf)  # fmt: skip
    return part.shot.frames


def _unless(stop: Event, frames: Iterator[Planes]) -> Iterator[Planes]:
    for frame in frames:
        if stop.is_set():
            raise Stopped
        yield frame


def _frames(part: Chunk, timeline: Timeline, style: Style) -> Iterator[Planes]:
    width, height = timeline.width, timeline.height
    still = Still(part.shot.picture, width, height)
    before = Still(part.before.picture, width, height) if part.before else None
    overlays = [(item, _patch(item, width, height)) for item in part.overlays]
    lettering = _Lettering(style, width, height)
    length = part.shot.frames + part.tail
    for frame in range(part.shot.frames):
        planes = still.look(part.shot.motion.at(frame / max(length - 1, 1)))
        if before is not None and part.before is not None and frame < part.shot.overlap:
            long = part.before.frames + part.before_tail
            old = before.look(part.before.motion.at((part.before.frames + frame) / max(long - 1, 1)))
            share = (frame + 1) / (part.shot.overlap + 1)
            blend = BLENDS[part.shot.transition]
            planes = Planes(
                blend(old.y, planes.y, share, BLACK[0]),
                blend(old.u, planes.u, share, BLACK[1]),
                blend(old.v, planes.v, share, BLACK[2]),
            )
        for item, patch in overlays:
            if patch is not None and item.start <= frame < item.end:
                patch.lay_over(planes, _strength(item, frame))
        for caption in part.captions:
            if caption.start <= frame < caption.end and (patch := lettering.patch(caption, frame - caption.start)):
                patch.lay_over(planes)
        yield planes


def _strength(item: Overlay, frame: int) -> float:
    if not item.fade:
        return 1.0
    return min(1.0, (frame - item.start + 1) / item.fade, (item.end - frame) / item.fade)


def _patch(item: Overlay, width: int, height: int) -> Patch | None:
    from PIL import Image

    with Image.open(item.image) as image:
        return Patch.of(np.asarray(image.convert("RGBA")), item.x, item.y, width, height)


class _Lettering:
    """Draws a caption once for every word that lights up in it, not once for every frame."""

    def __init__(self, style: Style, width: int, height: int) -> None:
        self.style, self.size = style, (width, height)
        self._caption: Caption | None = None
        self._spoken = -1
        self._drawn: Patch | None = None

    def patch(self, caption: Caption, frame: int) -> Patch | None:
        spoken = spoken_at(caption, frame)
        if caption is not self._caption or spoken != self._spoken:
            if caption is not self._caption:
                self._block = self.style.typeset(caption)
            image, x, y = self.style.image(self._block, spoken)
            self._drawn = Patch.of(image, x, y, *self.size)
            self._caption, self._spoken = caption, spoken
        return self._drawn


def _key(part: Chunk, timeline: Timeline, style: Style, encoding: Encoding, hashes: dict[Path, str]) -> str:
    """SHA-256 of everything that can be seen in the chunk."""

    def content(path: Path) -> str:
        if path not in hashes:
            hashes[path] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        return hashes[path]

    def shown(shot: Shot | None) -> Any:
        return shot and [content(shot.picture), shot.frames, repr(shot.motion), shot.transition, shot.overlap]

    seen = [
        VERSION, timeline.width, timeline.height, timeline.fps, encoding.preset, encoding.crf, shown(part.shot),
        shown(part.before), part.tail, part.before_tail, [repr(caption) for caption in part.captions],
        [[content(item.image), item.x, item.y, item.start, item.end, item.fade] for item in part.overlays],
        part.captions and [style.size, style.baseline, style.spoken, style.waiting,
                           [content(file) for file in style.face.files]],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(seen, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()
