"""Regulated verse (近体诗): quatrains (绝句) and octaves (律诗) of five or seven characters, and how well a poem keeps them.

The rules are those of Wang Li, 诗词格律 (1977): a line is one of four tonal types; a poem is one of four sequences of
them (starting level or oblique, the first line rhyming or not); even lines rhyme in one level-tone Pingshui group; the
others end oblique, save a first line that rhymes. 一三五不论 is granted where it neither leaves a lone level tone (孤平)
nor ends a line in three level or three oblique tones; 平平仄平仄 may stand for 平平平仄仄, and 仄平平仄平 for 平平仄仄平.
Rescues from one line to the next (对句救) are not granted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mofang.text.forms.pingshui import LEVEL, OBLIQUE, level_groups, tone
from mofang.text.language import HAN

Template = tuple[int, ...]
"""The tones a line may have, position by position: bits of `LEVEL` and `OBLIQUE`."""


@dataclass(frozen=True)
class Form:
    """A form by its short name (五绝 七绝 五律 七律): `width` characters in a line, `height` lines."""

    name: str
    width: int
    height: int


FORMS = {form.name: form for form in (Form("五绝", 5, 4), Form("七绝", 7, 4), Form("五律", 5, 8), Form("七律", 7, 8))}

# The four types of line by their last five tones: 1 level, 2 oblique, 3 either. Lower case rhymes.
_ENDINGS: dict[str, tuple[str, ...]] = {
    "A": ("32312",),           # 仄仄平平仄
    "a": ("32211",),           # 仄仄仄平平
    "B": ("31122", "11212"),   # 平平平仄仄
    "b": ("11321", "31121"),   # 平平仄仄平
}  # fmt: skip
_OPENINGS = ("AbBa", "abBa", "BaAb", "baAb")
"""The first four lines of a poem; an octave goes on as the first line that does not rhyme would (粘)."""


def line_templates(kind: str, width: int) -> tuple[Template, ...]:
    """The templates of one type of line: a seven-character line puts two tones opposed to the type's own before five."""
    templates = [tuple(map(int, ending)) for ending in _ENDINGS[kind]]
    if width == 5:
        return tuple(templates)
    return tuple((LEVEL | OBLIQUE, LEVEL + OBLIQUE - ending[1], *ending) for ending in templates)


def sequences(form: Form) -> tuple[str, ...]:
    """The four sequences of line types a poem of `form` may follow, one letter a line."""
    rest = {"A": "AbBa", "B": "BaAb"}
    if form.height == 4:
        return _OPENINGS
    return tuple(opening + (rest["A"] if opening.endswith("Ba") else rest["B"]) for opening in _OPENINGS)


def lines_of(poem: str) -> list[str]:
    """The verse lines of a poem's text: what stands between its punctuation and line breaks."""
    return [line for line in re.split(f"[^{HAN}]+", poem) if line]


def form_of(lines: Sequence[str]) -> Form | None:
    """The form with this many lines of this many characters, whatever their tones and rhymes."""
    shape = ({len(line) for line in lines}, len(lines))
    return next((form for form in FORMS.values() if shape == ({form.width}, form.height)), None)


def _follows(line: str, kind: str) -> bool:
    tones = [tone(character) or LEVEL | OBLIQUE for character in line]
    return any(
        all(bits & asked for bits, asked in zip(tones, template, strict=True))
        for template in line_templates(kind, len(line))
    )


def fits_tones(lines: Sequence[str]) -> float:
    """The share of lines (0..1) within the best matching of the four sequences; 0 if the lines have no form.

    A character that the table does not hold fits anywhere.
    """
    form = form_of(lines)
    if form is None:
        return 0.0
    return max(sum(map(_follows, lines, sequence)) for sequence in sequences(form)) / form.height


def rhymes(lines: Sequence[str]) -> bool:
    """Whether the even lines end in one level-tone group, no rhyming character twice."""
    ends = [line[-1] for line in lines[1::2] if line]
    if len(ends) < 2 or len(set(ends)) < len(ends):
        return False
    return bool(frozenset.intersection(*map(level_groups, ends)))


def exact_form(text: str, form: Form | str) -> bool:
    """Whether `text` is a poem of `form` to the letter: its lines, each couplet on a line of its own as `verse` sets it."""
    form = FORMS[form] if isinstance(form, str) else form
    line = f"[{HAN}]{{{form.width}}}"
    couplet = f"{line}[，？！]{line}[。？！]"
    return re.fullmatch("\n".join([couplet] * (form.height // 2)), text.strip()) is not None


def verse(lines: Sequence[str]) -> str:
    """Lines as they are set: 春眠不觉晓，处处闻啼鸟。 — a couplet a line."""
    couplets = zip(lines[::2], lines[1::2], strict=True)
    return "\n".join(f"{first}，{second}。" for first, second in couplets)
