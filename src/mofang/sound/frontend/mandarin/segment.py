"""Chinese words and their parts of speech, by jieba (MIT), loaded once and silent."""

import logging
import threading
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_LOADING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Word:
    """A word, its ICTCLAS part-of-speech tag (n noun, v verb, a adjective, …) and where it begins in the text."""

    text: str
    tag: str
    start: int


@lru_cache(maxsize=1)
def _tagger() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jieba 0.42 has invalid escapes and imports pkg_resources
        import jieba
        import jieba.posseg

    jieba.setLogLevel(logging.ERROR)
    # Its own tokenizer: words a caller adds to the shared one must not change how a voice reads.
    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()
    return jieba.posseg.POSTokenizer(tokenizer)


def segment(text: str) -> list[Word]:
    """The words of `text` in order; joined they are `text`."""
    with _LOADING:
        tagger = _tagger()
    words, start = [], 0
    for word, tag in tagger.cut(text, HMM=False):
        words.append(Word(word, tag, start))
        start += len(word)
    return words
