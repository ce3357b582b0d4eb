"""A dataset of pictures on disk.

A folder with `dataset.json` (what it is and came from), shards of pixels `train-0000.npy`, `val-0000.npy` … (uint8,
(pictures, size, size, channels), straight alpha) that are mapped and not loaded, and beside them `train.jsonl` and
`val.jsonl`, a line for each picture: {"file", "caption": {"zh", "en"} or {"": words}, "style", "subject", "group"}.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.studio.errors import UserError
from mofang.studio.given import is_there

MANIFEST, VERSION = "dataset.json", 1
SPLITS = ("train", "val")
SHARD = 4096
"""Pictures of the largest shard."""
SIZES = (8, 1024)
"""Pixels of a side: the smallest and the largest that are understood."""
LARGEST_LINES = 1 << 28
"""Bytes of lines that are read; 20,000 pictures need about five million."""

Line = dict[str, Any]


class Split:
    """The pictures of one part: `size` pixels a side, `channels` 3 or 4, and a dictionary of facts for each in `lines`."""

    def __init__(self, shards: Sequence[NDArray[np.uint8]], lines: list[Line], size: int, channels: int) -> None:
        self.lines, self.size, self.channels = lines, size, channels
        self._shards = list(shards)
        self._starts = np.cumsum([0, *map(len, self._shards)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def take(self, indices: NDArray[np.integer]) -> NDArray[np.uint8]:
        """The pictures of these numbers, (B, size, size, channels)."""
        indices = np.asarray(indices)
        if indices.size and (indices.min() < 0 or indices.max() >= len(self)):
            raise IndexError(f"pictures are numbered 0 to {len(self) - 1}")
        out = np.empty((len(indices), self.size, self.size, self.channels), np.uint8)
        where = np.searchsorted(self._starts, indices, "right") - 1
        for shard in np.unique(where):
            rows = where == shard
            out[rows] = self._shards[shard][indices[rows] - self._starts[shard]]
        return out

    def batches(self, size: int, most: int | None = None) -> Iterator[NDArray[np.uint8]]:
        """All pictures, or `most` of them evenly spread, `size` at a time."""
        count = len(self) if most is None else min(most, len(self))
        chosen = np.arange(count) * len(self) // max(count, 1)
        for start in range(0, count, size):
            yield self.take(chosen[start : start + size])


@dataclass(frozen=True)
class Pictures:
    """A dataset: `size` pixels a side, `channels` 3 or 4 (straight alpha), and `manifest`, what `dataset.json` says."""

    folder: Path
    size: int
    channels: int
    manifest: dict[str, Any]

    @classmethod
    def open(cls, folder: Path) -> "Pictures":
        """The dataset in `folder`. Raises `UserError` for one that is damaged or none."""
        path = folder / MANIFEST
        if not (is_there(path) and path.is_file()):
            where = str(folder)[:200]
            raise UserError(f"{where} is no dataset of pictures; make one with: mofang image prepare DIR --out {where}")
        try:
            if path.stat().st_size > LARGEST_LINES:
                raise ValueError("it is far too long")
            manifest = json.loads(path.read_text("utf-8"))
            size, channels = manifest["size"], manifest["channels"]
            counts = manifest["counts"]
            right = (
                manifest["version"] == VERSION and type(size) is int and SIZES[0] <= size <= SIZES[1]
                and channels in (3, 4) and all(type(counts[name]) is int and counts[name] >= 0 for name in SPLITS)
            )  # fmt: skip
            if not right:
                raise ValueError("its numbers make no sense, or another version wrote it")
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise UserError(f"{path} cannot be used ({error}); prepare the dataset again") from error
        return cls(folder, size, channels, manifest)

    def split(self, name: str) -> Split:
        """The `train` or `val` pictures. Raises `UserError` for shards that are cut short or of another shape."""
        assert name in SPLITS, name
        count = self.manifest["counts"][name]
        shards, left = [], count
        for number in range(-(-count // SHARD)):
            rows = min(left, SHARD)
            shards.append(self._shard(shard_name(name, number), rows))
            left -= rows
        return Split(shards, self._lines(name, count), self.size, self.channels)

    def _shard(self, name: str, rows: int) -> NDArray[np.uint8]:
        path = self.folder / name
        try:
            if not path.is_file():  # Nothing is waited for at a pipe.
                raise FileNotFoundError(path)
            shard = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError, SyntaxError, RecursionError, MemoryError) as error:
            raise UserError(f"{path} is damaged or missing; prepare the dataset again") from error
        if not isinstance(shard, np.memmap) or shard.dtype != np.uint8 or shard.shape != (rows, self.size, self.size, self.channels):
            raise UserError(f"{path} does not hold what {MANIFEST} says; prepare the dataset again")
        return shard

    def _lines(self, name: str, count: int) -> list[Line]:
        path = self.folder / f"{name}.jsonl"
        try:
            if not path.is_file():
                raise ValueError("it is missing")
            if path.stat().st_size > LARGEST_LINES:
                raise ValueError("it is far too long")
            lines = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
            if len(lines) != count or not all(isinstance(line, dict) and isinstance(line.get("caption"), dict) for line in lines):
                raise ValueError(f"it has not the {count} lines it should have")
        except (OSError, ValueError, RecursionError) as error:
            raise UserError(f"{path} cannot be used ({error}); prepare the dataset again") from error
        return lines


def shard_name(split: str, number: int) -> str:
    """The file of a shard."""
    return f"{split}-{number:04}.npy"


def write_split(
    folder: Path, name: str, pictures: Iterator[NDArray[np.uint8]], lines: Sequence[Line], shape: tuple[int, ...]
) -> None:
    """Write the shards and lines of one split; `pictures` gives as many of `shape` (size, size, channels) as there are lines."""
    for number, start in enumerate(range(0, len(lines), SHARD)):
        rows = min(SHARD, len(lines) - start)
        # The header, then picture after picture: a mapping would keep all of them in memory until they are flushed.
        with (folder / shard_name(name, number)).open("wb") as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": (rows, *shape)}
            np.lib.format.write_array_header_1_0(file, header)
            for _ in range(rows):
                file.write(next(pictures).tobytes())
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (folder / f"{name}.jsonl").write_text(text, "utf-8", newline="\n")


def digest(folder: Path) -> str:
    """SHA-256 over the shards of all splits, in order."""
    whole = hashlib.sha256()
    for name in SPLITS:
        for path in sorted(folder.glob(f"{name}-*.npy")):
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    whole.update(block)
    return whole.hexdigest()
