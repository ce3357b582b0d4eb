"""Documents that are nearly the same, found without comparing all with all.

MinHash (Broder 1997) of character shingles, in one permutation (Li, Owen and Zhang 2012) with empty bins filled by rotation
(Shrivastava and Li 2014); candidates by locality-sensitive hashing in bands; then the true Jaccard similarity is taken.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.studio.progress import Progress
from mofang.text.corpus.spool import Spool
from mofang.text.corpus.tally import Tally
from mofang.text.tokenizer.points import points

BINS = 64
BANDS, WIDTH = 21, 3  # bands of so many bins: two documents half alike share one with a chance of 94 %, at 0.6 of 99.4 %
HAN_SHINGLE, SHINGLE = 5, 8
"""Letters in a shingle: Chinese, and others."""
RELATED = 0.4
"""Documents whose signatures agree in this share of bins fall to the same side of the split. A signature is off by 0.06, so
those half alike are caught; of those a fifth alike hardly any."""
HAN_CODE = 0
"""The spool's number for Chinese."""
_EMPTY = np.uint32(0xFFFFFFFF)
_BATCH = 1 << 20
_ROWS = 1 << 16
_ODD = np.uint64(0x9E3779B97F4A7C15)
_FOLDED = 0x32000  # code points above have no letters but private ones


@cache
def _fold() -> NDArray[np.uint32]:
    """Code point → its lower case, or 0 for what is neither letter nor digit."""
    table = np.zeros(_FOLDED, np.uint32)
    for point in range(_FOLDED):
        character = chr(point)
        if character.isalnum():
            table[point] = ord(character.lower()[0])
    return table


def letters(text: str) -> NDArray[np.uint32]:
    """The letters and digits of a text in lower case, as code points: what two texts are compared by."""
    found = points(text)
    folded = _fold()[np.minimum(found, _FOLDED - 1)]
    return folded[folded > 0]


def _mixed(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.uint64]:
    value = left * _ODD + right
    value ^= value >> np.uint64(29)
    value *= np.uint64(0xBF58476D1CE4E5B9)
    value ^= value >> np.uint64(32)
    return value


def shingle_hashes(found: NDArray[np.uint32], size: int) -> NDArray[np.uint64]:
    """A 64-bit hash of the `size` letters from each place on, (letters - size + 1,)."""
    assert size in (HAN_SHINGLE, SHINGLE)
    one = found.astype(np.uint64)
    two = _mixed(one[:-1], one[1:])
    four = _mixed(two[:-2], two[2:])
    return _mixed(four[:-1], one[4:]) if size == HAN_SHINGLE else _mixed(four[:-4], four[4:])


def signatures(texts: Sequence[str], han: Sequence[bool]) -> NDArray[np.uint32]:
    """MinHash signatures, (texts, BINS) uint32. `han` says which texts are Chinese."""
    result = np.full((len(texts), BINS), _EMPTY, np.uint32)
    for chinese in (True, False):
        rows = [row for row, value in enumerate(han) if value == chinese]
        if rows:
            result[rows] = _signatures([texts[row] for row in rows], HAN_SHINGLE if chinese else SHINGLE)
    return result


def _signatures(texts: Sequence[str], size: int) -> NDArray[np.uint32]:
    count = len(texts)
    joined = points("".join(texts))
    folded = _fold()[np.minimum(joined, _FOLDED - 1)]
    owner = np.repeat(np.arange(count, dtype=np.int64), [len(text) for text in texts])[folded > 0]
    joined = folded[folded > 0]
    lengths = np.bincount(owner, minlength=count)
    result = np.full(count * BINS, _EMPTY, np.uint32)
    if len(joined) >= size:
        hashes = shingle_hashes(joined, size)
        within = owner[: len(hashes)] == owner[size - 1 :]
        hashes, owner = hashes[within], owner[: len(hashes)][within]
        # Six bits choose the bin, 32 others are the value that competes in it.
        np.minimum.at(result, owner * BINS + (hashes >> np.uint64(58)).astype(np.int64),
                      (hashes >> np.uint64(20)).astype(np.uint32))  # fmt: skip
    signature = result.reshape(count, BINS)
    for row in np.flatnonzero(lengths < size).tolist():
        signature[row, 0] = hash_of(texts[row])  # too short for a shingle: like only its very self
    return _dense(signature)


def hash_of(text: str) -> int:
    """31 bits of a text's CRC-like hash, the same in every run."""
    import zlib

    return zlib.crc32(text.encode()) >> 1


