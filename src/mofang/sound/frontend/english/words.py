"""English words as Kokoro's phonemes, by hibari's grapheme-to-phoneme models (Apache-2.0), loaded once."""

import re
import threading
from functools import lru_cache
from typing import Any

_LOADING = threading.Lock()
_LONGEST = 60  # letters: no English word is longer, and the model for unknown words slows with the square


@lru_cache(maxsize=1)
def _g2p() -> Any:
    from hibari.g2p import G2P

    return G2P()


def pronounce(text: str) -> list[tuple[int, int, str]]:
    """The tokens of `text` (words and punctuation, no digits) as (start, end, phonemes)."""
    with _LOADING:
        g2p = _g2p()
    # One curly or straight apostrophe, and no word that would stall the model: the places of letters do not move.
    plain = re.sub(r"[‘’]", "'", text)
    plain = re.sub(rf"[^\W\d_]{{{_LONGEST},}}", lambda m: m[0][:_LONGEST].ljust(len(m[0])), plain)
    spans, at = [], 0
    for token in g2p.phonemize_tokens(g2p.tokenize(plain)):
        start = plain.find(token.text, at)
        if start < 0:
            start = at
        end = start + len(token.text)
        spans.append((start, end, token.phonemes or ""))
        at = max(at, end)
    return spans
