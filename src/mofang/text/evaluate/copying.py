"""How much of a text stands, letter for letter, in the works a model was trained on, and where.

The works are folded (see `folding`) into one sequence with a suffix array, so that the longest match at every position of a
text is found exactly, however large the works are. Sequences past 16 M letters are indexed in overlapping shards, which
bounds the memory of building to under 700 MB (measured: 40 M characters in 12 s on one core).
"""

import json
import shutil
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mofang.studio.atomic import desk_for
from mofang.studio.errors import UserError
from mofang.studio.progress import Progress, silent
from mofang.text.evaluate.folding import Letters, fold, folded

VERSION = 1
SHARD = 1 << 24
"""Letters sorted at a time."""
OVERLAP = 1 << 12
"""Letters two shards share: a longer match is found in two pieces, which together still cover it."""
CONTEXT = 12
"""Characters shown on either side of a match."""


@dataclass(frozen=True)
class Place:
    """Where a match stands: number of the document in the corpus, characters into it, and its words with their neighbours."""

    document: int
    offset: int
    context: str


@dataclass(frozen=True)
class Span:
    """`text[start:end]` stands in the works; `letters` of it were compared. `place` is one of the places, if it is known."""

    start: int
    end: int
    letters: int
    place: Place | None = None


class Copies(Protocol):
    """What knows the works: the whole of them (`Index`), or the fingerprint that travels with a model (`Fingerprint`)."""

    def spans(self, text: str, least: int) -> list[Span]:
        """Maximal runs of `text` that stand in the works, of at least `least` letters, in order; they may overlap."""


class Index:
    """The works, sorted. Build it once with `build`, open it from its folder ever after."""

    def __init__(self, folder: Path, document: Callable[[int], str] | None = None) -> None:
        """Open an index; `document(number)` gives a document's own text, for `Place`. Raises `UserError` if it is damaged."""
        try:
            facts: dict[str, Any] = json.loads((folder / "index.json").read_text("utf-8"))
            if facts["version"] != VERSION:
                raise ValueError("another version")
            self.key = str(facts["key"])
            self.letters = int(facts["letters"])
            self._alphabet = np.array(facts["alphabet"], np.uint32)
            self._text = _mapped(folder / "text.bin", "<u2" if len(self._alphabet) <= 1 << 16 else "<u4", facts["text"])
            self._suffixes = _mapped(folder / "suffixes.bin", "<i4", facts["suffixes"])
            if len(self._suffixes) != sum(end - start for start, end in _shards(len(self._text))):
                raise ValueError("wrong size")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"the index of copies in {folder} is damaged ({error}); remove that folder") from error
        self._document = document
        self._last: tuple[int, str, NDArray[np.int64]] | None = None

    @classmethod
    def build(cls, documents: Iterable[str], folder: Path, key: str = "", document: Callable[[int], str] | None = None,
              progress: Progress = silent) -> "Index":  # fmt: skip
        """Index `documents` into `folder`, which appears whole or not at all. Raises `UserError` if there is no letter in them."""
        with desk_for(folder) as place:
            desk = place / "index"
            desk.mkdir()
            _write(documents, desk, key, progress)
            if folder.exists():
                shutil.rmtree(folder)
            desk.replace(folder)
        return cls(folder, document)

    def matches(self, text: str) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
        """For each folded letter of `text` (M): length of the longest match that starts there, its place in the works, and
        where in `text` the letter stands."""
        from mofang.text.evaluate.suffixes import longest_matches

        letters, positions = fold(text)
        query = self.encode(letters)
        lengths, places = np.zeros(len(query), np.int32), np.zeros(len(query), np.int64)
        before = 0
        for start, end in _shards(len(self._text)):
            suffixes = self._suffixes[before : before + end - start]
            longest_matches(self._text[start:end], suffixes, query, lengths, places, start)
            before += end - start
        return lengths, places, positions

    def spans(self, text: str, least: int) -> list[Span]:
        """See `Copies`; every span has its place."""
        lengths, places, positions = self.matches(text)
        # The rest of a longer match is no match of its own.
        whole = np.r_[True, lengths[1:] != lengths[:-1] - 1][: len(lengths)]
        found = []
        for at in np.flatnonzero(whole & (lengths >= least)).tolist():
            length = int(lengths[at])
            place = self.place(int(places[at]), length)
            found.append(Span(int(positions[at]), int(positions[at + length - 1]) + 1, length, place))
        return found

    def occurrences(self, letters: NDArray[np.int32], most: int) -> NDArray[np.int64]:
        """Where in `text` these symbols (M,) stand; of more than `most` places, `most` + 1."""
        from mofang.text.evaluate.suffixes import interval

        found, before = [np.zeros(0, np.int64)], 0
        for start, end in _shards(len(self._text)):
            suffixes = self._suffixes[before : before + end - start]
            first, last = interval(self._text[start:end], suffixes, letters)
            found.append(suffixes[first : min(last, first + most + 1)].astype(np.int64) + start)
            before += end - start
        return np.unique(np.concatenate(found))[: most + 1]

    def encode(self, letters: Letters) -> NDArray[np.int32]:
        """Folded letters as symbols of this index; -1 for those the works do not have."""
        symbols = np.searchsorted(self._alphabet, letters).clip(max=len(self._alphabet) - 1)
        return np.where(self._alphabet[symbols] == letters, symbols, -1).astype(np.int32)

    @property
    def text(self) -> NDArray[np.uint16]:
        """The works as symbols; 0 ends a document."""
        return self._text

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """Where in `text` each document ends."""
        return np.flatnonzero(np.asarray(self._text) == 0)

    def place(self, position: int, length: int) -> Place:
        """What stands at `text[position : position + length]`, in the document's own spelling if that is at hand."""
        number = int(np.searchsorted(self.ends, position))
        first = int(self.ends[number - 1]) + 1 if number else 0
        if self._document is not None:
            own, positions = self._own(number)
            if position - first + length <= len(positions):
                start, end = int(positions[position - first]), int(positions[position - first + length - 1]) + 1
                return Place(number, start, own[max(0, start - CONTEXT) : end + CONTEXT])
        begin, end = max(first, position - CONTEXT), min(int(self.ends[number]), position + length + CONTEXT)
        return Place(number, position - first, "".join(map(chr, self._alphabet[self._text[begin:end]])))


    def _own(self, number: int) -> tuple[str, NDArray[np.int64]]:
        """A document's own text and where its letters stand in it; the last one is remembered, for it may be a whole book."""
        if self._last is None or self._last[0] != number:
            assert self._document is not None
            own = self._document(number)
            self._last = number, own, fold(own.replace("\0", " "))[1]
        return self._last[1:]


