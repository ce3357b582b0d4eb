"""What of the works travels with a model: enough to know their lines again, too little to read them.

A set of 64-bit hashes of every line (the words between two punctuation marks), reduced to `n · 2¹⁰` values and stored as an
Elias–Fano sequence (Elias, J. ACM 21(2), 1974; Fano, MIT memorandum 61, 1971): twelve bits a line, whatever its length. A line
that is not in the works is taken for one of theirs once in 1,024 times.
"""

import hashlib
import re
import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.studio.atomic import write_atomic
from mofang.studio.errors import UserError
from mofang.text.evaluate.copying import Span
from mofang.text.evaluate.folding import fold, folded, unfold
from mofang.text.language import han_count

NAME = "copies.bin"
MAGIC = b"MOFANGCP"
VERSION = 1
LOW_BITS = 10
LARGEST = 64 << 20
"""Bytes: forty million lines. A larger file is something else."""

HAN_LINE, OTHER_LINE = 5, 20
"""Letters a line must have to be worth knowing again: a verse of five, or some four words."""

_LINE = re.compile(r"[^\n\r\0.,;:!?…—，。、；：！？（）()《》〈〉「」『』“”\"\[\]【】]+")


class Fingerprint:
    """The lines of the works, as a set that may err by one in a thousand."""

    def __init__(self, values: NDArray[np.uint64], universe: int) -> None:
        """`values`: hashes reduced to less than `universe`, sorted, each once."""
        self._values, self._universe = values, universe

    @classmethod
    def of(cls, documents: Iterable[str]) -> "Fingerprint":
        """The fingerprint of `documents`. Lines too short to be anyone's are left out."""
        lines = (line for document in documents for line in _LINE.findall(document))
        words = (word for batch in folded(lines) for word in unfold(batch).split("\0"))
        hashes = np.unique(np.fromiter((_hash(word) for word in words if is_line(word)), np.uint64))
        universe = len(hashes) << LOW_BITS
        return cls(np.unique(hashes % np.uint64(max(universe, 1))), universe)

    def spans(self, text: str, least: int = 0) -> list[Span]:
        """Lines of `text` that stand in the works, of at least `least` letters; where they stand is not known."""
        lines = list(_LINE.finditer(text))
        words = unfold(fold("\0".join(line[0] for line in lines))[0]).split("\0")
        known = [(line, word) for line, word in zip(lines, words, strict=True)
                 if is_line(word) and len(word) >= least and self.has(word)] if lines else []  # fmt: skip
        return [Span(*_trimmed(line), len(word)) for line, word in known]

    def has(self, word: str) -> bool:
        """Whether the works have this folded line."""
        if not self._universe:
            return False
        wanted = np.uint64(_hash(word) % self._universe)
        at = int(np.searchsorted(self._values, wanted))
        return at < len(self._values) and bool(self._values[at] == wanted)

    # -- the file ----------------------------------------------------------------------------------------------------------

    def save(self, folder: Path) -> Path:
        """Write `copies.bin` beside the weights."""
        count, high = len(self._values), self._values >> np.uint64(LOW_BITS)
        ones = np.zeros(count + (self._universe >> LOW_BITS), np.uint8)
        ones[high.astype(np.int64) + np.arange(count)] = 1
        low = (self._values[:, None] >> np.arange(LOW_BITS, dtype=np.uint64)) & np.uint64(1)
        body = _HEAD.pack(VERSION, LOW_BITS, count, self._universe) + np.packbits(ones).tobytes()
        body += np.packbits(low.astype(np.uint8)).tobytes()
        write_atomic(folder / NAME, MAGIC + hashlib.sha256(body).digest()[:8] + body)
        return folder / NAME

    @classmethod
    def open(cls, folder: Path) -> "Fingerprint | None":
        """The fingerprint beside the weights in `folder`, None if there is none. Raises `UserError` if it is damaged."""
        path = folder / NAME
        if not path.is_file():
            return None
        try:
            if path.stat().st_size > LARGEST:
                raise ValueError("too large")
            raw = path.read_bytes()
            check, body = raw[8:16], raw[16:]
            if raw[:8] != MAGIC or hashlib.sha256(body).digest()[:8] != check:
                raise ValueError("its check sum is wrong")
            version, bits, count, universe = _HEAD.unpack_from(body)
            if version != VERSION or bits != LOW_BITS:
                raise ValueError("another version")
            return cls(_decode(np.frombuffer(body, np.uint8, offset=_HEAD.size), count, universe), universe)
        except (OSError, ValueError, struct.error) as error:
            raise UserError(f"{path} is damaged ({error}); remove it, or fetch the model again") from error


_HEAD = struct.Struct("<BBxxIQ")


def is_line(word: str) -> bool:
    """Whether a folded line is long enough to be worth knowing again."""
    return han_count(word) >= HAN_LINE or len(word) >= OTHER_LINE


def _hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _trimmed(line: re.Match[str]) -> tuple[int, int]:
    """Where the line stands without the spaces around it."""
    return line.start() + len(line[0]) - len(line[0].lstrip()), line.end() - len(line[0]) + len(line[0].rstrip())


def _decode(raw: NDArray[np.uint8], count: int, universe: int) -> NDArray[np.uint64]:
    ones = count + (universe >> LOW_BITS)
    if universe % (1 << LOW_BITS) or len(raw) != -(-ones // 8) - (-count * LOW_BITS // 8):
        raise ValueError("wrong size")
    high = np.flatnonzero(np.unpackbits(raw[: -(-ones // 8)])[:ones])
    if len(high) != count:
        raise ValueError("wrong count")
    low = np.unpackbits(raw[-(-ones // 8) :])[: count * LOW_BITS].reshape(count, LOW_BITS)
    values = (high - np.arange(count)).astype(np.uint64) << np.uint64(LOW_BITS)
    values |= (low.astype(np.uint64) << np.arange(LOW_BITS, dtype=np.uint64)).sum(1, dtype=np.uint64)
    return values
