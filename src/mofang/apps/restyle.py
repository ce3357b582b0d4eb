"""A film in the style of a picture."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang import trust
from mofang.apps.export import desk, generated, public, send
from mofang.apps.originals import keep
from mofang.image.edit.film import styled
from mofang.image.safe import open_picture
from mofang.studio import Recipe, Studio, UserError
from mofang.studio.library import file_hash
from mofang.studio.media import open_media
from mofang.studio.words import language
from mofang.trust.credentials import Nature
from mofang.video import probe
from mofang.video.mux import encode, join
from mofang.video.planes import Patch, Planes, convert

ENGINE, VERSION = "restyle", "1"
SUFFIXES = (".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi")
LABELLED = 2.5
"""Seconds a label stays; the standard asks for two."""
LARGEST, LONGEST = 3840 * 2160, 60 * 60 * 10
"""Pixels of a frame, and frames of a film, that are taken on."""


def restyle_to(studio: Studio, film: Path, like: Path, target: Path, mode: str, strength: float, seed: int) -> Path:
    """Write the film in the style of `like` to `target` (MP4), its sound as it is, and publish it. Raises `UserError`."""
    if target.suffix.lower() != ".mp4":
        raise UserError(f"a film is written as .mp4; call it {target.stem}.mp4")
    if not film.is_file():
        raise UserError(f"there is no film {film}; check the name")
    found = probe(film)
    if found.width * found.height > LARGEST or found.frames > LONGEST or min(found.width, found.height) < 16:
        raise UserError(f"{film.name} is too large or too long to be repainted; cut it, or make it smaller")
    manner = keep(studio, like)
    style = (open_picture(manner.asset.path) / np.float32(255)).astype(np.float32)
    full = mode == "full"
    report = trust.verify(film, studio.folder)
    nature: Nature = "compositeSynthetic" if full else "algorithmicallyEnhanced"
    if report.record is not None or generated(manner):
        nature = "compositeWithTrainedAlgorithmicMedia"
    width, height, fps = found.width // 2 * 2, found.height // 2 * 2, max(round(found.fps), 1)
    params = {"mode": mode, "strength": strength, "parents": ["other"], "film": file_hash(film)}
    recipe = Recipe(ENGINE, VERSION, params=params, seed=seed, parents=(manner.asset.id,))
    label = _label(width, height) if nature != "algorithmicallyEnhanced" else None
    shown = 0

    def planes() -> Iterator[Planes]:
        nonlocal shown
        for frame in styled(_frames(film, width, height, fps), style, full, strength, seed):
            made = convert(np.ascontiguousarray(frame))
            if label is not None and shown < LABELLED * fps:
                label.lay_over(made)
            shown += 1
            yield made

    with desk(studio) as place:
        silent, whole = place / "silent.mp4", place / "whole.mp4"
        encode(planes(), silent, width, height, fps, "veryfast", 18, threads=2)
        join([silent], film if found.sound else None, whole, shown, fps)
        claim = trust.Claim(f"{film.stem[:48]} · style", nature, language(), credits=manner.made.credits,
                            facts={"recipe": public(recipe), "files": {"picture": film.name, "other": like.name}})  # fmt: skip
        return send(studio, whole, target, claim)


def _label(width: int, height: int) -> Patch | None:
    overlay = trust.overlay(width, height, language())
    return Patch.of(overlay.image, overlay.x, overlay.y, width, height)


def _frames(film: Path, width: int, height: int, fps: int) -> Iterator[NDArray[np.uint8]]:
    """Frames at an even rate: where the film's own is another, one is shown twice or left out."""
    import av

    try:
        with open_media(film) as container:
            number, start, last = 0, None, None
            for frame in container.decode(video=0):
                time = frame.time or 0.0
                start = time if start is None else start
                rgb = np.asarray(frame.to_ndarray(format="rgb24")[:height, :width], np.uint8)
                while last is not None and (number + 0.5) / fps < time - start:
                    yield last
                    number += 1
                last = rgb
            if last is not None:
                yield last
    except (av.FFmpegError, IndexError, OSError, ValueError) as error:
        raise UserError(f"{film.name} is not a film that can be read to its end; export it again") from error
