"""What a jukebox learns from: a folder of recordings as one long sound, each with its style, words, licence and part."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.sound import pcm
from mofang.studio.atomic import atomic_folder, write_atomic
from mofang.studio.errors import UserError
from mofang.studio.given import as_declared
from mofang.studio.library import file_hash
from mofang.studio.progress import Progress, silent
from mofang.studio.words import shown
from mofang.studio.works import KINDS, files_in, must_cover_training, to_learn_from

MANIFEST, SOUND, FORMAT = "jukebox.json", "sound.i16", "mofang-jukebox-1"
SHORTEST = 2.0
"""Seconds of a recording worth learning from."""
QUIETEST = 1e-3
"""Peak below which a recording is silence."""
LONGEST_LYRICS = 64 << 10
MOST = 1 << 34
"""Samples of a corpus: 32 GB."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Take:
    """A recording on its way into a corpus: samples (n,) in [−1, 1], and its papers. `sha256` is of its file, if it has one."""

    samples: Floats
    title: str
    style: str
    licence: str
    lyrics: str = ""
    source: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Entry:
    """A recording in a corpus: its samples are `sound[start : start + length]`; `part` is train or validation."""

    title: str
    style: str
    licence: str
    lyrics: str
    source: str
    sha256: str
    start: int
    length: int
    part: str = "train"


@dataclass(frozen=True, eq=False)
class Corpus:
    """An opened corpus of mono sound at `rate` Hz."""

    folder: Path
    manifest: dict[str, Any]
    entries: tuple[Entry, ...] = field(repr=False)

    @classmethod
    def open(cls, folder: Path) -> "Corpus":
        """Raises `UserError` if the folder holds none, or one whose files do not fit together."""
        try:
            manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
            entries = tuple(Entry(**entry) for entry in manifest["recordings"])
            if manifest["format"] != FORMAT or type(manifest["rate"]) is not int or not 8000 <= manifest["rate"] <= 48_000:
                raise ValueError("another format")
            if not re.fullmatch("[0-9a-f]{64}", manifest["data_sha256"]) or not all(map(as_declared, entries)):
                raise ValueError("its hash or a recording's papers are none")
            float(manifest["seconds"])
            count, half = divmod((folder / SOUND).stat().st_size, 2)
            outside = any(entry.start < 0 or entry.length < 1 or entry.start + entry.length > count for entry in entries)
            if half or outside or {entry.part for entry in entries} != {"train", "validation"}:
                raise ValueError("its files do not fit together")
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            why = str(error)[:80]
            raise UserError(f"{folder} holds no recordings to learn from ({why}); make it with: mofang jukebox prepare") from error
        return cls(folder, manifest, entries)

    @cached_property
    def sound(self) -> NDArray[np.int16]:
        """All samples, mapped from disk."""
        return np.memmap(self.folder / SOUND, "<i2", "r")

    @property
    def rate(self) -> int:
        """Samples a second."""
        return int(self.manifest["rate"])

    @property
    def styles(self) -> tuple[str, ...]:
        """The styles there are, by name."""
        return tuple(sorted({entry.style for entry in self.entries}))

    def samples(self, entry: Entry, start: int = 0, count: int | None = None) -> Floats:
        """The samples of a recording, or `count` of them from `start`, as far as there are."""
        end = entry.length if count is None else min(entry.length, start + count)
        return self.sound[entry.start + start : entry.start + end].astype(np.float32) / np.float32(32768)

    def part(self, name: str) -> list[Entry]:
        """The recordings of a part."""
        return [entry for entry in self.entries if entry.part == name]


def write(folder: Path, takes: Iterable[Take], rate: int, facts: dict[str, Any]) -> Corpus:
    """Write a corpus, whole or not at all, and open it. Takes are read one by one, so memory stays small.

    One recording in twelve, by a hash of its sound, is held out, at least one; of a single recording, its last tenth. Raises
    `UserError` if nothing is left.
    """
    digest, at, entries = sha256(), 0, list[Entry]()
    seen: set[str] = set()
    with atomic_folder(folder, MANIFEST) as desk:
        with (desk / SOUND).open("wb") as sound:
            for take in takes:
                data = np.clip(np.round(take.samples * 32767), -32768, 32767).astype("<i2").tobytes()
                mark = sha256(data).hexdigest()
                if mark in seen:
                    continue
                seen.add(mark)
                sound.write(data)
                digest.update(data)
                part = "validation" if int(mark[:8], 16) % 12 == 0 else "train"
                count = len(take.samples)
                entries.append(Entry(take.title[:200], take.style, take.licence, take.lyrics, take.source, take.sha256, at, count,
                                     part))  # fmt: skip
                at += count
                if at > MOST:
                    raise UserError("more than 32 GB of sound; prepare fewer recordings")
        if not entries:
            raise UserError("nothing was left to learn from; give recordings of music, two seconds long or more")
        entries = _both_parts(entries)
        manifest = {"format": FORMAT, "rate": rate, "seconds": round(at / rate, 2), **facts, "data_sha256": digest.hexdigest(),
                    "recordings": [asdict(entry) for entry in entries]}  # fmt: skip
        write_atomic(desk / MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=0) + "\n")
    return Corpus.open(folder)


