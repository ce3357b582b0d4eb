"""Folders of pictures become a dataset: opened, made square, unlike one another, split without leaks."""

import hashlib
import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.image.data import near, report
from mofang.image.data.caption import Caption, caption_of
from mofang.image.data.crop import square
from mofang.image.data.files import Found, Papers, find
from mofang.image.data.split import held_out, joined
from mofang.image.data.store import MANIFEST, SIZES, VERSION, Line, Pictures, digest, write_split
from mofang.image.safe import on_white, open_rgba
from mofang.studio.atomic import atomic_folder
from mofang.studio.errors import UserError
from mofang.studio.library import file_hash
from mofang.studio.progress import Event, Progress, Stages
from mofang.studio.words import shown

PIXELS, GREYS = ".pixels", ".greys"
"""Working files of a dataset being made: all pictures and their grey copies, before they are split."""
BLANK = 6
"""Values of 255 that a picture's pixels must span to show something."""


@dataclass(frozen=True)
class Preparing:
    """`size` pixels a side; `alpha` keeps transparency (4 channels), else it is laid on white; `val` is the share held
    out, whole groups of pictures that belong together or, `by_picture`, single ones (to judge a model by subjects it has
    seen in other styles); `crop` cuts around what matters, else pictures are padded; `drop_near` leaves near-duplicates
    out, which are otherwise kept together on one side of the split; `licence` is that of pictures the studio does not
    know."""

    size: int = 64
    alpha: bool = False
    val: float = 0.05
    by_picture: bool = False
    crop: bool = True
    drop_near: bool = False
    licence: str = ""
    seed: int = 0


@dataclass
class Tally:
    """What was left out, by reason, with the first names."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def drop(self, reason: str, what: str) -> None:
        self.counts[reason] += 1
        if len(kept := self.examples.setdefault(reason, [])) < 20:
            kept.append(what)


@dataclass(frozen=True)
class _Read:
    """A picture after reading: pixels (size, size, 4), or why not."""

    found: Found
    sha256: str = ""
    pixels: NDArray[np.uint8] | None = None
    small: bool = False
    caption: Caption = field(default_factory=Caption)
    fault: str = ""


def prepare(folders: Sequence[Path], out: Path, settings: Preparing = Preparing(), *, studio: Path | None = None,
            on_event: Callable[[Event], None] = lambda event: None) -> Pictures:  # fmt: skip
    """Make the dataset `out` of the pictures in `folders`, whole or not at all, with `report.html`, `report.txt` and
    `contact.png` to look at. Memory does not grow with the number of pictures, but for some hundred bytes each.

    Raises `UserError` if there is no picture that can be used, or consent to train on one was taken back.
    """
    if not SIZES[0] <= settings.size <= SIZES[1] or settings.size % 8:
        raise UserError(f"pictures of {settings.size} pixels a side cannot be trained on; give a multiple of 8 from "
                        f"{SIZES[0]} to {SIZES[1]}")  # fmt: skip
    if not 0 <= settings.val < 1:
        raise UserError(f"--val {settings.val:g} is no share to hold out; give 0 to 0.5, as 0.05")
    found = find(folders)
    stages = Stages({"read": 10, "compare": 4, "write": 2}, on_event)
    with atomic_folder(out, MANIFEST) as folder:
        tally, papers = Tally(), Papers(settings.licence, studio)
        lines, sources = _read_all(found, folder, settings, papers, tally, stages.of("read"))
        if not lines:
            first = next(iter(tally.examples.values()))[0]
            why = ", ".join(f"{count:,} {reason}" for reason, count in tally.counts.items())
            raise UserError(f"none of these {len(found):,} files is a picture that can be used ({why}); for one, {first}")
        pixels = np.memmap(folder / PIXELS, np.uint8, "r", shape=(len(lines), settings.size, settings.size, 3 + settings.alpha))
        greys = np.memmap(folder / GREYS, np.uint8, "r", shape=(len(lines), near.GREY, near.GREY))
        compare = stages.of("compare")
        labels = near.clusters(greys, lambda share: compare(share, f"{len(lines):,}"))
        keep = np.arange(len(lines))
        if settings.drop_near:
            keep = np.flatnonzero(labels == keep)
            for number in np.flatnonzero(labels != np.arange(len(lines))):
                tally.drop("near-duplicate", f"{lines[number]['file']} ~ {lines[labels[number]]['file']}")
        groups = joined([lines[number]["subject"] for number in keep], labels[keep])
        for number, group in zip(keep, groups, strict=True):
            lines[number]["group"] = group
        alone = [lines[number]["file"] for number in keep]
        val = keep[held_out(alone if settings.by_picture else groups, settings.val, settings.seed)]
        parts = {"train": np.setdiff1d(keep, val), "val": val}
        _write(folder, pixels, lines, parts, stages.of("write"))
        manifest = {
            "version": VERSION, "size": settings.size, "channels": 3 + settings.alpha,
            "counts": {name: len(chosen) for name, chosen in parts.items()},
            "works": _works(folders, [sources[number] for number in keep]),
            "licence": " AND ".join(sorted({sources[number][2] or "unknown" for number in keep})),
            "sha256": digest(folder), "seed": settings.seed, "val": settings.val, "cropped": settings.crop,
            "given": len(found), "left_out": dict(tally.counts), "captions": dict(Counter(sources[number][3] for number in keep)),
            "enlarged": sum(sources[number][4] for number in keep),
            "near": report.families(labels[keep], [lines[number]["file"] for number in keep]),
        }  # fmt: skip
        report.write(folder, manifest, tally.examples, pixels, parts)
        del pixels, greys
        for name in (PIXELS, GREYS):
            (folder / name).unlink()
    return Pictures.open(out)


_Source = tuple[int, str, str, str, bool]
"""Of each picture: the folder's number, SHA-256, licence, where its caption came from, whether it was enlarged."""


