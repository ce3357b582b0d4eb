"""A form as a person asks for it: `七绝`, `lines:7,7,7,7+rhyme:AABA`, `acrostic:中秋快乐`, `json:schema.json`."""

import json
from collections.abc import Callable
from pathlib import Path

from mofang.studio.errors import UserError
from mofang.text.forms import gbnf, lines, schema, simple
from mofang.text.forms.automaton import State
from mofang.text.forms.combined import Combined
from mofang.text.forms.regulated import FORMS
from mofang.text.forms.tokens import FormConstraint, Spelling, vocabulary_of
from mofang.text.forms.unrepeated import Unrepeated
from mofang.text.forms.verse import opened
from mofang.text.sampling.constraint import Constraint

KNOWN = (*FORMS, "lines:7,7,7,7", "rhyme:AABA", "acrostic:中秋快乐", "ban:雨,雪", f"chars:{'|'.join(simple.CLASSES)}",
         "json:SCHEMA", "gbnf:GRAMMAR")  # fmt: skip
LONGEST_LINE, MOST_LINES = 200, 200


def parse(spec: str, tokenizer: Spelling) -> Callable[[], Constraint]:
    """The rule that a form stands for; several are joined with `+` and all kept. Raises `UserError`.

    `json:` and `gbnf:` take a file or the text itself, and stand last.
    """
    vocabulary = vocabulary_of(tokenizer)
    states: list[State] = []
    unrepeated = False
    widths: list[int] = []
    rhymes = ""
    for part in _parts(spec):
        kind, _, value = part.partition(":")
        if part in FORMS:
            states.append(opened(FORMS[part], vocabulary.characters))
            unrepeated = True
        elif kind == "lines":
            widths = _widths(value)
        elif kind == "rhyme":
            rhymes = value.strip()
        elif kind == "acrostic" and value.strip():
            states.append(simple.AcrosticState(value.strip()))
        elif kind == "ban" and (words := tuple(word for word in value.replace("，", ",").split(",") if word)):
            states.append(simple.BanState(words))
        elif kind == "chars" and value in simple.CLASSES:
            states.append(simple.CharsState(value))
        elif kind == "gbnf":
            states.append(gbnf.parse(_text(value)).opened())
        elif kind == "json":
            states.append(gbnf.parse(schema.grammar(_schema(_text(value)))).opened())
        else:
            raise UserError(f"there is no form '{part[:40]}'; known: {', '.join(KNOWN)}, several joined with +")
    if widths or rhymes:
        states.append(_lines(widths, rhymes))

    def made() -> Constraint:
        rules: list[Constraint] = [FormConstraint(vocabulary, state) for state in states]
        if unrepeated:
            rules.append(Unrepeated(vocabulary))
        return rules[0] if len(rules) == 1 else Combined(rules)

    return made


def settled(spec: str) -> str:
    """The same form with the text of a file in place of its name, so that it means the same tomorrow."""
    *parts, last = _parts(spec)
    kind, colon, value = last.partition(":")
    return "+".join([*parts, f"{kind}:{_text(value)}" if colon and kind in ("json", "gbnf") else last])


def _parts(spec: str) -> list[str]:
    """The forms between the plus signs; a grammar may hold plus signs itself."""
    for kind in ("json:", "gbnf:"):
        if (at := spec.find(kind)) == 0 or (at > 0 and spec[at - 1] == "+"):
            return [part.strip() for part in spec[: max(0, at - 1)].split("+") if part.strip()] + [spec[at:].strip()]
    return [part.strip() for part in spec.split("+")]


def _widths(value: str) -> list[int]:
    try:
        widths = [int(width) for width in value.replace("，", ",").split(",")]
    except ValueError:
        widths = []
    if not widths or len(widths) > MOST_LINES or not all(1 <= width <= LONGEST_LINE for width in widths):
        raise UserError(f"'lines:{value[:40]}' is no list of lengths; write it like lines:7,7,7,7, up to {MOST_LINES} lines of "
                        f"{LONGEST_LINE} characters")  # fmt: skip
    return widths


def _lines(widths: list[int], rhymes: str) -> State:
    if not widths:
        raise UserError("rhyme: needs lines: beside it, like lines:7,7,7,7+rhyme:AABA")
    if rhymes and (len(rhymes) != len(widths) or not all(letter == lines.FREE or letter.isalpha() for letter in rhymes)):
        raise UserError(f"rhyme:{rhymes[:40]} must have a letter (or - for free) for each of the {len(widths)} lines")
    return lines.opened(widths, rhymes)


def _text(value: str) -> str:
    """A file's text if it names a file, else itself."""
    try:
        path = Path(value).expanduser()
        if path.is_file() and path.stat().st_size <= gbnf.LONGEST:
            return path.read_text("utf-8")
    except (OSError, ValueError, RuntimeError):  # Too long for a name, or no text: then it is not a file's name.
        pass
    return value


def _schema(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"json: takes a JSON schema or a file with one; this is neither ({str(error)[:60]})") from error
    if not isinstance(found, dict):
        raise UserError("a JSON schema is an object, like {\"type\": \"string\"}")
    return found
