"""Grammars in llama.cpp's notation, GBNF (https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md)."""

import re
from collections.abc import Callable
from typing import NoReturn

from mofang.studio.errors import UserError
from mofang.text.forms.automaton import LAST_POINT
from mofang.text.forms.grammar import Grammar, Item, ranges_of
from mofang.text.forms.tokens import FormConstraint, Spelling, vocabulary_of

LONGEST = 1 << 20
MOST_TIMES = 2_000
_DEEPEST = 100
_NAME = re.compile(r"[A-Za-z0-9-]+")
_SPACE = re.compile(r"(?:[ \t]|#[^\n]*)*")
_LINES = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_TIMES = re.compile(r"\{\s*(\d+)\s*(?:(,)\s*(\d+)?\s*)?\}")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "[": "[", "]": "]", "-": "-", "^": "^"}
_HEX = {"x": 2, "u": 4, "U": 8}


def constraint(text: str, tokenizer: Spelling) -> Callable[[], FormConstraint]:
    """The grammar in `text` as a rule for any tokenizer. Raises `UserError`."""
    start = parse(text).opened()
    vocabulary = vocabulary_of(tokenizer)
    return lambda: FormConstraint(vocabulary, start)


def parse(text: str) -> Grammar:
    """The grammar in `text`; its root is the rule called `root`. Raises `UserError` saying where it is wrong."""
    if len(text) > LONGEST:
        raise UserError(f"a grammar of over {LONGEST >> 20} MB is none that anybody wrote; give a smaller one")
    return _Parser(text).grammar()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text, self._at, self._deep = text, 0, 0
        self._numbers: dict[str, int] = {"root": 0}
        self._rules: list[list[tuple[Item, ...]] | None] = [None]

    def grammar(self) -> Grammar:
        self._skip(_LINES)
        while self._at < len(self._text):
            name = self._match(_NAME) or self._wrong("a rule's name should stand here")
            self._skip(_SPACE)
            if not self._text.startswith("::=", self._at):
                self._wrong("'::=' should stand here")
            self._at += 3
            number = self._number(name)
            if self._rules[number] is not None:
                self._wrong(f"the rule '{name}' stands twice")
            self._rules[number] = self._alternatives(_LINES)
            self._skip(_LINES)
        missing = [name for name, number in self._numbers.items() if self._rules[number] is None]
        if missing:
            raise UserError(f"the grammar has no rule '{missing[0][:60]}'; write one")
        return Grammar([rule for rule in self._rules if rule is not None])

    def _alternatives(self, before: re.Pattern[str]) -> list[tuple[Item, ...]]:
        """Sequences with `|` between them; inside a group (`before` is `_LINES` all through) lines may break anywhere."""
        self._deep += 1
        if self._deep > _DEEPEST:
            self._wrong("groups are nested too deeply")
        self._skip(before)
        found = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            self._skip(_LINES)
            found.append(self._sequence())
        self._deep -= 1
        return found

    def _sequence(self) -> tuple[Item, ...]:
        items: list[Item] = []
        while True:
            part = self._part()
            if part is None:
                return tuple(items)
            self._skip(_SPACE if self._deep == 1 else _LINES)
            while (again := self._repetition()) is not None:
                part = self._repeated(part, *again)
                self._skip(_SPACE if self._deep == 1 else _LINES)
            items.extend(part)

    def _part(self) -> list[Item] | None:
        letter = self._peek()
        if letter == '"':
            return self._string()
        if letter == "[":
            return [self._class()]
        if letter == ".":
            self._at += 1
            return [((0, LAST_POINT),)]
        if letter == "(":
            self._at += 1
            rule = self._alternatives(_LINES)
            if self._peek() != ")":
                self._wrong("')' should stand here")
            self._at += 1
            return [self._new(rule)]
        if name := self._match(_NAME):
            return [self._number(name)]
        return None

    def _string(self) -> list[Item]:
        self._at += 1
        items: list[Item] = []
        while self._peek() != '"':
            point = self._point()
            items.append(((point, point),))
        self._at += 1
        return items

    def _class(self) -> Item:
        self._at += 1
        negated = self._peek() == "^"
        self._at += negated
        pairs = []
        while self._peek() != "]":
            first = self._point()
            if self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in ("]", ""):
                self._at += 1
                last = self._point()
                if last < first:
                    self._wrong("the range ends before it begins")
                pairs.append((first, last))
            else:
                pairs.append((first, first))
        self._at += 1
        ranges = ranges_of(pairs, negated)
        return ranges if ranges else self._wrong("no character is left in this class")

    def _point(self) -> int:
        letter = self._peek() or self._wrong("the grammar breaks off here")
        self._at += 1
        if letter != "\\":
            return ord(letter)
        kind = self._peek()
        self._at += 1
        if kind in _ESCAPES:
            return ord(_ESCAPES[kind])
        digits = self._text[self._at : self._at + _HEX.get(kind, 0)]
        self._at += len(digits)
        if kind not in _HEX or not re.fullmatch(rf"[0-9a-fA-F]{{{_HEX[kind]}}}", digits) or int(digits, 16) > LAST_POINT:
            self._wrong("this escape is unknown")
        return int(digits, 16)

    def _repetition(self) -> tuple[int, int | None] | None:
        letter = self._peek()
        if letter in ("*", "+", "?") and letter:
            self._at += 1
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[letter]
        if letter != "{":
            return None
        found = _TIMES.match(self._text, self._at) or self._wrong("repetitions are written {2}, {2,} or {2,5}")
        self._at = found.end()
        least = int(found[1])
        most = least if not found[2] else int(found[3]) if found[3] else None
        if max(least, most or 0) > MOST_TIMES or (most is not None and most < least):
            self._wrong(f"repetitions go up to {MOST_TIMES}, the smaller number first")
        return least, most

    def _repeated(self, part: list[Item], least: int, most: int | None) -> list[Item]:
        if least * len(part) > MOST_TIMES * 10:
            self._wrong("this repetition is too large")
        rest: list[Item] = []
        if most is None:
            number = self._new(None)
            self._rules[number] = [(*part, number), ()]
            rest = [number]
        elif most > least:
            # (x (x (x)?)?)? reads every count in one way only.
            number = self._new([tuple(part), ()])
            for _ in range(most - least - 1):
                number = self._new([(*part, number), ()])
            rest = [number]
        return part * least + rest

    def _new(self, rule: list[tuple[Item, ...]] | None) -> int:
        self._rules.append(rule)
        if len(self._rules) > 50_000:
            self._wrong("the grammar has too many parts")
        return len(self._rules) - 1

    def _number(self, name: str) -> int:
        if name not in self._numbers:
            self._numbers[name] = self._new(None)
        return self._numbers[name]

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found:
            self._at = found.end()
        return found[0] if found else ""

    def _skip(self, pattern: re.Pattern[str]) -> None:
        self._match(pattern)

    def _wrong(self, what: str) -> NoReturn:
        line = self._text.count("\n", 0, self._at) + 1
        raise UserError(f"the grammar is wrong in line {line} near '{self._text[self._at : self._at + 20]}': {what}")
