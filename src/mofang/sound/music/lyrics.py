"""Lyrics as a singer has them: lines of syllables, each with its stress or its tone.

A Chinese character is a syllable, with the tone it has when spoken. An English word has as many syllables as its pronunciation
has vowels (by the voices' own front-end); its letters are parted between vowels, consonants going to the vowel that follows.
"""

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from mofang.sound.frontend.english.words import pronounce
from mofang.sound.frontend.mandarin.readings import is_han, readings
from mofang.sound.frontend.mandarin.sandhi import sandhi
from mofang.sound.frontend.mandarin.segment import segment
from mofang.studio.errors import UserError

LONG = 12
"""Syllables of a line of English from which commas part it."""
SHORT = 4
"""Syllables below which a clause is no line of its own."""
MOST = 600
"""Syllables of one song."""
LARGEST = 64 << 10
"""Bytes of a file of lyrics."""
VOWELS = frozenset("AIOQWYaeiouæɑɒɔəɛɜɪʊʌᵊᵻɐɚ")
"""Kokoro's symbols of vowels; capitals are diphthongs."""
_ONSETS = frozenset({*("bl", "br", "ch", "cl", "cr", "dr", "dw", "fl", "fr", "gh", "gl", "gr", "kn", "ph", "pl", "pr", "qu", "sc"),
                     *("sh", "sk", "sl", "sm", "sn", "sp", "st", "sw", "th", "tr", "tw", "wh", "wr"),
                     *("scr", "shr", "spl", "spr", "str", "thr")})  # fmt: skip
_LETTERS = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")


@dataclass(frozen=True)
class Syllable:
    """`text` as it is sung; `goes_on`: the word has more. `weight` is 2 where a word begins or is stressed, else 1. `target` is
    the height a Mandarin tone ends or aims at, 1 high, −1 low, 0 none."""

    text: str
    goes_on: bool = False
    weight: int = 1
    target: int = 0


Line = list[Syllable]
TARGETS = {"1": 1, "2": 1, "3": -1, "4": -1}
"""High: tone 1 and the end of 2. Low: tone 3 and the end of 4 (after Wee 2007; the neutral tone has none)."""


def parse(text: str) -> list[list[Line]]:
    """Stanzas (blank lines part them) of lines; a comma or a stop ends a line of Chinese too. Raises `UserError` for lyrics without
    a word to sing, or too many."""
    stanzas: list[list[Line]] = [[]]
    for row in unicodedata.normalize("NFC", text).splitlines():
        if not row.strip():
            stanzas.append([])
            continue
        whole = syllables(row)
        # A Chinese clause is a phrase of the tune; so is one of a long English line.
        split = any(map(is_han, row)) or len(whole) > LONG
        parts = re.split(r"(?<=[，。；！？：,;.!?])(?=\D)", row) if split else []
        clauses = [line for part in parts if (line := syllables(part))] or [whole]
        lines: list[Line] = []
        for clause in clauses:
            # Calls such as `Twinkle,` belong to what follows.
            if lines and len(lines[-1]) < SHORT:
                lines[-1] = lines[-1] + clause
            elif clause:
                lines.append(clause)
        stanzas[-1] += lines
    stanzas = [stanza for stanza in stanzas if stanza]
    count = sum(len(line) for stanza in stanzas for line in stanza)
    if not count:
        raise UserError("there is nothing to sing: the lyrics have no words; give Chinese or English text")
    if count > MOST:
        raise UserError(f"the lyrics have {count:,} syllables; {MOST} are set at most: sing them in parts")
    return stanzas


def read(given: str) -> str:
    """The lyrics in the file `given` names, or `given` itself. Raises `UserError`."""
    if not given.strip():
        raise UserError("there are no lyrics; give a line of text or a .txt file")
    if "\n" in given or len(given) > 255 or not given.lower().endswith((".txt", ".md")):
        return given
    path = Path(given)
    try:
        if path.stat().st_size > LARGEST:
            raise UserError(f"{path} has more than {LARGEST >> 10} KB; give the lyrics of one song")
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the lyrics {path} cannot be read ({str(error)[:60]}); give a text file in UTF-8") from error


