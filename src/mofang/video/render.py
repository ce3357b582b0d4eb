"""A timeline becomes a film.

The film is cut into chunks of a few seconds. Each is encoded by itself with the same settings and remembered under a
hash of all that can be seen in it, so that a second run encodes only what changed; the chunks are then joined packet
by packet without encoding again. Several chunks are encoded at a time, each by one thread: x264 scales better over
films than over slices, and numpy, OpenCV and the encoder all release the interpreter's lock.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from dataclasses import astuple, dataclass, fields
from functools import lru_cache
from pathlib import Path
from threading import Event
from typing import Any

from mofang.studio.atomic import atomic
from mofang.studio.errors import UserError
from mofang.studio.progress import Progress, silent
from mofang.video import mux, pictures
from mofang.video.chunks import Chunk, cut, key
from mofang.video.compose import frames
from mofang.video.lettering import Style
from mofang.video.planes import Planes, Still
from mofang.video.timeline import Timeline

VERSION = 3
"""Raise when the same timeline would give other pixels: chunks of earlier versions are then not used."""
KEEP = 4 << 30
"""Bytes of chunks a cache keeps; those longest unused go first."""


@dataclass(frozen=True)
class Encoding:
    """x264's preset and constant rate factor."""

    preset: str = "veryfast"
    crf: int = 20


def render(
    timeline: Timeline,
    target: Path,
    style: Style | None = None,
    *,
    cache: Path | None = None,
    encoding: Encoding = Encoding(),
    threads: int = 2,
    progress: Progress = silent,
) -> int:
    """Write the film to `target` (MP4: H.264 High 4:2:0 BT.709, AAC) and return how many chunks had to be encoded.

    `style` says how captions look; without it there are none. `cache` is a folder for encoded chunks; without it
    nothing is remembered. Raises `UserError` for a timeline, a picture or a sound that cannot be used. Ctrl-C stops
    between frames; chunks already encoded stay.
    """
    timeline.check()
    for picture in dict.fromkeys(shot.picture for shot in timeline.shots):
        pictures.size(picture)
    if timeline.audio:
        next(mux.samples(timeline.audio), None)
    with nullcontext(str(cache)) if cache else tempfile.TemporaryDirectory(prefix="mofang-") as name:
        folder = Path(name)
        made, paths = _chunks(timeline, style, folder, encoding, threads, progress)
        with atomic(target, suffix=".mp4") as temporary:
            mux.join(paths, timeline.audio, temporary, timeline.frames, timeline.fps)
        _sweep(folder, keep=set(paths))
    progress(1.0, "film")
    return made


def _chunks(
    timeline: Timeline, style: Style | None, folder: Path, encoding: Encoding, threads: int, progress: Progress
) -> tuple[int, list[Path]]:
    """Encode the chunks not yet in `folder`. Returns how many those were, and the paths of all in the film's order."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot keep chunks in {folder}: {error.strerror}; choose another folder") from error
    content = lru_cache(maxsize=None)(_content)
    look: list[Any] = [VERSION, timeline.width, timeline.height, timeline.fps, *astuple(encoding)]
    written = look
    if style:
        looks = [getattr(style, field.name) for field in fields(style) if field.name != "face"]
        written = [*look, *looks, *map(content, style.face.files)]
    parts = cut(timeline)
    paths = [folder / f"{key(part, written if part.captions else look, content)}.mp4" for part in parts]
    todo = {path: part for path, part in zip(paths, parts, strict=True) if not mux.is_whole(path)}
    total = sum(part.frames for part in todo.values()) or 1
    done = 0
    stop = Event()
    load = lru_cache(maxsize=threads + 2)(Still)
    # With fewer chunks than threads, the encoder has to share its work out itself.
    each = max(1, threads // max(len(todo), 1))

    def counted(planes: Iterator[Planes]) -> Iterator[Planes]:
        nonlocal done
        for frame in planes:
            if stop.is_set():
                raise Stopped
            yield frame
            done += 1

    def encode(part: Chunk, path: Path) -> None:
        with atomic(path, suffix=".mp4") as temporary:
            planes = counted(frames(part, style, timeline.width, timeline.height, load))
            mux.encode(planes, temporary, timeline.width, timeline.height, timeline.fps, encoding.preset, encoding.crf,
                       each)  # fmt: skip

    with _single_threaded_opencv(), ThreadPoolExecutor(threads, "render") as pool:
        waiting: set[Future[None]] = {pool.submit(encode, part, path) for path, part in todo.items()}
        try:
            while waiting:
                finished, waiting = wait(waiting, timeout=0.25, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                progress(0.98 * min(done / total, 1.0), "film")
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return len(todo), paths


class Stopped(Exception):
    """The render was interrupted."""


@contextmanager
def _single_threaded_opencv() -> Iterator[None]:
    """Two chunks at a time already fill two cores; threads under threads only get in each other's way."""
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _content(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; put it there or change the storyboard") from error


def _sweep(folder: Path, keep: set[Path]) -> None:
    """Mark the chunks just used, and delete the longest unused of the others beyond `KEEP` bytes."""
    for path in keep:
        path.touch()
    others = sorted((path for path in folder.glob("*.mp4") if path not in keep), key=lambda path: -path.stat().st_mtime)
    size = sum(path.stat().st_size for path in keep)
    for path in others:
        size += path.stat().st_size
        if size > KEEP:
            path.unlink(missing_ok=True)