def _read_all(found: Sequence[Found], folder: Path, settings: Preparing, papers: Papers, tally: Tally,
              progress: Progress) -> tuple[list[Line], list[_Source]]:  # fmt: skip
    """Every usable picture into the working files; the line of each, and where it came from."""
    lines: list[Line] = []
    sources: list[_Source] = []
    seen: dict[bytes, str] = {}
    with (folder / PIXELS).open("wb") as pixels, (folder / GREYS).open("wb") as greys:
        for number, read in enumerate(_side_by_side(found, settings)):
            progress(number / len(found), read.found.name)
            if read.pixels is None:
                tally.drop("unreadable", read.fault)
                continue
            kept = read.pixels if settings.alpha else on_white(read.pixels)
            rgb = on_white(read.pixels)
            if int(rgb.max()) - int(rgb.min()) < BLANK and int(np.ptp(read.pixels[..., 3])) < BLANK:
                tally.drop("blank", read.found.name)
                continue
            key = hashlib.sha256(kept.tobytes()).digest()
            if first := seen.get(key):
                tally.drop("duplicate", f"{read.found.name} = {first}")
                continue
            seen[key] = read.found.name
            licence = papers.licence(read.found, read.sha256)
            pixels.write(kept.tobytes())
            greys.write(near.grey_of(rgb).tobytes())
            caption = read.caption
            lines.append({"file": read.found.name, "caption": caption.words or {"": ""}, "style": caption.style,
                          "subject": caption.subject, "group": ""})  # fmt: skip
            sources.append((read.found.root, read.sha256, licence, caption.source, read.small))
    progress(1.0, "")
    return lines, sources


def _side_by_side(found: Sequence[Found], settings: Preparing) -> Iterator[_Read]:
    """The pictures in order, a few being read at a time: decoders leave the interpreter's lock alone."""
    workers = min(os.cpu_count() or 1, 8)
    pool = ThreadPoolExecutor(workers, "pictures")
    waiting: deque[Future[_Read]] = deque()
    try:
        for each in found:
            waiting.append(pool.submit(_read, each, settings))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _read(found: Found, settings: Preparing) -> _Read:
    try:
        # Four times as many pixels as are kept: enough to find the crop by and to average over.
        rgba = open_rgba(found.path, max(4 * settings.size, 256))
        pixels = square(rgba, settings.size, whole=not settings.crop)
        return _Read(found, file_hash(found.path), pixels, min(rgba.shape[:2]) < settings.size, caption_of(found.path))
    except (UserError, OSError) as error:
        return _Read(found, fault=shown(f"{found.name}: {error}").removeprefix(shown(f"{found.path.name}: ")))


def _write(folder: Path, pixels: NDArray[np.uint8], lines: Sequence[Line], parts: dict[str, NDArray[np.int64]],
           progress: Progress) -> None:  # fmt: skip
    total = max(sum(map(len, parts.values())), 1)
    done = 0

    def each(chosen: NDArray[np.int64]) -> Iterator[NDArray[np.uint8]]:
        nonlocal done
        for number in chosen:
            yield pixels[number]
            done += 1
            progress(done / total, lines[number]["file"])

    for name, chosen in parts.items():
        write_split(folder, name, each(chosen), [lines[number] for number in chosen], pixels.shape[1:])


def _works(folders: Sequence[Path], sources: Sequence[_Source]) -> list[dict[str, Any]]:
    """An entry for each given folder and licence: twenty thousand names would say less. Its hash is over its files' hashes."""
    hashes: dict[tuple[int, str], list[str]] = {}
    for root, sha256, licence, *_ in sources:
        hashes.setdefault((root, licence), []).append(sha256)
    return [
        {"name": shown(folders[root].resolve().name), "sha256": hashlib.sha256("".join(sorted(each)).encode()).hexdigest(),
         "licence": licence, "pictures": len(each)}
        for (root, licence), each in sorted(hashes.items())
    ]  # fmt: skip
