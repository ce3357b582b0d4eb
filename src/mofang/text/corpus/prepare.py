"""The steps from works to a corpus, in order."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mofang import __version__
from mofang.studio.atomic import atomic_folder
from mofang.studio.errors import UserError
from mofang.studio.library import now
from mofang.studio.progress import Progress, Stages
from mofang.text.corpus import sources
from mofang.text.corpus.clean import Cleaner
from mofang.text.corpus.readers import Reading, read
from mofang.text.corpus.sources import Papers, Source
from mofang.text.corpus.split import TEST, TRAIN, VAL, Split, assign, cuts
from mofang.text.corpus.spool import Spool
from mofang.text.corpus.store import MANIFEST, PARTS, VERSION, Corpus, TokenWriter
from mofang.text.corpus.tally import Tally
from mofang.text.language import language_of
from mofang.text.tokenizer import Tokenizer, train_tokenizer

STAGES = {"works": 1, "read": 10, "duplicates": 2, "tokenizer": 2, "encode": 6}
_SAMPLE = 20_000_000  # characters a vocabulary is learned from; more changes it hardly, but takes memory
_LANGUAGES = ("zh", "en")


@dataclass(frozen=True)
class Cleaning:
    """What is done to the text. `clean` off leaves every character as it is; `form` is the Unicode normal form;
    `simplify` turns traditional characters into simplified ones; `near` is the Jaccard similarity from which the later of
    two documents is dropped (0: none is)."""

    clean: bool = True
    form: Literal["NFC", "NFKC", "none"] = "NFC"
    simplify: bool = False
    near: float = 0.8


@dataclass(frozen=True)
class Vocabulary:
    """The tokenizer to learn: `kind`, `size` (None: the kind's default) and, for "char", whether it has bytes; or the
    `folder` of a model or corpus whose tokenizer is used as it is."""

    kind: str = "char"
    size: int | None = None
    bytes_fallback: bool = True
    folder: Path | None = None


def prepare(
    works: Sequence[Path],
    out: Path,
    *,
    reading: Reading | None = None,
    cleaning: Cleaning | None = None,
    vocabulary: Vocabulary | None = None,
    split: Split | None = None,
    papers: Papers | None = None,
    studio: Path | None = None,
    on_event: Any = lambda event: None,
) -> Corpus:
    """Read works (files and folders), clean them, drop duplicates, split, learn a vocabulary and write the corpus `out`.

    Files that are broken are reported and passed over. `studio` is the folder whose register of works is asked for
    licences and consent. Memory stays bounded whatever the size of the works; the disk needs about twice their size.
    Raises `UserError` where nothing is left, consent is missing, or `out` is a folder that is not a corpus.
    """
    reading, cleaning, vocabulary = reading or Reading(), cleaning or Cleaning(), vocabulary or Vocabulary()
    split, papers = split or Split(), papers or Papers()
    stages, tally = Stages(STAGES, on_event), Tally()
    ready = Tokenizer.load(vocabulary.folder) if vocabulary.folder else None
    found = sources.find(works, tally)
    with atomic_folder(out, MANIFEST) as folder:
        found = _papers(found, papers, studio, stages.of("works"))
        spool = Spool(folder / ".spool")
        used = _read(found, reading, cleaning, spool, tally, stages.of("read"))
        kept, clusters = _unique(spool, cleaning, tally, stages.of("duplicates"))
        pieces = _pieces(spool, kept, clusters, split)
        tokenizer = ready or _learn(spool, pieces, vocabulary, stages.of("tokenizer"))
        counts, sha256 = _encode(spool, pieces, tokenizer, folder, stages.of("encode"))
        spool.close()
        tokenizer.save(folder)
        manifest = {
            "version": VERSION, "mofang": __version__, "made": now(),
            "options": {"reading": asdict(reading), "cleaning": asdict(cleaning), "split": asdict(split),
                        "vocabulary": {"kind": tokenizer.kind, "size": tokenizer.size}},
            "splits": counts, "languages": {}, "tokenizer_sha256": tokenizer.sha256,
            "works": [{"name": source.name, "licence": source.licence, "consent": source.consent, "sha256": source.sha256,
                       "size": source.size} for source in used],
            "dropped": tally.as_json(), "data_sha256": sha256,
        }  # fmt: skip
        (folder / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1), "utf-8")
    return Corpus.open(out)


def _papers(found: Sequence[Source], papers: Papers, studio: Path | None, progress: Progress) -> list[Source]:
    total, seen = sum(source.size for source in found) or 1, 0

    def on_file(size: int) -> None:
        nonlocal seen
        seen += size
        progress(seen / total, "")

    return sources.with_papers(found, papers, studio, on_file)


def _read(
    found: Sequence[Source], reading: Reading, cleaning: Cleaning, spool: Spool, tally: Tally, progress: Progress
) -> list[Source]:
    """Every document, cleaned, into the spool. Returns the sources that gave any."""
    cleaner = Cleaner(tally, cleaning.form, cleaning.simplify) if cleaning.clean else None
    total, before, document = sum(source.size for source in found) or 1, 0, 0
    used = []
    for source in found:
        begin, first, spooled = len(spool), document, 0
        try:
            if cleaner:
                cleaner.begin()
            for text, last in read(source.path, reading, tally):
                clean = cleaner.clean(text) if cleaner else text
                if clean.strip():
                    spool.add(clean, document, _LANGUAGES.index(language_of(clean[:4000])))
                if last:
                    document += 1
                    if cleaner:
                        cleaner.begin()
                spooled += len(text)
                progress(min(1.0, (before + min(spooled, source.size)) / total), source.name)
        except UserError as error:
            spool.rewind(begin)
            document = first
            tally.drop("broken file", f"{source.name}: {error}", 0)
        before += source.size
        progress(before / total, source.name)
        if len(spool) > begin:
            used.append(source)
    if not used:
        why = tally.reasons.get("broken file")
        raise UserError(why.examples[0] if why and len(found) == 1 else "nothing in these works is text to learn from; "
                        + (f"for one, {why.examples[0]}" if why else "every file is empty"))  # fmt: skip
    return used


def _unique(
    spool: Spool, cleaning: Cleaning, tally: Tally, progress: Progress
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which parts stay, (parts,) bool, and the cluster of each, (parts,)."""
    _, first = np.unique(spool.digests, return_index=True)
    kept = np.zeros(len(spool), np.bool_)
    kept[first] = True
    for part in np.flatnonzero(~kept):
        tally.drop("duplicate document", spool.text(int(part))[:400], int(spool.characters[part]))
    progress(1.0, "")
    return kept, spool.documents.copy()


@dataclass(frozen=True)
class _Piece:
    """A stretch of a part that goes to a split: characters `start` to `stop`, and whether its document ends there."""

    part: int
    start: int
    stop: int
    group: int
    ends: bool


def _pieces(spool: Spool, kept: NDArray[np.bool_], clusters: NDArray[np.int64], split: Split) -> list[_Piece]:
    parts = np.flatnonzero(kept)
    documents, lengths = spool.documents[parts], spool.characters[parts]
    ends = np.append(documents[1:] != documents[:-1], True)
    _, first, place = np.unique(documents, return_index=True, return_inverse=True)
    if split.contiguous or len(np.unique(clusters[parts])) < 3:
        return list(_contiguous(parts, lengths, ends, cuts(int(lengths.sum()), split)))
    group = assign(spool.digests[parts][first], clusters[parts][first], np.bincount(place, lengths), split)[place]
    return [_Piece(int(part), 0, int(length), int(side), bool(end))
            for part, length, side, end in zip(parts, lengths, group, ends, strict=True)]  # fmt: skip


def _contiguous(
    parts: NDArray[np.intp], lengths: NDArray[np.int64], ends: NDArray[np.bool_], cut: tuple[int, int]
) -> Iterator[_Piece]:
    begin = 0
    for part, length, end in zip(parts.tolist(), lengths.tolist(), ends.tolist(), strict=True):
        edges = [0, *(place - begin for place in cut if begin < place < begin + length), length]
        for start, stop in pairwise(edges):
            group = TRAIN if begin + start < cut[0] else VAL if begin + start < cut[1] else TEST
            if stop > start:
                yield _Piece(part, start, stop, group, end and stop == length)
        begin += length


def _learn(spool: Spool, pieces: Sequence[_Piece], vocabulary: Vocabulary, progress: Progress) -> Tokenizer:
    """A vocabulary from the train split only, evenly sampled where it is large."""
    train = [piece for piece in pieces if piece.group == TRAIN]
    total = sum(piece.stop - piece.start for piece in train)
    step = 1 if vocabulary.kind == "char" else max(1, round(total / _SAMPLE))
    chosen = train[::step] if len(train) >= 20 * step else train

    def texts() -> Iterator[str]:
        seen = 0
        for number, piece in enumerate(chosen):
            text = spool.text(piece.part)[piece.start : piece.stop]
            seen += len(text)
            yield text
            if vocabulary.kind != "char" and seen > 2 * _SAMPLE:
                return
            progress(number / len(chosen), vocabulary.kind)

    tokenizer = train_tokenizer(vocabulary.kind, texts(), vocabulary.size, bytes_fallback=vocabulary.bytes_fallback)
    progress(1.0, vocabulary.kind)
    return tokenizer


def _encode(
    spool: Spool, pieces: Sequence[_Piece], tokenizer: Tokenizer, folder: Path, progress: Progress
) -> tuple[dict[str, dict[str, int]], str]:
    writers = [TokenWriter(folder / f"{part}.bin", tokenizer.size) for part in PARTS]
    counts: dict[str, dict[str, int]] = {
        part: {"documents": 0, "tokens": 0, "characters": 0, "bytes": 0} for part in PARTS
    }
    end = np.array([tokenizer.end], np.int32)
    for start in range(0, len(pieces), 256):
        block = pieces[start : start + 256]
        texts = [spool.text(piece.part)[piece.start : piece.stop] for piece in block]
        for piece, text, ids in zip(block, texts, tokenizer.encode_batch(texts), strict=True):
            entry = counts[PARTS[piece.group]]
            entry["characters"] += len(text)
            entry["bytes"] += len(text.encode())
            entry["documents"] += piece.ends
            writers[piece.group].write(ids)
            if piece.ends:
                writers[piece.group].write(end)
        progress((start + len(block)) / len(pieces), "")
    digest = hashlib.sha256()
    for part, writer in zip(PARTS, writers, strict=True):
        writer.close()
        counts[part]["tokens"] = writer.tokens
        with (folder / f"{part}.bin").open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return counts, digest.hexdigest()
