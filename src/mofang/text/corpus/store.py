"""A corpus on disk: a manifest, a tokenizer, and one file of tokens for each split."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mofang.studio.errors import UserError
from mofang.text.tokenizer import Tokenizer

Part = Literal["train", "val", "test"]
PARTS: tuple[Part, ...] = get_args(Part)
MANIFEST = "corpus.json"
VERSION = 1


def dtype_for(vocabulary: int) -> np.dtype[Any]:
    """Little-endian uint16 for up to 65,536 tokens, else uint32."""
    return np.dtype("<u2") if vocabulary <= 1 << 16 else np.dtype("<u4")


class Corpus:
    """A prepared corpus, opened for reading; its tokens stay on disk.

    `manifest` is `corpus.json`: version, options, counts for each split {documents, tokens, characters, bytes},
    languages, works and the SHA-256 of the data.
    """

    def __init__(self, folder: Path, manifest: dict[str, Any], tokenizer: Tokenizer) -> None:
        self.folder, self.manifest, self.tokenizer = folder, manifest, tokenizer
        self._dtype = dtype_for(tokenizer.size)

    @classmethod
    def open(cls, folder: Path) -> "Corpus":
        """Open a folder made by `mofang text prepare`. Raises `UserError` for one that is missing, foreign or damaged."""
        path = folder / MANIFEST
        try:
            manifest = json.loads(path.read_bytes())
            version, splits = manifest["version"], manifest["splits"]
            expected = {part: int(splits[part]["tokens"]) for part in PARTS}
            sizes = {part: (folder / f"{part}.bin").stat().st_size for part in PARTS}
        except (FileNotFoundError, NotADirectoryError) as error:
            works, out = (folder, folder.with_suffix("")) if folder.is_file() else ("WORKS", folder)
            raise UserError(f"{folder} is no prepared corpus; make one with: mofang text prepare {works} --out {out}") from error
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UserError(f"{path} is damaged; prepare the corpus again") from error
        if version != VERSION:
            raise UserError(f"{folder} was prepared by another version of Mofang ({version!s:.20}); prepare it again")
        corpus = cls(folder, manifest, Tokenizer.load(folder))
        for part in PARTS:
            if sizes[part] != expected[part] * corpus._dtype.itemsize:
                raise UserError(f"{folder / part}.bin is cut off or damaged; prepare the corpus again")
        return corpus

    def tokens(self, split: str) -> NDArray[Any]:
        """The ids of a split, (tokens,) uint16 or uint32, mapped from disk. Each document is followed by `tokenizer.end`."""
        assert split in PARTS, split
        if not self.manifest["splits"][split]["tokens"]:
            return np.zeros(0, self._dtype)
        return np.memmap(self.folder / f"{split}.bin", self._dtype, "r")

    def size_bytes(self, split: str) -> int:
        """The UTF-8 bytes of a split's text: what bits per byte are counted over."""
        return int(self.manifest["splits"][split]["bytes"])

    def documents(self, split: str) -> Iterator[str]:
        """The texts of a split, one document at a time."""
        tokens, block, kept = self.tokens(split), 1 << 20, []
        for start in range(0, len(tokens), block):
            ids = np.asarray(tokens[start : start + block])
            begin = 0
            for place in np.flatnonzero(ids == self.tokenizer.end):
                kept.append(ids[begin:place])
                yield self.tokenizer.decode(np.concatenate(kept).tolist())
                kept, begin = [], int(place) + 1
            kept.append(ids[begin:])
        if sum(map(len, kept)):
            yield self.tokenizer.decode(np.concatenate(kept).tolist())


class TokenWriter:
    """Writes one split's tokens; `tokens` counts them."""

    def __init__(self, path: Path, vocabulary: int) -> None:
        self._dtype = dtype_for(vocabulary)
        self._file = path.open("wb")
        self.tokens = 0

    def write(self, ids: NDArray[np.int32]) -> None:
        """Append the ids."""
        self._file.write(ids.astype(self._dtype).tobytes())
        self.tokens += len(ids)

    def close(self) -> None:
        """Flush and close."""
        self._file.close()