@dataclass(frozen=True)
class Copying:
    """What a set of texts has in common with the works. `shares` are per text, `longest` is in letters."""

    least: int
    letters: int
    copied: int
    longest: int
    shares: tuple[float, ...]
    spans: tuple[tuple[int, Span], ...]

    @property
    def share(self) -> float:
        """Letters that stand in a copied span, over all letters."""
        return self.copied / self.letters if self.letters else 0.0


def copying(copies: Copies, texts: Sequence[str], least: int, keep: int = 10) -> Copying:
    """Measure `texts` with spans of at least `least` letters; the `keep` longest are kept as (number of the text, span), each
    wording once."""
    shares, found, letters, copied = [], [], 0, 0
    for number, text in enumerate(texts):
        _, positions = fold(text)
        covered = np.zeros(len(positions), bool)
        for span in copies.spans(text, least):
            covered[np.searchsorted(positions, span.start) : np.searchsorted(positions, span.end)] = True
            found.append((number, span))
        letters, copied = letters + len(covered), copied + int(covered.sum())
        shares.append(float(covered.mean()) if len(covered) else 0.0)
    found.sort(key=lambda pair: -pair[1].letters)
    longest = found[0][1].letters if found else 0
    wordings = {texts[number][span.start : span.end]: (number, span) for number, span in reversed(found)}
    return Copying(least, letters, copied, longest, tuple(shares), tuple(reversed(wordings.values()))[:keep])


# -- files -----------------------------------------------------------------------------------------------------------------


def _shards(size: int) -> list[tuple[int, int]]:
    return [(start, min(start + SHARD + OVERLAP, size)) for start in range(0, size, SHARD)]


def _mapped(path: Path, form: str, sum_: int) -> NDArray[Any]:
    data: NDArray[Any] = np.memmap(path, form, "r") if path.stat().st_size else np.zeros(0, form)
    if zlib.crc32(data.data) != sum_:
        raise ValueError(f"{path.name} has changed")
    return data


def _write(documents: Iterable[str], folder: Path, key: str, progress: Progress) -> None:
    from mofang.text.evaluate.suffixes import suffix_array

    points = folder / "points.bin"
    present = np.zeros(0x110000, bool)
    present[0] = True
    with points.open("wb") as file:
        for batch in folded(documents):
            present[batch] = True
            file.write(batch.astype("<u4").tobytes())
            progress(0.0, "reading")
    if present.sum() < 2:
        raise UserError("the corpus has no letters to compare with; prepare one with some text in it")
    alphabet = np.flatnonzero(present)
    form = "<u2" if len(alphabet) <= 1 << 16 else "<u4"
    raw = np.memmap(points, "<u4", "r")
    size = len(raw)
    symbol = np.cumsum(present) - 1
    sums = {"text": 0, "suffixes": 0}
    with (folder / "text.bin").open("wb") as text, (folder / "suffixes.bin").open("wb") as suffixes:
        for start, end in _shards(size):
            shard = symbol[raw[start:end]].astype(np.int32)
            _append(text, shard[:SHARD].astype(form), sums, "text")
            _append(suffixes, suffix_array(shard, len(alphabet)).astype("<i4"), sums, "suffixes")
            progress(end / size, "sorting")
    del raw
    points.unlink()
    facts = {"version": VERSION, "key": key, "letters": size, "alphabet": alphabet.tolist(), **sums}
    (folder / "index.json").write_text(json.dumps(facts), "utf-8")


def _append(file: Any, data: NDArray[Any], sums: dict[str, int], name: str) -> None:
    raw = data.tobytes()
    sums[name] = zlib.crc32(raw, sums[name])
    file.write(raw)
