"""What a music model learns from: a folder of tokenised pieces, each with its style, licence and part of the split."""

import hashlib
import json
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.sound.music import tokens
from mofang.sound.music.score import Score
from mofang.studio.atomic import atomic_folder
from mofang.studio.errors import UserError
from mofang.studio.given import as_declared
from mofang.studio.works import must_cover_training, to_learn_from

MANIFEST, TOKENS = "music.json", "tokens.npy"
FEWEST = 8
"""Events of a piece worth learning from."""
PARTS = ("train", "validation", "test")
MOST_TOKENS = 1 << 30


@dataclass(frozen=True)
class Piece:
    """One piece: where it came from, and on what terms. `part` is train, validation or test; empty: by its notes. `sha256` is of
    its file, if it has one."""

    score: Score
    source: str
    licence: str
    part: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Entry:
    """A piece in the folder: its events are `tokens[start : start + length]`."""

    title: str
    style: str
    source: str
    licence: str
    part: str
    start: int
    length: int
    sha256: str = ""


@dataclass(frozen=True, eq=False)
class Data:
    """Tokenised pieces, opened."""

    folder: Path
    tokens: NDArray[np.uint16]
    entries: tuple[Entry, ...]
    manifest: dict[str, Any]

    def pieces(self, part: str, style: str = "") -> list[NDArray[np.uint16]]:
        """The pieces of a part of the split (and of a style), as ids."""
        return [self.tokens[entry.start : entry.start + entry.length] for entry in self.entries
                if entry.part == part and style in ("", entry.style)]  # fmt: skip


def melody_hash(score: Score) -> int:
    """A number alike for pieces whose first track has the same intervals: variants must not be split apart."""
    pitches = [note.pitch for note in score.tracks[0].notes]
    return zlib.crc32(bytes((b - a) % 256 for a, b in pairwise(pitches)))


def write(folder: Path, pieces: Iterable[Piece], about: dict[str, Any]) -> Data:
    """Tokenise `pieces` into `folder`. Pieces without a part go one in twenty to validation, one in twenty to test.

    Exact repeats (in any key) are kept once; what the vocabulary has no words for is counted and left out. Raises `UserError`
    if nothing is left to learn from.
    """
    every: list[NDArray[np.uint16]] = []
    entries: list[Entry] = []
    seen: set[tuple[str, int]] = set()
    at, left_out, repeated = 0, 0, 0
    for piece in pieces:
        score, mark = piece.score, melody_hash(piece.score) if piece.score.tracks else 0
        if (score.style, mark) in seen:
            repeated += 1
            continue
        try:
            ids = tokens.encode(score)
        except ValueError:
            left_out += 1
            continue
        if len(ids) < FEWEST:
            left_out += 1
            continue
        seen.add((score.style, mark))
        part = piece.part or ("validation" if mark % 20 == 0 else "test" if mark % 20 == 1 else "train")
        entries.append(Entry(score.title[:120], score.style or "own", piece.source, piece.licence, part, at, len(ids), piece.sha256))
        every.append(ids)
        at += len(ids)
    if not any(entry.part == "train" for entry in entries):
        raise UserError(f"there is nothing to learn from ({left_out} pieces left out); give MIDI files with notes in a usual metre")
    if all(entry.part == "train" for entry in entries):
        if len(entries) < 2:
            raise UserError("one piece cannot be learned from and judged by; give two or more")
        entries[-1] = Entry(**{**asdict(entries[-1]), "part": "validation"})
    stream = np.concatenate(every)
    manifest = {**about, "vocabulary": tokens.VOCABULARY, "left_out": left_out, "repeated": repeated,
                "sha256": hashlib.sha256(stream.tobytes()).hexdigest(), "pieces": [asdict(entry) for entry in entries]}  # fmt: skip
    with atomic_folder(folder, MANIFEST) as staging:
        np.save(staging / TOKENS, stream)
        (staging / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=0) + "\n", "utf-8")
    return Data(folder, stream, tuple(entries), manifest)


def open_data(folder: Path) -> Data:
    """The data in `folder`. Raises `UserError`."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        with (folder / TOKENS).open("rb") as file:
            np.lib.format.read_magic(file)  # Not an archive, which has no length.
        stream = np.load(folder / TOKENS, allow_pickle=False, mmap_mode="r")
        entries = tuple(Entry(**entry) for entry in manifest["pieces"])
        if manifest["vocabulary"] != tokens.VOCABULARY or stream.dtype != np.uint16 or stream.ndim != 1 or len(stream) > MOST_TOKENS:
            raise ValueError("another vocabulary")
        if not any(entry.part == "train" for entry in entries):
            raise ValueError("no piece to learn from")
        if not all(map(as_declared, entries)):
            raise ValueError("pieces whose papers are none")
        if any(entry.start < 0 or entry.length < 1 or entry.start + entry.length > len(stream) for entry in entries):
            raise ValueError("pieces that lie outside it")
        whole = np.array(stream)
        if len(whole) and int(whole.max()) >= tokens.VOCABULARY:
            raise ValueError("events outside the vocabulary")
        if hashlib.sha256(whole.tobytes()).hexdigest() != manifest["sha256"]:
            raise ValueError("other events than were prepared")
        if any(not _whole(whole[entry.start : entry.start + entry.length]) for entry in entries):
            raise ValueError("pieces without a beginning or an end")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{folder} holds no music to learn from ({str(error)[:80]}); make it with: mofang music prepare") from error
    return Data(folder, whole, entries, manifest)


def still_covered(data: Data, studio: Path | None) -> None:
    """Raise `UserError` if the consent for a score in the data has ended or been taken back since it was prepared."""
    known = to_learn_from(studio)
    for entry in data.entries:
        if entry.sha256 in known:
            must_cover_training(known[entry.sha256], entry.source or entry.title, "score")


def _whole(piece: NDArray[np.uint16]) -> bool:
    """Whether events begin as a piece does, have bars, and end."""
    return tokens.KIND_OF[piece[0]] == "task" and tokens.BAR in piece and int(piece[-1]) == tokens.END
