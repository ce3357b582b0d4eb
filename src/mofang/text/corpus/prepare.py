"""The steps from works to a corpus, in order."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mofang import __version__
from mofang.studio.atomic import atomic_folder
from mofang.studio.errors import UserError
from mofang.studio.library import now
from mofang.studio.progress import Event, Progress, Stages
from mofang.studio.words import say
from mofang.text.corpus import sources
from mofang.text.corpus.clean import Cleaner, Form
from mofang.text.corpus.encode import Vocabulary, learn, write_tokens
from mofang.text.corpus.near import HAN_CODE, Signer, without_near_duplicates
from mofang.text.corpus.readers import Reading, read
from mofang.text.corpus.report import html_report, text_report
from mofang.text.corpus.sources import Papers, Source
from mofang.text.corpus.split import Split, stretches
from mofang.text.corpus.spool import Spool
from mofang.text.corpus.statistics import WordCounter
from mofang.text.corpus.store import MANIFEST, VERSION, Corpus
from mofang.text.corpus.tally import Tally
from mofang.text.corpus.words import language, without_stop_words
from mofang.text.tokenizer import Tokenizer

STAGES = {"works": 1, "read": 12, "duplicates": 1, "tokenizer": 2, "encode": 10}
_WORDS_KEPT = 50_000
_LITTLE = 200_000  # characters; below, a model learns its texts by heart before it learns to write


@dataclass(frozen=True)
class Cleaning:
    """What is done to the text. `clean` off leaves every character and every document as it is; `form` is the Unicode
    normal form; `simplify` turns traditional characters into simplified ones; `near` is the Jaccard similarity from which the
    later of two documents is dropped (0: none is). `stop_words` says where stop words are left out: of the report's word
    counts ("report"), of the training text too ("train"), or nowhere ("keep")."""

    clean: bool = True
    form: Form = "NFC"
    simplify: bool = False
    near: float = 0.8
    stop_words: Literal["report", "train", "keep"] = "report"


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
    on_event: Callable[[Event], None] = lambda event: None,
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
        _require_room(folder, sum(source.size for source in found))
        found = _papers(found, papers, studio, stages.of("works"))
        spool, signer = Spool(folder / ".spool"), Signer(folder / ".signatures")
        try:
            used, languages = _read(found, reading, cleaning, spool, signer, tally, stages.of("read"))
            kept, clusters = _unique(spool, signer, cleaning, tally, stages.of("duplicates"))
            plan = stretches(spool, kept, clusters, split)
            tokenizer = ready or learn(spool, plan, vocabulary, stages.of("tokenizer"))
            counter = WordCounter()
            splits, sha256 = write_tokens(spool, plan, tokenizer, folder, counter, stages.of("encode"))
            shares, lengths = (
                _shares(spool, kept, languages),
                np.bincount(spool.documents[kept], spool.characters[kept]),
            )
        finally:
            spool.close()
            signer.close()
        tokenizer.save(folder)
        manifest = {
            "version": VERSION, "mofang": __version__, "made": now(),
            "options": {"reading": asdict(reading), "cleaning": asdict(cleaning), "split": asdict(split),
                        "vocabulary": {"kind": tokenizer.kind, "size": tokenizer.size}},
            "splits": splits, "languages": shares, "tokenizer_sha256": tokenizer.sha256, "data_sha256": sha256,
            "works": [{"name": source.name, "licence": source.licence, "consent": source.consent,
                       "sha256": source.sha256, "size": source.size} for source in used],
            "dropped": tally.as_json(), "warnings": _warnings(splits, used, tally),
        }  # fmt: skip
        all_words = cleaning.stop_words == "keep"
        figures = counter.statistics(lengths[lengths > 0].astype(np.int64), all_words)
        title = say(f"Corpus: {out.name}", f"语料：{out.name}")
        rows = (f"{word}\t{count}\n" for word, count in counter.table(all_words, _WORDS_KEPT))
        (folder / "words.tsv").write_text("".join(rows), "utf-8")
        (folder / "report.txt").write_text(text_report(manifest, figures), "utf-8")
        (folder / "report.html").write_text(html_report(title, manifest, figures), "utf-8")
        (folder / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1), "utf-8")
    return Corpus.open(out)


def _require_room(folder: Path, size: int) -> None:
    # Cleaned text waits on disk while its tokens are written: twice the works, and a little.
    free = shutil.disk_usage(folder).free
    if free < 2.2 * size + (8 << 20):
        raise UserError(f"these works need about {2.2 * size / 1e9:.1f} GB of disk and {free / 1e9:.1f} GB are free; "
                        "free some space, or write to another disk with --out")  # fmt: skip


def _papers(found: Sequence[Source], papers: Papers, studio: Path | None, progress: Progress) -> list[Source]:
    total, seen = sum(source.size for source in found) or 1, 0

    def on_file(size: int) -> None:
        nonlocal seen
        seen += size
        progress(seen / total, "")

    return sources.with_papers(found, papers, studio, on_file)


def _read(
    found: Sequence[Source],
    reading: Reading,
    cleaning: Cleaning,
    spool: Spool,
    signer: Signer,
    tally: Tally,
    progress: Progress,
) -> tuple[list[Source], list[str]]:
    """Every document, cleaned, into the spool. Returns the sources that gave any, and the languages' names by number."""
    cleaner = Cleaner(tally, cleaning.form, cleaning.simplify) if cleaning.clean else None
    total, before, document = sum(source.size for source in found) or 1, 0, 0
    used, languages = [], {"zh": HAN_CODE}
    for source in found:
        begin, first, spooled = len(spool), document, 0
        try:
            if cleaner:
                cleaner.begin()
            for text, last in read(source.path, reading, tally):
                clean = cleaner.clean(text) if cleaner else text
                if cleaning.stop_words == "train":
                    clean = without_stop_words(clean)
                if clean.strip():
                    number = languages.setdefault(language(clean), len(languages))
                    spool.add(clean, document, number)
                    signer.add(clean, number == HAN_CODE)
                if last:
                    document += 1
                    if cleaner:
                        cleaner.begin()
                spooled += len(text.encode("utf-8", "replace"))
                progress((before + min(spooled, source.size)) / total, source.name)
        except UserError as error:
            spool.rewind(begin)
            signer.rewind(begin)
            document = first
            tally.drop("broken file", f"{source.name}: {error}", 0)
        document += 1  # a file that ended without saying so
        before += source.size
        progress(before / total, source.name)
        if len(spool) > begin:
            used.append(source)
        elif "broken file" not in tally.reasons or not source.size:
            tally.drop("empty document", source.name, 0)
    if not used:
        raise UserError(_nothing(found, tally))
    return used, list(languages)