def syllables(line: str) -> Line:
    """The syllables of one line, Chinese and English in any order; signs go with the syllable before them, digits are not sung."""
    tones, words = _tones(line)
    found = [(at, Syllable(line[at], weight=1 + (at in words), target=TARGETS.get(tone, 0))) for at, tone in tones.items()]
    for match in _LETTERS.finditer(line):
        word = match[0]
        if any(map(is_han, word)):
            continue
        parts, stressed = _english(word)
        for number, part in enumerate(parts):
            found.append((match.start() + number, Syllable(part, number < len(parts) - 1, 2 if number == stressed else 1)))
    return [syllable for _, syllable in sorted(found, key=lambda pair: pair[0])]


def _tones(line: str) -> tuple[dict[int, str], set[int]]:
    """The tone digit of every Chinese character by its place, and the places where words begin."""
    if not any(map(is_han, line)):
        return {}, set()
    plain = "".join(letter if len(letter.encode("utf-16-le")) == 2 else "?" for letter in line)
    words = segment(plain)
    cited = [reading if is_han(letter) else "" for reading, letter in zip(readings(plain, words, line), plain, strict=True)]
    spoken = sandhi(plain, words, cited, frozenset())
    return ({at: spoken[at][-1:] for at, letter in enumerate(line) if is_han(letter)}, {word.start for word in words})


def _english(word: str) -> tuple[list[str], int]:
    """A word's letters by syllables, and which is stressed."""
    sounds = "".join(sound for _, _, sound in pronounce(word))
    count, stressed = 0, -1
    for at, sound in enumerate(sounds):
        # What follows a diphthong in `fire` and `hour` is sung with it.
        if sound in VOWELS and not (sound == "ə" and at and sounds[at - 1] in "IWY"):
            stressed = count if at and sounds[at - 1] == "ˈ" else stressed
            count += 1
    return divided(word, max(1, count)), stressed


def divided(word: str, count: int) -> list[str]:
    """`word` in `count` pieces (fewer if it has fewer letters), parted before the consonants that can begin a syllable."""
    groups = [match.span() for match in re.finditer(r"[aeiouyà-öø-ÿ]+", word.lower())]
    if len(groups) > count and word.lower().endswith("e") and groups[-1] == (len(word) - 1, len(word)):
        groups.pop()
    while len(groups) > count and len(groups) > 1:
        if (silent := [at for at, (start, end) in enumerate(groups) if at and word[start:end] == "e"]):
            del groups[silent[-1]]
            continue
        # The vowels nearest each other are the likeliest to sound as one.
        gaps = [later[0] - earlier[1] for earlier, later in pairwise(groups)]
        at = len(gaps) - 1 - gaps[::-1].index(min(gaps))
        groups[at : at + 2] = [(groups[at][0], groups[at + 1][1])]
    while len(groups) < count:
        longest = max(range(len(groups)), key=lambda at: groups[at][1] - groups[at][0], default=None)
        if longest is None or groups[longest][1] - groups[longest][0] < 2:
            break
        start, end = groups[longest]
        groups[longest : longest + 1] = [(start, start + 1), (start + 1, end)]
    cuts = [_cut(word.lower(), earlier[1], later[0]) for earlier, later in pairwise(groups)]
    return [word[a:b] for a, b in pairwise([0, *cuts, len(word)])]


def _cut(word: str, start: int, end: int) -> int:
    """Where the consonants between two vowels part: the longest that begins a word goes with the second."""
    between = word[start:end]
    if len(between) < 2:
        return start
    if word[start:].endswith("le") and end == len(word) - 1:
        return end - 2
    return next((end - size for size in (3, 2) if size <= len(between) and between[-size:] in _ONSETS), end - 1)
