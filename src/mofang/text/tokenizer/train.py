"""Vocabularies learned from texts."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

from mofang.studio.errors import UserError
from mofang.text.tokenizer import layout
from mofang.text.tokenizer.points import CharacterCounts, count_characters, whole
from mofang.text.tokenizer.special import BYTES, KINDS, LIMIT, SPECIALS, UNK, Kind
from mofang.text.tokenizer.tokenizer import Tokenizer

DEFAULT_SIZES: dict[Kind, int] = {"char": 65_536, "bpe": 8_192, "unigram": 8_192, "word": 16_384}
_FIXED = len(SPECIALS) + len(BYTES)
_LONGEST = 24  # characters in a token; longer ones are separators of this corpus, of no use for another text
_COVERAGE = 0.9995  # SentencePiece's character coverage for languages with many characters


def train_tokenizer(
    kind: str, texts: Iterable[str], size: int | None = None, *, bytes_fallback: bool = True
) -> Tokenizer:
    """Learn a vocabulary of at most `size` tokens, special tokens and bytes included, from `texts` (read once).

    The same texts in the same order give the same vocabulary. "char" keeps every character if it has room; "bpe" is
    byte-level BPE, "unigram" Kudo's unigram model, "word" words as jieba cuts them, then characters. `bytes_fallback`
    False, for "char" only, leaves the 256 byte tokens out: unknown characters then become `<|unk|>`.
    Raises `UserError` for an unknown kind, a size too small for bytes and specials, or texts without a character.
    """
    for known in KINDS:
        if kind == known:
            break
    else:
        raise UserError(f"'{kind}' is no kind of tokenizer; choose one of {', '.join(KINDS)}")
    size = DEFAULT_SIZES[known] if size is None else size
    least = _FIXED + 1 if bytes_fallback else len(SPECIALS) + 1
    if not least <= size <= LIMIT:
        raise UserError(f"a vocabulary of {size:,} cannot be made; choose a size from {least} to {LIMIT:,}")
    if not bytes_fallback and known != "char":
        raise UserError(f"a {known} tokenizer needs its bytes; leave them out only with a char tokenizer")
    filled = (whole(text) for text in texts if text)
    first = next(filled, None)
    if first is None:
        raise UserError("there is no text to learn a vocabulary from; give some")
    texts = chain([first], filled)
    if known == "char":
        return _characters(texts, size, bytes_fallback)
    return {"bpe": _bpe, "unigram": _unigram, "word": _words}[known](texts, size)


def _characters(texts: Iterable[str], size: int, with_bytes: bool) -> Tokenizer:
    room = size - (_FIXED if with_bytes else len(SPECIALS))
    characters = [character for character, _ in count_characters(texts).by_frequency()[:room]]
    return Tokenizer("char", layout.character_layout(characters, with_bytes))


def _bpe(texts: Iterable[str], size: int) -> Tokenizer:
    from tokenizers import Tokenizer as Library
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer

    blank = layout.bpe_layout({}, [])
    library = Library.from_str(json.dumps({**blank, "added_tokens": []}))
    library.model = BPE()
    alphabet = sorted(layout.bytes_alphabet())
    trainer = BpeTrainer(vocab_size=size, special_tokens=list(SPECIALS), initial_alphabet=alphabet, show_progress=False,
                         min_frequency=2, max_token_length=3 * _LONGEST)  # fmt: skip
    library.train_from_iterator(texts, trainer)
    learned = json.loads(library.to_str())["model"]
    return Tokenizer("bpe", layout.bpe_layout(learned["vocab"], learned["merges"]))


def _unigram(texts: Iterable[str], size: int) -> Tokenizer:
    from tokenizers import Tokenizer as Library
    from tokenizers.models import Unigram
    from tokenizers.trainers import UnigramTrainer

    kept = [text.replace("\0", "\n") for text in texts]  # read twice; the trainer parts its sentences by NUL
    characters = _alphabet(count_characters(kept).by_frequency(), (size - _FIXED) // 2 or 1)
    rare = re.compile(f"[^{re.escape(''.join(characters))}\n]")
    library = Library.from_str(json.dumps({**layout.unigram_layout([]), "added_tokens": []}))
    library.model = Unigram()
    trainer = UnigramTrainer(vocab_size=size - _FIXED + 1, unk_token=SPECIALS[UNK], special_tokens=[SPECIALS[UNK]],
                             show_progress=False, max_piece_length=_LONGEST)  # fmt: skip
    # A rare character is spelt in bytes later; the newline in its place only keeps its neighbours apart.
    library.train_from_iterator((rare.sub("\n", text) for text in kept), trainer)
    learned = json.loads(library.to_str())["model"]["vocab"]
    # The library adds up in the order of a hash map: what is left of that after rounding is noise.
    found = {piece: round(score, 5) for piece, score in learned if piece != SPECIALS[UNK] and math.isfinite(score)}
    lowest = min(found.values(), default=0.0)
    missing = [(character, lowest - 1) for character in characters if character not in found]
    pieces = sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))[: size - _FIXED - len(missing)]
    return Tokenizer("unigram", layout.unigram_layout(pieces + missing))


def _alphabet(counted: list[tuple[str, int]], room: int) -> list[str]:
    """The most frequent characters: at most `room`, and no more than cover `_COVERAGE` of the text beyond the first 100."""
    total, seen = sum(count for _, count in counted), 0
    kept: list[str] = []
    for character, count in counted[:room]:
        if seen >= total * _COVERAGE and len(kept) >= 100:
            break
        kept.append(character)
        seen += count
    return kept


def _words(texts: Iterable[str], size: int) -> Tokenizer:
    words: Counter[str] = Counter()
    letters = CharacterCounts()
    for text in texts:
        letters.add(text)
        words.update(word for word in _cut(text) if len(word) <= _LONGEST)
        if len(words) > 4_000_000:  # half a gigabyte, most of it words seen once
            words = Counter({word: count for word, count in words.items() if count > 1})
    alphabet = _alphabet(letters.by_frequency(), max(1, (size - _FIXED) // 3))
    ranked = sorted(words.items(), key=lambda entry: (-entry[1], entry[0]))
    chosen = [entry for entry in ranked if len(entry[0]) > 1][: size - _FIXED - len(alphabet)]
    total = math.log(sum(words.values()) or 1)
    pieces = [(word, math.log(count) - total) for word, count in chosen]
    # A character that never stood alone must lose to every word that holds it.
    pieces += [(letter, math.log(words[letter] or 0.1) - total) for letter in alphabet]
    return Tokenizer("word", layout.unigram_layout(pieces))


def _cut(text: str) -> Iterator[str]:
    """Words of the text within the bounds no token crosses: Chinese as jieba cuts it, the rest as it stands."""
    import rjieba
    from tokenizers import Regex
    from tokenizers.pre_tokenizers import Split

    for part, _ in Split(Regex(layout.PATTERN), "isolated").pre_tokenize_str(text):
        if part[-1] >= "\u2e80":
            yield from rjieba.cut(part)
        else:
            yield part
