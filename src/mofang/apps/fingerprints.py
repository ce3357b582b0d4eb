"""The creator's recordings and published pieces as an index of fingerprints, and what of a sound is found in them."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mofang.sound import pcm
from mofang.sound.fingerprint import RATE, Match, Print, fingerprint, match
from mofang.studio import Studio, UserError
from mofang.studio.atomic import atomic
from mofang.studio.works import all_works
from mofang.trust import Receipt, has_audio_label, ledger
from mofang.trust.labels import rhythm

SOUNDS = (".wav", ".flac", ".mp3", ".m4a", ".m4b", ".opus", ".aac")
FILMS = (".mp4", ".m4v", ".mov", ".webm", ".mkv")
LONGEST = 13 * 3600
"""Seconds of a published sound."""
PIECES = "fingerprints"
"""In the studio, not in its cache: a piece that was sent away cannot be listened to again."""
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
        _write(kept, made)
        found[str(work.path)] = made
    return found


def _write(path: Path, made: Print) -> None:
    with atomic(path, ".npy") as temporary, temporary.open("wb") as file:
        np.save(file, np.stack([made.hashes.astype(np.int64), made.times.astype(np.int64)]), allow_pickle=False)


def _opened(path: Path) -> Print:
    both = np.load(path, allow_pickle=False)
    if both.ndim != 2 or both.shape[0] != 2 or both.dtype != np.int64:
        raise ValueError("no fingerprint")
    return Print(both[0].astype(np.uint32), both[1].astype(np.int32))


def _heard(path: Path, longest: float = 3 * 3600) -> Print:
    """The fingerprint of a file without the rhythm that says it was generated, which is the same in all that were."""
    samples = pcm.read(path, RATE, longest=longest)
    if has_audio_label(samples, RATE):
        samples[: len(rhythm(RATE))] = 0
    return fingerprint(samples, RATE)


def remember(studio: Studio, receipt: Receipt) -> None:
    """Keep the fingerprint of a published file that holds sound. The file is out already: what goes wrong here is no reason to
    say that it is not."""
    if receipt.path.suffix.lower() in (*SOUNDS, *FILMS):
        with suppress(UserError):
            heard = _heard(receipt.path, LONGEST)
            _write(studio.folder / PIECES / f"{receipt.produce_id}.npy", heard)


def published(studio: Studio) -> dict[str, Print]:
    """The fingerprint of every published piece by its number in the ledger; damaged ones are left out."""
    found = {}
    for path in sorted((studio.folder / PIECES).glob("*.npy")):
        with suppress(OSError, ValueError, EOFError):
            found[path.stem] = _opened(path)
    return found


def found_in(studio: Studio, path: Path) -> list[Match]:
    """The works and published pieces of which a part is heard in the file at `path`. Raises `UserError` if it holds no sound."""
    heard = _heard(path)
    pieces = [replace(each, name=_called(studio, each.name)) for each in match(heard, published(studio))]
    return sorted([*match(heard, known(studio)), *pieces], key=lambda each: -each.hashes)


def _called(studio: Studio, number: str) -> str:
    line = ledger.find(studio.folder, "produceId", number) or {}
    return f"{line.get('file', number)} ({str(line.get('time', ''))[:10]})"


def facts(studio: Studio, path: Path) -> dict[str, Any]:
    """What a published file says of it: nothing where the studio has no recordings, else how many were compared and what was
    found, by the works' file names."""
    index = known(studio) if path.suffix.lower() in (*SOUNDS, *FILMS) else {}
    if not index:
        return {}
    try:
        matches = match(fingerprint(pcm.read(path, RATE, longest=LONGEST), RATE), index)
    except UserError:  # A film may be silent.
        return {}
    said = [{"work": Path(each.name).name, "start": each.start, "there": each.there, "seconds": each.seconds, "share": each.share}
            for each in matches]  # fmt: skip
    return {"fingerprints": {"compared": len(index), "matches": said}}