def _both_parts(entries: list[Entry]) -> list[Entry]:
    if len({entry.part for entry in entries}) == 2:
        return entries
    *others, last = entries
    if others:
        return [*(Entry(**{**asdict(each), "part": "train"}) for each in others), Entry(**{**asdict(last), "part": "validation"})]
    cut = last.length * 9 // 10
    return [Entry(**{**asdict(last), "part": "train", "length": cut}),
            Entry(**{**asdict(last), "part": "validation", "start": last.start + cut, "length": last.length - cut})]  # fmt: skip


def prepare(paths: Iterable[Path], out: Path, *, rate: int = 16_000, style: str = "", licence: str = "LicenseRef-own",
            studio: Path | None = None, progress: Progress = silent) -> Corpus:  # fmt: skip
    """A corpus of the recordings in files and folders. What cannot be used is named in the manifest's `passed_over`.

    A recording's style is `style`, or the name of the folder it lies in; its words are in NAME.txt beside it, if that is there.
    Raises `UserError` for a recording whose consent does not cover training: that is not for us to pass over.
    """
    found, passed = list(_files(paths)), list[str]()
    known = to_learn_from(studio)

    def takes() -> Iterator[Take]:
        for number, (path, folder) in enumerate(found):
            progress(number / len(found), path.name)
            mark = file_hash(path)
            work = known.get(mark) or known.get(str(path.resolve()))
            if work is not None:
                must_cover_training(work, path.name, "recording")
            try:
                samples = pcm.read(path, rate)
                _usable(path, samples, rate)
                words = _lyrics(path)
            except UserError as error:
                passed.append(str(error))
                continue
            own_style = style or (path.parent.name if path.parent != folder else folder.name) or "own"
            yield Take(samples, shown(path.stem), shown(own_style[:60]), work.licence if work else licence, words, shown(path.name),
                       mark)  # fmt: skip

    if not found:
        raise UserError("there is no recording there; give audio files (WAV, MP3, FLAC, M4A, OGG…) or folders of them")
    try:
        made = write(out, takes(), rate, {"passed_over": passed})
    except UserError as error:
        raise UserError(f"{error}; the first passed over: {passed[0]}" if passed else str(error)) from error
    progress(1.0, "done")
    return made


def still_covered(corpus: Corpus, studio: Path | None) -> None:
    """Raise `UserError` if the consent for a recording in a corpus has ended or been taken back since it was prepared."""
    known = to_learn_from(studio)
    for entry in corpus.entries:
        if entry.sha256 in known:
            must_cover_training(known[entry.sha256], entry.source or entry.title, "recording")


def _files(paths: Iterable[Path]) -> Iterator[tuple[Path, Path]]:
    for path in paths:
        if not path.exists():
            raise UserError(f"{path} does not exist; give audio files or folders of them")
        if path.is_file():
            yield path, path.parent
            continue
        yield from ((file, path) for file in sorted(files_in(path)) if file.suffix.lower() in KINDS["audio"])


def _usable(path: Path, samples: Floats, rate: int) -> None:
    if len(samples) < SHORTEST * rate:
        raise UserError(f"{path} lasts {len(samples) / rate:.1f} s; give recordings of {SHORTEST:.0f} seconds or more")
    if float(np.abs(samples).max()) < QUIETEST:
        raise UserError(f"{path} is silent; leave it out or record it again")


def _lyrics(path: Path) -> str:
    beside = path.with_suffix(".txt")
    if not beside.is_file():
        return ""
    try:
        if beside.stat().st_size > LONGEST_LYRICS:
            raise UserError(f"{beside} is longer than any lyrics; give the words of this piece alone")
        return beside.read_text("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{beside} is no UTF-8 text; save the lyrics as UTF-8") from error
