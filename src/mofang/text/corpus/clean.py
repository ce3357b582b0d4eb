"""Text as it should be learned: in one form, without what is not the work."""

import re
import unicodedata
from typing import Any, Literal

from mofang.text.corpus.tally import Tally

_INVISIBLE = re.compile("[\ufeff\u200b\u2060\u00ad\x00-\x08\x0b\x0e-\x1f\x7f]")
_TRAILING = re.compile(r"[ \t\u3000\u00a0]+$", re.M)
_BLANKS = re.compile(r"\n{3,}")


class Cleaner:
    """Cleans documents piece by piece; call `begin` before each."""

    def __init__(self, tally: Tally, form: Literal["NFC", "NFKC", "none"] = "NFC", simplify: bool = False) -> None:
        self._tally, self._form = tally, form
        self._convert: Any = None
        if simplify:
            from opencc import OpenCC

            self._convert = OpenCC("t2s").convert

    def begin(self) -> None:
        """A new document begins."""

    def clean(self, text: str) -> str:
        """One piece of the document, cleaned."""
        text = self._normal(text)
        text = _INVISIBLE.sub("", text)
        text = _TRAILING.sub("", text)
        text = _BLANKS.sub("\n\n", text)
        return self._convert(text) if self._convert else text

    def _normal(self, text: str) -> str:
        if self._form == "none" or unicodedata.is_normalized(self._form, text):
            return text
        return unicodedata.normalize(self._form, text)
