"""Long lines that stand in many places: notices, advertisements, disclaimers."""

import re

from mofang.text.corpus.tally import Tally

ALLOWED = 2
"""A line may stand so often; from then on it is dropped."""
_REMEMBERED = 1 << 20
_LONG = re.compile("^(?:[^\n]*[\u3400-\u9fff][^\n]{23,}|[^\n]{40,})$", re.M)


class RepeatedLines:
    """Drops long lines seen too often in the corpus: ones of 40 characters, or 24 where there is Chinese.

    Shorter lines are left alone, for they are refrains, speakers' names and "哈哈哈". What is remembered is bounded by
    lossy counting (Manku and Motwani 2002): when a million lines are known, those seen once are forgotten, so a line
    rarer than one in a million may be missed, and none is dropped that was not repeated.
    """

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._seen: dict[int, int] = {}

    def without(self, text: str) -> str:
        """The text without lines that were there too often."""
        seen = self._seen
        gone: list[tuple[int, int]] = []
        for found in _LONG.finditer(text):
            key = hash(found[0].strip())
            count = seen[key] = seen.get(key, 0) + 1
            if count > ALLOWED:
                gone.append(found.span())
                self._tally.drop("line seen again and again", found[0])
        if len(seen) > _REMEMBERED:
            self._seen = {key: count for key, count in seen.items() if count > 1}
            if len(self._seen) > _REMEMBERED // 2:
                self._seen = {key: count for key, count in self._seen.items() if count > ALLOWED}
        if not gone:
            return text
        kept, done = [], 0
        for begin, stop in gone:
            kept.append(text[done:begin])
            done = stop + (text[stop : stop + 1] == "\n")
        return "".join(kept) + text[done:]
