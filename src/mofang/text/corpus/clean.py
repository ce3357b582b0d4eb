"""Text as it should be learned: in one form, without what is not the work."""

import re
import unicodedata
from typing import Any, Literal

from mofang.text.corpus.repeated import RepeatedLines
from mofang.text.corpus.tally import Tally

Form = Literal["NFC", "NFKC", "none"]

_INVISIBLE = re.compile("[\ufeff\u200b\u2060\u00ad\x00-\x08\x0b\x0e-\x1f\x7f]")
_TRAILING = re.compile(r"[ \t\u3000]+$", re.M)
_BLANKS = re.compile(r"\n{3,}")

# https://www.gutenberg.org/policy/license.html: the licence stands around the work and is not part of it.
_GUTENBERG_START = re.compile(
    r"\*\*\* ?START OF TH(?:E|IS) PROJECT GUTENBERG[^\n]{0,200}\n?|\*END\*? ?THE SMALL PRINT![^\n]*\n?", re.I
)
_GUTENBERG_END = re.compile(
    r"^ *\*\*\* ?END OF TH(?:E|IS) PROJECT GUTENBERG|^ *End of (?:the |this )?Project Gutenberg(?:'s|’s| EBook| eBook)",
    re.M | re.I,
)
_HEADER_WITHIN = 200_000

_NAVIGATION = (
    r"上一[章页頁回节節篇]|下一[章页頁回节節篇]|返回(?:目录|目錄|书页|首页|顶部|列表)|目录|目錄|加入书签|[（(]?本章(?:完|结束|未完[^\n]{0,20})[)）]?"
    r"|手机(?:用户|阅读)请[^\n]{0,40}|请(?:记住|收藏)本(?:书|站)[^\n]{0,60}|[^\n]{0,20}求(?:月票|推荐票)[^\n]{0,20}|最新章节[^\n]{0,40}"
    r"|[«‹←]?\s?(?:previous|prev|next)(?: (?:chapter|page|post|article))?\s?[»›→]?|back to (?:the )?(?:top|contents|index)"
    r"|table of contents|skip to (?:main )?content|share (?:this|on)[^\n]{0,40}|click here[^\n]{0,60}|sign (?:in|up)|log ?in"
    r"|all rights reserved\.?|(?:home|about|contact|archives?|search|menu)(?= ?[|·•/>»])"
)
_PAGE = (
    r"[-–—·•]\s?\d{1,4}\s?[-–—·•]|(?:page|pg?\.)\s?\d{1,4}(?:\s?(?:of|/)\s?\d{1,4})?|第\s?\d{1,4}\s?[页頁](?:[，,\s]?共\s?\d{1,4}\s?[页頁])?"
    r"|[\[【](?:pg?\.?|page|第)\s?\d{1,4}\s?[页頁]?[\]】]"
)
_LINES = re.compile(
    rf"^[ \t\u3000]*(?:(?P<page>{_PAGE})|(?P<number>\d{{1,4}})"
    rf"|(?P<navigation>(?:{_NAVIGATION})(?:[ \t\u3000]*[|｜·•/>»][ \t\u3000]*(?:{_NAVIGATION}|\w{{1,12}})"
    rf"|[ \t\u3000]+(?:{_NAVIGATION}))*))"
    r"[ \t\u3000]*$|(?P<feed>\f)",
    re.M | re.I,
)
_SHORT = 60  # characters in a page header, at most
_PAGE_LINES = range(15, 90)  # lines on a page: numbers that far apart and counting up are page numbers, not chapters


class Cleaner:
    """Cleans documents piece by piece; call `begin` before each."""

    def __init__(self, tally: Tally, form: Form = "NFC", simplify: bool = False) -> None:
        self._tally, self._form = tally, form
        self._repeated = RepeatedLines(tally)
        self._convert: Any = None
        if simplify:
            from opencc import OpenCC

            self._convert = OpenCC("t2s").convert
        self.begin()

    def begin(self) -> None:
        """A new document begins."""
        self._first, self._over = True, False
        self._page, self._since = -1, 0  # the last bare number, and lines since
        self._headers: dict[str, int] = {}

    def clean(self, text: str) -> str:
        """One piece of the document, cleaned; pieces end with a line."""
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if self._form != "none" and not unicodedata.is_normalized(self._form, text):
            text = unicodedata.normalize(self._form, text)
        text = (
            _INVISIBLE.sub("", text)
            .replace("\u00a0", " ")
            .replace("\x85", "\n")
            .replace("\u2028", "\n")
            .replace("\u2029", "\n\n")
        )
        text = self._work(text)
        text = self._without_pages(text)
        text = self._repeated.without(text)
        text = _BLANKS.sub("\n\n", _TRAILING.sub("", text))
        if self._first:
            text = text.lstrip("\n")
            self._first = not text
        return self._convert(text) if self._convert else text

    def _work(self, text: str) -> str:
        """The work without Project Gutenberg's header and licence."""
        if self._over:
            self._tally.drop("Project Gutenberg's licence", text)
            return ""
        if self._first and (begin := _GUTENBERG_START.search(text, 0, _HEADER_WITHIN)):
            self._tally.drop("Project Gutenberg's licence", text[: begin.end()])
            text = text[begin.end() :]
        if ("Gutenberg" in text or "GUTENBERG" in text) and (end := _GUTENBERG_END.search(text)):
            self._tally.drop("Project Gutenberg's licence", text[end.start() :])
            self._over = True
            text = text[: end.start()]
        return text

    def _without_pages(self, text: str) -> str:
        """The text without page numbers, the headers beside them, form feeds and lines that only lead elsewhere."""
        kept: list[str] = []
        done = line = 0
        for found in _LINES.finditer(text):
            line_then, line = line, line + text.count("\n", done, found.start())
            self._since += line - line_then
            kind = found.lastgroup
            if kind == "number" and not self._turns(int(found["number"])):
                continue
            begin, stop = found.span()
            if kind == "feed":
                kept.append(text[done:begin] + "\n")
            else:
                reason = "navigation line" if kind == "navigation" else "page number"
                self._tally.drop(reason, found[0])
                if kind != "navigation":
                    begin, stop = self._with_header(text, done, begin, stop)
                kept.append(text[done:begin])
                stop += text[stop : stop + 1] == "\n"
            line += text.count("\n", max(done, found.start()), stop)
            done = stop
        self._since += text.count("\n", done)
        return "".join(kept) + text[done:] if kept else text

    def _turns(self, number: int) -> bool:
        """Whether a bare number on a line is the next page's."""
        turns = number == self._page + 1 and self._since in _PAGE_LINES
        self._page, self._since = number, 0
        return turns

    def _with_header(self, text: str, done: int, begin: int, stop: int) -> tuple[int, int]:
        """The span of a page number together with the running header on the line before or after it, once it has run thrice."""
        before = text.rfind("\n", done, max(done, begin - 1)) + 1 or done
        after = text.find("\n", stop + 1)
        after = len(text) if after < 0 else after
        for first, last in ((before, begin), (stop + 1, after)):
            header = text[first:last].strip()
            if not 0 < len(header) <= _SHORT:
                continue
            self._headers[header] = self._headers.get(header, 0) + 1
            if self._headers[header] > 2:
                self._tally.drop("running header", header)
                return min(first, begin), max(last, stop)
        return begin, stop