def _nothing(found: Sequence[Source], tally: Tally) -> str:
    if why := tally.reasons.get("broken file"):
        if len(found) == 1:
            return why.examples[0].removeprefix(f"{found[0].name}: ")
        return f"none of these {len(found)} works can be read; for one, {why.examples[0]}"
    return "there is no text in these works, they are empty; give files with something written in them"


def _unique(
    spool: Spool, signer: Signer, cleaning: Cleaning, tally: Tally, progress: Progress
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which parts stay, (parts,) bool, and the cluster of each document, (documents,)."""
    kept = np.ones(len(spool), np.bool_)
    if cleaning.clean:
        _, first = np.unique(spool.digests, return_index=True)
        kept[:] = False
        kept[first] = True
        characters = spool.characters
        for part in np.flatnonzero(~kept).tolist():
            tally.drop("duplicate document", spool.text(part)[:400], int(characters[part]))
    progress(0.1, "")
    threshold = cleaning.near if cleaning.clean else 0.0
    clusters = without_near_duplicates(spool, signer, kept, threshold, tally, progress)
    progress(1.0, "")
    return kept, clusters


def _shares(spool: Spool, kept: NDArray[np.bool_], languages: Sequence[str]) -> dict[str, float]:
    counts = np.bincount(spool.languages[kept], spool.characters[kept], len(languages))
    shares = counts / counts.sum()
    return {languages[number]: round(float(shares[number]), 4) for number in np.argsort(-counts) if shares[number] > 0}


def _warnings(splits: dict[str, dict[str, int]], used: Sequence[Source], tally: Tally) -> list[str]:
    """What the creator should know before training on this."""
    warnings = []
    characters = splits["train"]["characters"]
    if characters < _LITTLE:
        warnings.append(say(
            f"{characters:,} characters are little to learn from: a model will recite them; give more, or fine-tune a trained model",
            f"只有 {characters:,} 个字符，太少：模型只会背诵。请多给些作品，或在已有模型上微调"))  # fmt: skip
    if not splits["val"]["tokens"]:
        warnings.append(say("there is no validation text, so training cannot see whether it learns or copies",
                            "没有验证文本，训练时看不出是学会了还是背下来了"))  # fmt: skip
    if unstated := sum(not source.licence for source in used):
        warnings.append(say(f"no licence is stated for {unstated:,} of the works; add --licence own for your own, or register them "
                            "with: mofang works add", f"有 {unstated:,} 件作品没有写明许可；自己的作品可加 --licence own，"
                            "或用 mofang works add 登记"))  # fmt: skip
    doubled = sum(entry.characters for reason, entry in tally.reasons.items() if reason.endswith("duplicate document"))
    if doubled > sum(counts["characters"] for counts in splits.values()):
        warnings.append(say("more than half of the works said the same again and was left out",
                            "作品中一半以上是重复内容，已舍弃"))  # fmt: skip
    if broken := tally.reasons.get("broken file"):
        warnings.append(say(f"{broken.count:,} files could not be read; the first: {broken.examples[0]}",
                            f"有 {broken.count:,} 个文件无法读取，例如：{broken.examples[0]}"))  # fmt: skip
    return warnings
