"""Texts to tokens: a vocabulary from the train split, then every split through it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mofang.studio.progress import Progress
from mofang.text.corpus.split import TRAIN, Stretches
from mofang.text.corpus.spool import Spool
from mofang.text.corpus.statistics import WordCounter
from mofang.text.corpus.store import PARTS, TokenWriter
from mofang.text.tokenizer import Tokenizer, train_tokenizer

SAMPLE = 20_000_000
"""Characters a vocabulary is learned from, about; more hardly changes it, but takes memory. Characters are all counted."""
_BLOCK = 1 << 22


@dataclass(frozen=True)
class Vocabulary:
    """The tokenizer to learn: `kind`, `size` (None: the kind's default) and, for "char", whether it has bytes; or the
    `folder` of a model or corpus whose tokenizer is used as it is."""

    kind: str = "char"
    size: int | None = None
    bytes_fallback: bool = True
    folder: Path | None = None


def learn(spool: Spool, plan: Stretches, vocabulary: Vocabulary, progress: Progress) -> Tokenizer:
    """A vocabulary from the train split only, evenly sampled where it is large."""
    train = plan.take(plan.group == TRAIN)
    total = int((train.stop - train.start).sum()) or 1
    goal = total if vocabulary.kind == "char" else SAMPLE
    step = max(1, total // goal)

    def texts() -> Iterator[str]:
        seen = 0
        for block in _texts(spool, train.take(slice(None, None, step))):
            for _, text in block:
                # Few long parts: the beginning of each stands for it.
                text = text[: max(1000, goal * step // max(1, len(train)))] if total > goal else text
                seen += len(text)
                yield text
            progress(min(0.9, 0.9 * seen / min(total, goal)), vocabulary.kind)

    tokenizer = train_tokenizer(vocabulary.kind, texts(), vocabulary.size, bytes_fallback=vocabulary.bytes_fallback)
    progress(1.0, vocabulary.kind)
    return tokenizer


def write_tokens(
    spool: Spool, plan: Stretches, tokenizer: Tokenizer, folder: Path, counter: WordCounter, progress: Progress
) -> tuple[dict[str, dict[str, int]], str]:
    """Write `train.bin`, `val.bin` and `test.bin`, and count the words on the way. Returns {documents, tokens,
    characters, bytes} of each split and the SHA-256 over the three files' hashes."""
    writers = [TokenWriter(folder / f"{part}.bin", tokenizer.size) for part in PARTS]
    counts: dict[str, dict[str, int]] = {
        part: {"documents": 0, "tokens": 0, "characters": 0, "bytes": 0} for part in PARTS
    }
    end = np.array([tokenizer.end], np.int32)
    before, done = -1, 0  # the split of the stretch before, -1 where a document ended
    try:
        for block in _texts(spool, plan):
            for (number, text), ids in zip(block, tokenizer.encode_batch([text for _, text in block]), strict=True):
                group, ends = int(plan.group[number]), bool(plan.ends[number])
                entry, writer = counts[PARTS[group]], writers[group]
                entry["characters"] += len(text)
                entry["bytes"] += len(text.encode())
                # A document cut in two between splits counts in both.
                entry["documents"] += group != before
                writer.write(ids)
                if ends:
                    writer.write(end)
                before = -1 if ends else group
            counter.add("\n".join(text for _, text in block))
            done += len(block)
            progress(done / len(plan), "")
    finally:
        for writer in writers:
            writer.close()
    digest = hashlib.sha256()
    for part, writer in zip(PARTS, writers, strict=True):
        counts[part]["tokens"] = writer.tokens
        with (folder / f"{part}.bin").open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return counts, digest.hexdigest()


def _texts(spool: Spool, plan: Stretches) -> Iterator[list[tuple[int, str]]]:
    """(number, text) of the stretches, in lists of about four million characters."""
    block: list[tuple[int, str]] = []
    size = 0
    for number in range(len(plan)):  # millions of rows: as Python's own numbers all at once they would fill the memory
        part, start, stop = int(plan.part[number]), int(plan.start[number]), int(plan.stop[number])
        text = spool.text(part)
        block.append((number, text if stop - start == len(text) else text[start:stop]))
        size += stop - start
        if size >= _BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block
