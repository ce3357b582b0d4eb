"""The creator's recordings as an index of fingerprints, and what of a sound is found in them."""

from pathlib import Path
from typing import Any

import numpy as np

from mofang.sound import pcm
from mofang.sound.fingerprint import RATE, Match, Print, fingerprint, match
from mofang.studio import Studio, UserError
from mofang.studio.atomic import atomic
from mofang.studio.works import all_works

SOUNDS = (".wav", ".flac", ".mp3", ".m4a", ".m4b", ".opus", ".aac")
FOLDER = "fingerprints-1"
"""In the studio's cache, by the version of the fingerprint."""


def known(studio: Studio) -> dict[str, Print]:
    """The fingerprint of every recording among the works by its path, computed once; what is gone is left out, and what cannot be
    read is like nothing."""
    found: dict[str, Print] = {}
    for work in all_works(studio):
        if work.kind != "audio":
            continue
        kept = studio.folder / "cache" / FOLDER / f"{work.id}.npy"
        try:
            found[str(work.path)] = _opened(kept)
            continue
        except (OSError, ValueError, EOFError):
            pass
        if not work.path.is_file():
            continue
        try:
            made = fingerprint(pcm.read(work.path, RATE), RATE)
        except UserError:  # Remembered too, for it may have taken long to find out.
            made = fingerprint(np.zeros(0, np.float32), RATE)
        with atomic(kept, ".npy") as temporary, temporary.open("wb") as file:
            np.save(file, np.stack([made.hashes.astype(np.int64), made.times.astype(np.int64)]), allow_pickle=False)
        found[str(work.path)] = made
    return found


def _opened(path: Path) -> Print:
    both = np.load(path, allow_pickle=False)
    if both.ndim != 2 or both.shape[0] != 2 or both.dtype != np.int64:
        raise ValueError("no fingerprint")
    return Print(both[0].astype(np.uint32), both[1].astype(np.int32))


def found_in(studio: Studio, path: Path) -> list[Match]:
    """The works of which a part is heard in the recording at `path`. Raises `UserError` if it holds no sound."""
    heard = fingerprint(pcm.read(path, RATE), RATE)
    return match(heard, known(studio))


def facts(studio: Studio, path: Path) -> dict[str, Any]:
    """What a published file says of it: nothing where the studio has no recordings, else how many were compared and what was
    found, by the works' file names."""
    index = known(studio) if path.suffix.lower() in SOUNDS else {}
    if not index:
        return {}
    matches = match(fingerprint(pcm.read(path, RATE, longest=13 * 3600), RATE), index)
    said = [{"work": Path(each.name).name, "start": each.start, "there": each.there, "seconds": each.seconds, "share": each.share}
            for each in matches]  # fmt: skip
    return {"fingerprints": {"compared": len(index), "matches": said}}
