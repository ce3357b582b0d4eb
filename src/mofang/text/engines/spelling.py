"""The bytes of tokens as any tokenizer of Transformers spells them, one by one, so that a text can be shown as it comes.

Decoding everything again with each token is no way: an unfinished character turns characters before it into U+FFFD as
well, where a tokenizer spells several in bytes.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from mofang.text.tokenizer.layout import bytes_alphabet

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_SEEN = 4
"""Tokens before that are decoded along: whether a word begins with a space depends on what stands before it."""


class Spelling:
    """Follows a text after the tokens `before`."""

    def __init__(self, tokenizer: Any, before: Sequence[int] = ()) -> None:
        self._tokenizer = tokenizer
        self._special = set(tokenizer.all_special_ids)
        decoder = getattr(getattr(tokenizer, "backend_tokenizer", None), "decoder", None)
        kinds = _kinds(json.loads(decoder.__getstate__())) if decoder is not None else set()
        self._alphabet = bytes_alphabet() if "ByteLevel" in kinds else {}
        self._falls_back = "ByteFallback" in kinds
        self._seen = [token for token in before if not self._byte(token)][-_SEEN:]

    def push(self, token: int) -> bytes:
        """What the next token adds, b"" for a special one. A character may be spread over several tokens."""
        if token in self._special:
            return b""
        if byte := self._byte(token):
            return byte
        if self._alphabet and all(letter in self._alphabet for letter in self._spelt(token)):
            return bytes(map(self._alphabet.__getitem__, self._spelt(token)))
        before = self._decode(self._seen)
        added = self._decode([*self._seen, token])[len(before) :]
        self._seen = [*self._seen, token][-_SEEN:]
        return added.encode("utf-8", "replace")

    def _byte(self, token: int) -> bytes:
        match = _BYTE.fullmatch(self._spelt(token)) if self._falls_back else None
        return bytes.fromhex(match[1]) if match else b""

    def _spelt(self, token: int) -> str:
        # Networks have more rows than tokens, for round numbers: what stands for nothing is spelt as nothing.
        return self._tokenizer.convert_ids_to_tokens(token) or ""

    def _decode(self, ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text


def _kinds(decoder: dict[str, Any]) -> set[str]:
    """The kinds of a decoder and of those inside it."""
    return {str(decoder.get("type"))}.union(*(_kinds(inner) for inner in decoder.get("decoders", ())))
