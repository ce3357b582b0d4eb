"""Scripts read: who says what, how. Plain text and Markdown with cues, and Fountain (fountain.io/syntax)."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from mofang.sound.stage.emotion import PLAIN, Delivery, delivery
from mofang.studio.errors import UserError

NARRATOR = ""
"""The speaker of what nobody says."""
LONGEST = 400_000
"""Characters of a script."""
MOST_LINES, MOST_SPEAKERS = 5000, 64

_SQUARE = re.compile(r"【([^【】\n]{1,24})】((?:\s*[(（][^()（）\n]*[)）])*)\s*[:：]?\s*(.*)")
_BRACKET = re.compile(r"\[([^\[\]\n]{1,32})\]((?:\s*[(（][^()（）\n]*[)）])*)\s*[:：]\s*(.*)")
_COLON = re.compile(r"([^\s:：【\[(（][^:：【】\[\]\n]{0,31}?)()\s*(?:：|(?<!\d):(?!//)|:(?!\d|//))\s*(.*)")
_CUE = re.compile(r"[(（]([^()（）\n]{1,40})[)）]")
_SAYS = re.compile(r"[说道问喊答叫想曰写着是]$|[，。！？；、,.!?;“”\"]")
_CHARACTER = re.compile(r"(?=.*[A-Z])[^a-z\n(]{1,40}(?:\s*\([^)\n]*\))*\s*\^?$")
_HEADING = re.compile(r"(?:INT|EXT|EST|I/E|INT\./EXT|INT/EXT)[. ]|\.(?=[A-Za-z\u4e00-\u9fff])", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """Words of one speaker (`NARRATOR` for the narration) and how they are said."""

    speaker: str
    text: str
    delivery: Delivery = PLAIN


def read(text: str, *, fountain: bool = False, speakers: Collection[str] | None = None) -> list[Line]:
    """The lines of a script in order; of the names before a colon only those of `speakers` speak, if they are given. Raises
    `UserError` for one that says nothing or is too long."""
    if len(text) > LONGEST:
        raise UserError(f"this script has {len(text):,} characters; perform at most {LONGEST:,} at once, scene by scene")
    lines: list[Line] = []
    for speaker, said in _fountain(text) if fountain else _plain(text, speakers):
        lines += _said(speaker, said)
        if len(lines) > MOST_LINES:
            raise UserError(f"this script has more than {MOST_LINES} lines; perform it scene by scene")
    if not lines:
        raise UserError("nobody says anything in this script; write lines such as 【小狐狸】你好！ or Fox: Hello!")
    if len({line.speaker for line in lines}) > MOST_SPEAKERS:
        raise UserError(f"this script has more than {MOST_SPEAKERS} speakers; perform it scene by scene")
    return lines


def is_dialogue(text: str) -> bool:
    """Whether a text that nobody called a script is one: in brackets it names who speaks, or most of its paragraphs begin with a
    name and a colon. `Note: …` alone does not make a speaker."""
    bracketed = any(speaker for speaker, _ in _plain(text, ()))
    named = [bool(speaker) for speaker, _ in _plain(text, None)]
    return bracketed or (sum(named) >= 2 and sum(named) * 2 >= len(named))


def _plain(text: str, speakers: Collection[str] | None) -> Iterator[tuple[str, str]]:
    """A cue opens a speech; lines go on with it until an empty one."""
    speaker, held = NARRATOR, list[str]()
    for raw in [*text.splitlines(), ""]:
        line = re.sub(r"^\s*(?:#{1,6}\s+|>\s?|[-*+]\s+)+|(\*\*|__|\*(?=\S)|(?<=\S)\*)", "", raw).strip()
        opened = _opened(line, speakers)
        if held and (not line or opened):
            yield speaker, "\n".join(held)
            held = []
        if not line:
            speaker = NARRATOR
        elif opened:
            speaker, first = opened
            held = [first] if first else []
        else:
            held.append(line)


def _opened(line: str, speakers: Collection[str] | None) -> tuple[str, str] | None:
    """The speaker a line names and what is said in it. Moods written behind the name go before the words."""
    for form in (_SQUARE, _BRACKET, _COLON):
        if not (match := form.fullmatch(line)):
            continue
        name, cues = match[1], match[2]
        while cue := re.search(r"\s*[(（]([^()（）]*)[)）]\s*$", name):
            name, cues = name[: cue.start()], f"({cue[1]})" + cues
        name = name.strip()
        plain = name if name.lower() not in ("旁白", "narrator", "叙述", "narration") else NARRATOR
        if form is _COLON and not (_is_name(name) and (speakers is None or plain in (NARRATOR, *speakers))):
            continue
        if name:
            return plain, cues + match[3].strip()
    return None


def _is_name(name: str) -> bool:
    """Whether words before a colon are a name: `他说：` and `At 3:15` are not."""
    if not name or _SAYS.search(name) or name.isdigit():
        return False
    words = name.split()
    if re.search(r"[\u3400-\u9fff]", name):
        return len(name) <= 8 and len(words) == 1
    return len(words) <= 3 and all(word[0].isupper() or word[0].isdigit() for word in words) and any(c.isalpha() for c in name)


def _fountain(text: str) -> Iterator[tuple[str, str]]:
    """Characters' speeches, and action as narration; headings, transitions, notes and the title page are not spoken."""
    text = re.sub(r"/\*.*?\*/|\[\[.*?\]\]", "", text.replace("\r\n", "\n"), flags=re.DOTALL)
    if re.match(r"\s*[A-Za-z][\w ]{1,30}:", text):
        head, _, rest = text.partition("\n\n")
        text = rest if rest.strip() else head
    for block in re.split(r"\n[ \t]*\n", text):
        rows = [row.strip() for row in block.strip("\n").split("\n")]
        first = rows[0] if rows else ""
        if not first or first[0] in "#=" or (first.endswith("TO:") and first.isupper()) or _HEADING.match(first):
            continue
        if first[0] == ">":
            continue
        if len(rows) > 1 and (first.startswith("@") or _CHARACTER.fullmatch(first)) and not first.startswith("!"):
            together = "(interrupting)" if first.endswith("^") else ""
            name = re.sub(r"\s*\([^)]*\)", "", first.lstrip("@").rstrip("^ ")).strip()
            yield name, together + "\n".join(row.lstrip("~") for row in rows[1:])
        else:
            yield NARRATOR, "\n".join(row.lstrip("!") for row in rows)