def _dense(signature: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Empty bins take the value of the next full one, shifted by how far away it is."""
    full = signature != _EMPTY
    if full.all():
        return signature
    result = signature.copy()
    for distance in range(1, BINS):
        holes = result == _EMPTY
        if not holes.any():
            break
        borrowed = np.roll(signature, -distance, axis=1)
        usable = holes & (borrowed != _EMPTY)
        result[usable] = borrowed[usable] + np.uint32(distance * 0x9E3779B1 & 0xFFFFFFFF)
    return result


class Signer:
    """Signs parts as they come and keeps the signatures on disk, 256 bytes a part."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("w+b")
        self._texts: list[str] = []
        self._han: list[bool] = []
        self._size = 0

    def add(self, text: str, han: bool) -> None:
        """The next part."""
        self._texts.append(text)
        self._han.append(han)
        self._size += len(text)
        if self._size >= _BATCH:
            self._flush()

    def rewind(self, length: int) -> None:
        """Forget every part from number `length` on."""
        self._flush()
        self._file.seek(length * BINS * 4)
        self._file.truncate()

    def _flush(self) -> None:
        if self._texts:
            self._file.write(signatures(self._texts, self._han).tobytes())
            self._texts, self._han, self._size = [], [], 0

    def take(self, rows: NDArray[np.int64], columns: slice = slice(None)) -> NDArray[np.uint32]:
        """Those columns of the parts' signatures, (rows, columns). The file is mapped only meanwhile: a gigabyte of short
        poems has two gigabytes of signatures."""
        self._flush()
        self._file.flush()
        if not len(rows):
            return np.zeros((0, BINS), np.uint32)[:, columns]
        return np.memmap(self._path, np.uint32, "r").reshape(-1, BINS)[rows, columns]

    def close(self) -> None:
        """Delete the file."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def related_pairs(
    signer: Signer, rows: NDArray[np.int64], least: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pairs (earlier, later) of the given parts, ascending, that share a band and agree in at least `least` of their bins;
    and in how many.

    In each band a part is compared with the first and with the last before it that share the band, so that a thousand
    copies cost a thousand comparisons, not a million.
    """
    pairs = np.zeros(0, np.int64)
    for band in range(BANDS):
        key = _band_keys(signer, rows, band)
        order = np.argsort(key, kind="stable")
        key = key[order]
        same = np.append(False, key[1:] == key[:-1])
        later = np.flatnonzero(same)
        if not len(later):
            continue
        starts = np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))
        found = [(rows[order[earlier]] << np.int64(32)) | rows[order[later]] for earlier in (starts[later], later - 1)]
        pairs = np.union1d(pairs, np.concatenate(found))
    first, second = pairs >> np.int64(32), pairs & np.int64(0xFFFFFFFF)
    agree = np.zeros(len(pairs))
    for start in range(0, len(pairs), _ROWS):
        block = slice(start, start + _ROWS)
        agree[block] = (signer.take(first[block]) == signer.take(second[block])).mean(axis=1)
    enough = agree >= least
    return first[enough], second[enough], agree[enough]


def _band_keys(signer: Signer, rows: NDArray[np.int64], band: int) -> NDArray[np.uint64]:
    """A 64-bit hash of the band of each row, (rows,)."""
    keys = np.empty(len(rows), np.uint64)
    for start in range(0, len(rows), _ROWS):
        block = signer.take(rows[start : start + _ROWS], slice(band * WIDTH, (band + 1) * WIDTH)).astype(np.uint64)
        keys[start : start + _ROWS] = _mixed(_mixed(block[:, 0], block[:, 1]), block[:, 2])
    return keys


def jaccard(one: str, other: str, han: bool) -> float:
    """The share of shingles two texts have in common."""
    size = HAN_SHINGLE if han else SHINGLE
    sets = [
        np.unique(shingle_hashes(found, size)) if len(found := letters(text)) >= size else found
        for text in (one, other)
    ]
    common = len(np.intersect1d(sets[0], sets[1], assume_unique=True))
    return common / max(1, len(sets[0]) + len(sets[1]) - common)


def without_near_duplicates(
    spool: Spool,
    signer: Signer,
    kept: NDArray[np.bool_],
    threshold: float,
    tally: Tally,
    progress: Progress,
) -> NDArray[np.int64]:
    """Take parts as like an earlier one as `threshold` out of `kept` (in place; 0: none), and return each document's
    cluster: the number of the first document it is related to, by however many steps."""
    documents, languages = spool.documents, spool.languages
    cluster = np.arange(int(documents.max(initial=-1)) + 1, dtype=np.int64)
    rows = np.flatnonzero(kept)
    first, second, agree = related_pairs(signer, rows, min(RELATED, threshold or 1.0))
    stands_for: dict[int, int] = {}  # dropped part → the earlier one that is like it

    def root(document: int) -> int:
        while cluster[document] != document:
            cluster[document] = cluster[cluster[document]]
            document = int(cluster[document])
        return document

    for number, (earlier, later, share) in enumerate(zip(first.tolist(), second.tolist(), agree.tolist(), strict=True)):
        one, two = root(int(documents[earlier])), root(int(documents[later]))
        cluster[max(one, two)] = min(one, two)
        # Signatures of 64 bins are off by up to 0.15; the texts themselves decide.
        if not threshold or later in stands_for or share < threshold - 0.15:
            continue
        original = stands_for.get(earlier, earlier)
        text = spool.text(later)
        if jaccard(spool.text(original), text, bool(languages[later] == HAN_CODE)) >= threshold:
            stands_for[later] = original
            kept[later] = False
            tally.drop("near-duplicate document", text[:400], len(text))
        if number % 256 == 0:
            progress(0.2 + 0.8 * number / len(first), "")
    while (further := cluster[cluster] != cluster).any():
        cluster[further] = cluster[cluster[further]]
    return cluster
