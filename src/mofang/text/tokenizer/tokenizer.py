"""One tokenizer for every kind of vocabulary."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.studio.atomic import write_atomic
from mofang.studio.errors import UserError
from mofang.text.tokenizer import check, layout
from mofang.text.tokenizer.points import CharacterTable, whole
from mofang.text.tokenizer.special import BYTES, END, SPECIALS, UNK, Kind

FILE, SETTINGS = "tokenizer.json", "tokenizer_config.json"
_SIZE_LIMIT = 128 << 20


class Tokenizer:
    """A vocabulary and the rule that cuts text into it. Immutable.

    `decode(encode(text)) == text` for every text without lone surrogates, whatever characters the vocabulary knows: what it
    does not know is spelt in bytes. Only "char" without bytes gives unknown characters up. Special tokens are never
    read out of a text: the six letters `<|end|>` in a story are six letters.
    """

    kind: Kind
    size: int
    end: int = END

    def __init__(self, kind: Kind, content: dict[str, Any]) -> None:
        """From the content of a `tokenizer.json`. Raises `UserError` if it is not one of ours."""
        self.kind = kind
        self._tokens = check.tokens(kind, content)
        self.size = len(self._tokens)
        self._json = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        self._bytes = _spelling(kind, self._tokens)

    @classmethod
    def load(cls, folder: Path) -> "Tokenizer":
        """The tokenizer in a model's or corpus's folder. Raises `UserError` for one that is missing, damaged or not ours."""
        path = folder / FILE
        try:
            if path.stat().st_size > _SIZE_LIMIT:
                raise UserError(
                    f"{path} is larger than {_SIZE_LIMIT >> 20} MB: no tokenizer of ours; make the corpus or model again"
                )
            content = json.loads(path.read_bytes())
            config = folder / SETTINGS
            kind = json.loads(config.read_bytes()).get("mofang_kind") if config.exists() else None
        except FileNotFoundError as error:
            raise UserError(f"{folder} holds no {FILE}; give the folder of a model or a prepared corpus") from error
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from error
        except (ValueError, AttributeError, RecursionError) as error:
            raise UserError(f"{path} is damaged: it is no JSON; make the corpus or model again") from error
        tokenizer = cls(check.kind(kind, content, path), content)
        tokenizer._model  # noqa: B018  # a file the library refuses is refused here, not at the first word
        return tokenizer

    def save(self, folder: Path) -> None:
        """Write `tokenizer.json` and `tokenizer_config.json`, which Transformers opens too."""
        write_atomic(folder / FILE, self._json)
        write_atomic(folder / SETTINGS, json.dumps(layout.settings(self.kind), indent=1))

    @property
    def sha256(self) -> str:
        """The hash of `tokenizer.json`: two tokenizers are the same if it is."""
        return hashlib.sha256(self._json.encode()).hexdigest()

    def encode(self, text: str) -> list[int]:
        """The ids of the text, without specials. Lone surrogates count as U+FFFD."""
        return [int(token) for token in self.encode_array(text)]

    def encode_array(self, text: str) -> NDArray[np.int32]:
        """The ids of the text, (tokens,) int32."""
        return self.encode_batch([text])[0]

    def encode_batch(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """The ids of each text, on all cores where the kind of vocabulary is slow to apply."""
        if self.kind == "char":
            return [self._table.encode(text) for text in texts]
        found: list[list[NDArray[np.int32]]] = [[] for _ in texts]
        for batch in _batches(texts):
            try:
                encoded = self._model.encode_batch_fast([text for _, text in batch], add_special_tokens=False)
            except TypeError:  # what the library says to a lone surrogate
                encoded = self._model.encode_batch_fast([whole(text) for _, text in batch], add_special_tokens=False)
            for (number, _), one in zip(batch, encoded, strict=True):
                found[number].append(np.array(one.ids, np.int32))
        return [ids[0] if len(ids) == 1 else np.concatenate([np.zeros(0, np.int32), *ids]) for ids in found]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of the ids; specials are skipped, and bytes that make no character become U+FFFD."""
        spelt = self._bytes
        return b"".join([spelt[token] for token in ids]).decode("utf-8", "replace")

    def bytes_of(self, token: int) -> bytes:
        """The UTF-8 bytes the token stands for, b"" for specials. A character may be spread over several tokens."""
        return self._bytes[token]

    def token(self, token: int) -> str:
        """The token as the vocabulary spells it."""
        return self._tokens[token]

    def id_of(self, token: str) -> int | None:
        """The id of the token spelt so in the vocabulary (`<|sep|>`, a character), or None."""
        return self._ids.get(token)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self._tokens)}

    @cached_property
    def _table(self) -> CharacterTable:
        with_bytes = self._tokens[len(SPECIALS) : len(SPECIALS) + 1] == [BYTES[0]]
        known = {token: number for number, token in enumerate(self._tokens) if len(token) == 1}
        return CharacterTable(known, len(SPECIALS) if with_bytes else None, UNK)

    @cached_property
    def _model(self) -> Any:
        return check.library_tokenizer(self._json)


_LINE = re.compile(r"\n(?=\S)")
_PIECE, _BATCH = 1 << 15, 1 << 21


def _batches(texts: Sequence[str]) -> Iterator[list[tuple[int, str]]]:
    """(number of the text, piece of it) in lists of at most about two million characters, for the library's memory goes
    by the token. Long texts are cut where a line begins with a letter or mark: no token reaches across that."""
    batch: list[tuple[int, str]] = []
    size = 0
    for number, text in enumerate(texts):
        begin = 0
        while begin < len(text):
            end = len(text)
            if end - begin > 2 * _PIECE and (line := _LINE.search(text, begin + _PIECE)):
                end = line.end()
            batch.append((number, text[begin:end]))
            size += end - begin
            begin = end
            if size >= _BATCH:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _spelling(kind: Kind, tokens: Sequence[str]) -> list[bytes]:
    if kind == "bpe":
        alphabet = layout.bytes_alphabet()
        return [b"" if number < len(SPECIALS) else bytes(alphabet[letter] for letter in token)
                for number, token in enumerate(tokens)]  # fmt: skip
    single = {token: bytes([byte]) for byte, token in enumerate(BYTES)}
    spelt = [single.get(token) or token.encode() for token in tokens]
    return [b""] * len(SPECIALS) + spelt[len(SPECIALS) :]
