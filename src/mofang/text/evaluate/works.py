"""The works behind a model: the corpus its card names, their index, what counts as a copy in them, and what to say of a text."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mofang.models import own
from mofang.studio.errors import UserError
from mofang.studio.linebreak import is_wide
from mofang.studio.progress import Progress, silent
from mofang.text.corpus import Corpus
from mofang.text.evaluate.copying import Copies, Index, Span
from mofang.text.evaluate.fingerprint import Fingerprint
from mofang.text.evaluate.folding import fold
from mofang.text.language import Lang, han_count, language_of

Kind = Literal["en", "zh", "verse"]
LEAST: dict[Kind, int] = {"en": 20, "zh": 13, "verse": 7}
"""Letters in a row from which a passage counts as copied: some four English words, a clause of Chinese prose, a line of
verse. Shorter runs are in every text that anyone writes; the measure of held-out text shows how many longer ones are."""

_HEAD = re.compile(r"[^\W\u1100-\uffdc\U00020000-\U0003ffff]*")
_MARKS = re.compile(r"^\W+")
_BREAK = re.compile(r"[\n，。、；：？！,.;:?!]+")


def corpus_of(folder: Path, given: Path | None = None) -> Corpus:
    """The corpus of the model in `folder`: the one `given`, else the one its card names, if it is still the same.
    Raises `UserError`."""
    if given is not None:
        return Corpus.open(given)
    card = own.read_card(folder)
    if not card.get("corpus"):
        raise UserError(f"the card of {folder.name} names no corpus; give the one it was trained on with --corpus")
    corpus = Corpus.open(Path(str(card["corpus"])))
    if corpus.manifest["data_sha256"] != card.get("data_sha256"):
        raise UserError(f"{corpus.folder} is not what {folder.name} was trained on any more; give the right one with --corpus")
    return corpus


def index_of(corpus: Corpus, studio: Path, progress: Progress = silent) -> Index:
    """The index of the training text of `corpus`, kept in the studio's cache; a damaged one is built anew."""
    folder, key = _cached(corpus.manifest["data_sha256"], studio), corpus.manifest["data_sha256"]
    documents = Documents(corpus, "train")
    try:
        if folder.is_dir():
            return Index(folder, documents.text)
    except UserError:
        pass  # Whatever broke it, it can be made again from the works.
    return Index.build(corpus.documents("train"), folder, key, documents.text, progress)


def kind_of(documents: Iterable[str]) -> Kind:
    """English, Chinese, or verse in Chinese: seven in ten lines have five or seven characters."""
    texts = list(islice(documents, 200))
    if language_of("\n".join(texts)[:100_000]) == "en":
        return "en"
    lines = [count for text in texts for line in _BREAK.split(text[:2000]) if (count := han_count(line))]
    return "verse" if sum(count in (5, 7) for count in lines) >= 0.7 * max(1, len(lines)) else "zh"


def lang_of(kind: Kind) -> Lang:
    """The language of a kind of text."""
    return "en" if kind == "en" else "zh"


class Documents:
    """The documents of a split by number."""

    def __init__(self, corpus: Corpus, split: str) -> None:
        self._corpus = corpus
        self._tokens = corpus.tokens(split)

    def __len__(self) -> int:
        return len(self._ends)

    def tokens(self, number: int) -> NDArray[Any]:
        """The token ids of a document."""
        return np.asarray(self._tokens[self._ends[number - 1] + 1 if number else 0 : self._ends[number]])

    def text(self, number: int) -> str:
        """A document's text."""
        return self._corpus.tokenizer.decode(self.tokens(number).tolist())

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        ends = np.flatnonzero(np.asarray(self._tokens) == self._corpus.tokenizer.end)
        loose = len(self._tokens) and (not len(ends) or ends[-1] != len(self._tokens) - 1)
        return np.append(ends, len(self._tokens)) if loose else ends


# -- while writing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """What a model's works are remembered by, and from how many letters on a run of them is worth a word."""

    copies: Copies
    least: int

    def spans(self, text: str, start: int = 0) -> list[Span]:
        """What of `text` stands in the works, of what reaches beyond `start`: what came before is not the model's."""
        return [span for span in self.copies.spans(text, self.least) if span.end > start]

    def warnings(self, text: str, start: int = 0) -> Sequence[str]:
        """The same as one line each: the words, and where they stand if that is known."""
        found = []
        for span in self.spans(text, start):
            words = _MARKS.sub("", " ".join(whole_words(text, span.start, span.end).split()))
            if len(fold(words)[0]) < self.least:
                continue
            where = f" ({' '.join(span.place.context.split())})" if span.place else ""
            if (line := words + where) not in found:
                found.append(line)
        return found


def whole_words(text: str, start: int, end: int) -> str:
    """`text[start:end]` without the halves of words it begins and ends with; Han have no halves."""
    head = tail = ""
    if start and _narrow(text[start - 1]):
        head = _HEAD.match(text, start, end)[0]  # type: ignore[index]
    if end < len(text) and _narrow(text[end]):
        tail = _HEAD.match(text[start:end][::-1])[0]  # type: ignore[index]
    return text[start + len(head) : max(start + len(head), end - len(tail))]


def _narrow(character: str) -> bool:
    return character.isalnum() and not is_wide(character)


def known(folder: Path, studio: Path, progress: Progress = silent) -> Known | None:
    """What is known of the works of the model in `folder`; None if nothing is.

    The fingerprint beside the weights if it has one; else the index of the corpus the card names, if that is still there
    (built at the first call, which `progress` hears of: some seconds for ten million letters; cached in the studio).
    """
    if (prints := Fingerprint.open(folder)) is not None:
        return Known(prints, 0)
    try:
        corpus = corpus_of(folder)
    except UserError:
        return None
    if not corpus.manifest["splits"]["train"]["characters"]:
        return None
    return Known(index_of(corpus, studio, progress), LEAST[kind_of(corpus.documents("train"))])


def _cached(sha256: str, studio: Path) -> Path:
    return studio / "cache" / f"copies-{sha256[:16]}"
