"""Text a model has not learned from: what samples are held against."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.studio.errors import UserError
from mofang.text.corpus import Corpus
from mofang.text.evaluate.samples import body, writes_poems
from mofang.text.evaluate.works import Documents, Kind, kind_of
from mofang.text.own import OwnModel

MANY = 20
"""Documents from which on a model is taken to know how a text begins; under that, samples go on from held-out text."""
PROMPT = 32
"""Tokens of held-out text given to a model that does not."""


class Held:
    """The held-out text of a corpus in the model's own tokens, and whether it is one of many documents or one long one."""

    def __init__(self, corpus: Corpus, model: OwnModel, split: str, seed: int) -> None:
        counts = {part: corpus.manifest["splits"][part]["tokens"] for part in ("test", "val", "train")}
        self.split = split or next((part for part in ("test", "val") if counts[part] > 1), "train")
        self.corpus, self.model = corpus, model
        self.seen = self.split == "train"
        self.documents, self.trained = Documents(corpus, self.split), Documents(corpus, "train")
        if not len(self.documents):
            raise UserError(f"the {self.split} split of {corpus.folder} is empty; measure another with --split")
        self.many = len(self.trained) >= MANY
        self.kind: Kind = kind_of(corpus.documents("train"))
        self.poems = writes_poems(model)
        self.own_tokens = corpus.tokenizer.sha256 == model.tokenizer.sha256
        self._rng = np.random.default_rng((seed, 1))

    def stream(self, split: str = "", most: int | None = None) -> NDArray[Any]:
        """A split (this one) in the model's tokens, each document followed by `end`; of `most` documents if that is given."""
        if self.own_tokens:
            return self.corpus.tokens(split or self.split)
        end, texts = self.model.tokenizer.end, islice(self.corpus.documents(split or self.split), most)
        return np.concatenate([np.append(self.model.tokenizer.encode_array(text), end) for text in texts])

    def prompts(self, count: int) -> list[str]:
        """What samples begin with: nothing, or held-out text for a model that has not learned how texts begin."""
        if self.many:
            return [""]
        return [self.corpus.tokenizer.decode(self._cut(self.documents, PROMPT).tolist()) for _ in range(count)]

    def headings(self, count: int) -> list[str]:
        """What poems are asked for: the headings of held-out ones."""
        return [self.documents.text(int(self._rng.integers(len(self.documents)))).partition("\n")[0] for _ in range(count)]

    def same_lengths(self, texts: Sequence[str]) -> list[str]:
        """Held-out texts, one of the length of each of `texts`: beginnings of documents, or passages of a long one."""
        found = []
        for text in texts:
            whole = self.documents.text(int(self._rng.integers(len(self.documents))))
            if self.poems:
                found.append(body(whole)[: len(text)])
            elif self.many:
                found.append(whole[: len(text)])
            else:
                start = int(self._rng.integers(max(1, len(whole) - len(text))))
                found.append(whole[start : start + len(text)])
        return found

    def probes(self, documents: Documents, count: int) -> list[NDArray[Any]]:
        """Up to `count` documents in the model's tokens, or passages of long ones."""
        if self.many:
            numbers = self._rng.permutation(len(documents))[:count]
            ids = [documents.tokens(int(number)) for number in numbers]
        else:
            ids = [self._cut(documents, 2 * PROMPT) for _ in range(count)]
        if self.own_tokens:
            return ids
        return [self.model.tokenizer.encode_array(self.corpus.tokenizer.decode(each.tolist())) for each in ids]

    def _cut(self, documents: Documents, length: int) -> NDArray[Any]:
        ids = documents.tokens(int(self._rng.integers(len(documents))))
        start = int(self._rng.integers(max(1, len(ids) - length)))
        return ids[start : start + length]
