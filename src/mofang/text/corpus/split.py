"""Train, validation and test: whole documents, so that nothing tested was learned."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.studio.errors import UserError
from mofang.text.corpus.spool import Spool

TRAIN, VAL, TEST = range(3)


@dataclass(frozen=True)
class Split:
    """Shares of the text for train, validation and test, as in `90/5/5` or `90/10`; how documents fall to them.

    By document, a document's own text and the seed decide where it goes, so a corpus that grows never moves a document
    from test to train. `contiguous` cuts the text in order instead, at the character: first train, then validation.
    """

    shares: tuple[float, float, float] = (0.9, 0.05, 0.05)
    contiguous: bool = False
    seed: int = 0

    @classmethod
    def parse(cls, text: str, contiguous: bool = False, seed: int = 0) -> "Split":
        """From `90/5/5`, `90/10` (no test) or `100` (train only). Raises `UserError`."""
        try:
            numbers = [float(part) for part in text.split("/")]
            total = sum(numbers)
            if (
                not 1 <= len(numbers) <= 3
                or not 0 < total < 1e9
                or any(number < 0 for number in numbers)
                or not numbers[0]
            ):
                raise ValueError
        except ValueError as error:
            raise UserError(
                f"'{text}' is no split; write the shares of train, validation and test as 90/5/5 or 90/10"
            ) from error
        first, second, third = (*(number / total for number in numbers), 0.0, 0.0)[:3]
        return cls((first, second, third), contiguous, seed)


def assign(
    digests: NDArray[np.uint64], clusters: NDArray[np.int64], characters: NDArray[np.int64], split: Split
) -> NDArray[np.int8]:
    """Which split each document goes to, (documents,) of TRAIN, VAL, TEST.

    `clusters` (documents,) numbers groups of documents alike, which stay together; `digests` of each document's text.
    Where so few documents leave a split empty, documents are dealt out by size in the order of their hashes.
    """
    names, place = np.unique(clusters, return_inverse=True)
    first = np.full(len(names), len(digests), np.int64)
    np.minimum.at(first, place, np.arange(len(digests)))
    keys = _mix(digests[first] ^ np.uint64((split.seed * 0x9E3779B97F4A7C15) & (1 << 64) - 1))
    unit = keys / 2.0**64
    train, val, _ = split.shares
    group = np.where(unit < train, TRAIN, np.where(unit < train + val, VAL, TEST)).astype(np.int8)
    wanted = [part for part, share in enumerate(split.shares) if share > 0]
    if not set(wanted) <= set(group.tolist()):
        group = _by_size(keys, np.bincount(place, characters, len(names)).astype(np.float64), split)
    return group[place]


def _by_size(keys: NDArray[np.uint64], sizes: NDArray[np.float64], split: Split) -> NDArray[np.int8]:
    group = np.full(len(keys), TRAIN, np.int8)
    order = np.argsort(keys)
    total, place = sizes.sum(), 0
    for part in (VAL, TEST):
        share, filled = split.shares[part] * total, 0.0
        # Train keeps at least one group; a split asked for gets one even if that is more than its share.
        while (
            share > 0
            and filled < share
            and place < len(order) - 1
            and (not filled or filled + sizes[order[place]] <= share * 1.5)
        ):
            group[order[place]] = part
            filled += sizes[order[place]]
            place += 1
    return group


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser: every bit of the result depends on every bit given."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@dataclass(frozen=True)
class Stretches:
    """Which stretch of which part goes where: columns of equal length, in the order of the corpus. `start` and `stop` in
    characters of the part; `ends` where a document ends with the stretch."""

    part: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    group: NDArray[np.int8]
    ends: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.part)

    def take(self, which: NDArray[Any] | slice) -> "Stretches":
        """Some of them, by mask, numbers or slice."""
        return Stretches(self.part[which], self.start[which], self.stop[which], self.group[which], self.ends[which])


def stretches(spool: Spool, kept: NDArray[np.bool_], clusters: NDArray[np.int64], split: Split) -> Stretches:
    """The kept parts, dealt out to train, validation and test. `clusters` numbers groups of documents that belong together,
    (documents,). Fewer than three groups cannot be dealt out: the text is then cut in order."""
    parts = np.flatnonzero(kept)
    documents, lengths = spool.documents[parts], spool.characters[parts]
    ends = np.append(documents[1:] != documents[:-1], True)
    names, first, place = np.unique(documents, return_index=True, return_inverse=True)
    if split.contiguous or len(np.unique(clusters[names])) < 3:
        return _in_order(parts, lengths, ends, split)
    group = assign(spool.digests[parts][first], clusters[names], np.bincount(place, lengths), split)[place]
    return Stretches(parts, np.zeros(len(parts), np.int64), lengths, group, ends)


def _in_order(parts: NDArray[np.int64], lengths: NDArray[np.int64], ends: NDArray[np.bool_], split: Split) -> Stretches:
    edge = np.concatenate([[0], np.cumsum(lengths)])
    total = int(edge[-1])
    train, val, test = split.shares
    first = max(1, int(total * train))
    second = max(first, int(total * (train + val))) if test else total
    points = np.unique(np.concatenate([edge, [first, second]]))
    begin, stop = points[:-1], points[1:]
    owner = np.searchsorted(edge, begin, "right") - 1
    group = np.where(begin < first, TRAIN, np.where(begin < second, VAL, TEST)).astype(np.int8)
    return Stretches(
        parts[owner], begin - edge[owner], stop - edge[owner], group, ends[owner] & (stop == edge[owner + 1])
    )
