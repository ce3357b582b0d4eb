"""A reading written into the text: `[重](chong2)庆`, `[行长](háng zhǎng)`, `[Mofang](/moʊfˈɑŋ/)`.

Square brackets hold what is shown, round ones how it is said: pinyin, one syllable for each Chinese character, the
tone as a digit or a mark; or Kokoro's phonemes between slashes. A Markdown link or any other bracket is left alone.
"""

import re
from collections.abc import Iterator

from mofang.sound.frontend.mandarin.readings import is_han
from mofang.sound.frontend.mandarin.syllables import numbered
from mofang.sound.frontend.spoken import Run
from mofang.sound.frontend.symbols import SYMBOLS
from mofang.studio.errors import UserError

MARK = re.compile(
    r"\[([^\[\]()\n]{1,80})\]"
    r"\((/[^/()\n]{1,200}/|[A-Za-zāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜüêÀ-ɏ]+[0-9]?(?:[ '’]+[^\W\d_]+[0-9]?){0,39})\)"
)


def visible(text: str) -> str:
    """`text` as it is shown: overrides reduced to what their square brackets hold."""
    return MARK.sub(lambda m: m[1] if _is_reading(m) else m[0], text)


def split(text: str) -> Iterator[Run | str]:
    """The plain stretches of `text` as strings and each override as a `Run` with its checked reading.

    Raises `UserError` naming the reading if it is no pinyin, has the wrong number of syllables, or uses a symbol
    that the voices do not know.
    """
    at = 0
    for match in MARK.finditer(text):
        if not _is_reading(match):
            continue
        if match.start() > at:
            yield text[at : match.start()]
        yield Run(match[1], match[1], _checked(match[1], match[2]))
        at = match.end()
    if at < len(text):
        yield text[at:]


def _is_reading(match: re.Match[str]) -> bool:
    """Pinyin makes sense only over Chinese characters; over Latin text it could be a Markdown link."""
    return match[2].startswith("/") or any(map(is_han, match[1]))


def _checked(shown: str, reading: str) -> str:
    if reading.startswith("/"):
        if unknown := sorted(set(reading[1:-1]) - SYMBOLS):
            raise UserError(
                f"the voices do not know {' '.join(unknown)} in [{shown}]({reading}); use Kokoro's phonemes, "
                "such as [Mofang](/mˈOfɑŋ/)"
            )
        return reading
    written = re.split(r"[ '’]+", reading.strip())
    syllables = []
    for pinyin in written:
        syllable = numbered(pinyin)
        if syllable is None:
            raise UserError(
                f"{pinyin!r} in [{shown}]({reading}) is not a syllable of Mandarin; write it like chong2 or chóng"
            )
        syllables.append(syllable)
    if len(syllables) != (count := sum(map(is_han, shown))):
        raise UserError(
            f"[{shown}]({reading}) has {count} characters and {len(syllables)} syllables; write one for each, "
            "with spaces between them"
        )
    return " ".join(syllables)