def _said(speaker: str, text: str) -> Iterator[Line]:
    """A speech cut where a cue changes how it is said.

    A known cue holds to the end of the speech, a pause once. An unknown one that stands alone before the words or on a row is
    a stage direction, and silent; inside a sentence it is spoken as what it is, a parenthesis.
    """
    mood, rest, held = Delivery(), 0.0, ""
    at = 0
    for match in _CUE.finditer(text):
        asked = delivery(match[1])
        alone = not text[at : match.start()].strip() and (not held.strip() or text[match.start() - 1 : match.start()] == "\n")
        if asked is None and not (speaker and alone):
            continue
        held += text[at : match.start()]
        at = match.end()
        if asked is None:
            continue
        if _speaks(held):
            yield Line(speaker, _tidy(held), mood.then(Delivery(rest=rest)))
            rest, mood = 0.0, Delivery(mood.speed, mood.pitch, mood.gain)
            held = ""
        rest = min(rest + asked.rest, 10.0) if asked.rest and asked == Delivery(rest=asked.rest) else rest
        mood = mood if asked == Delivery(rest=asked.rest) else asked
    held += text[at:]
    if _speaks(held):
        yield Line(speaker, _tidy(held), mood.then(Delivery(rest=rest)))


def _speaks(text: str) -> bool:
    return any(letter.isalnum() for letter in text)


def _tidy(text: str) -> str:
    """One paragraph: rows of Chinese joined as they are, others by a space."""
    return re.sub(r"(?<=[\u3000-\u9fff\uff00-\uffef])\s*\n\s*(?=[\u3000-\u9fff\uff00-\uffef])", "", text).replace("\n", " ").strip()
