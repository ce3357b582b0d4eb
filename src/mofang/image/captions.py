"""Captions as numbers: byte-pair words of Chinese and English together, and the ways one picture can be asked for."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mofang.studio.errors import UserError

if TYPE_CHECKING:
    import tokenizers

FILE = "tokenizer.json"
ARTICLES = {"en": ("", "a ", "a picture of a "), "zh": ("", "一只", "一个", "一张", "一幅画：")}


def train_tokenizer(captions: Iterable[str], size: int = 6000) -> "tokenizers.Tokenizer":
    """Byte-pair encoding (Sennrich et al. 2016) of lower-cased captions; unknown characters fall back to bytes. Token 0
    is padding."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    made = Tokenizer(models.BPE(byte_fallback=True, unk_token=None))
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation("removed")])
    made.decoder = decoders.ByteFallback()
    specials = ["<pad>", *(f"<0x{byte:02X}>" for byte in range(256))]
    made.train_from_iterator(captions, trainers.BpeTrainer(vocab_size=size, special_tokens=specials, show_progress=False))
    return made


def load_tokenizer(folder: Path) -> "tokenizers.Tokenizer":
    """The vocabulary in a model's folder. Raises `UserError`."""
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(folder / FILE))
    except Exception as error:  # The library raises bare Exceptions.
        raise UserError(f"{folder / FILE} is missing or damaged; take the model's folder whole") from error


def encode(tokenizer: "tokenizers.Tokenizer", captions: Sequence[str], words: int) -> NDArray[np.int64]:
    """(N, words) of token numbers, the first `words` of each caption, padded with 0."""
    made = np.zeros((len(captions), words), np.int64)
    for row, encoding in zip(made, tokenizer.encode_batch(list(captions)), strict=True):
        ids = encoding.ids[:words]
        row[: len(ids)] = ids
    return made


def phrased(caption: str, language: str, rng: np.random.Generator) -> str:
    """One way of asking for a picture whose caption is a label and perhaps tags, parted by commas: the label, the label
    with some of its tags, or a few tags alone, with an article or not."""
    label, *tags = [part.strip() for part in caption.replace("，", ",").split(",") if part.strip()] or [""]
    article = ARTICLES.get(language, ("",))
    start = article[int(rng.integers(len(article)))] if rng.random() < 0.5 else ""
    kind = rng.random()
    if kind < 0.55 or not tags:
        return start + label
    some = [tags[i] for i in rng.permutation(len(tags))[: int(rng.integers(1, 4))]]
    joint = "，" if language == "zh" else ", "
    return start + (joint.join([label, *some]) if kind < 0.85 else joint.join(some))
