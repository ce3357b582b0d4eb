"""Which sounds belong under a scene, by its words: a lexicon in Chinese and English, `words.tsv`."""

import csv
import re
from functools import lru_cache
from pathlib import Path

NOT = ("没有", "不再", "停了", "停止", "no ", "without ", "stopped")
"""A word near these is told to be absent."""
REACH = 6
AFTER = 16
"""Characters before a word in which a denial counts, and after it."""


@lru_cache(maxsize=1)
def _lexicon() -> tuple[tuple[str, tuple[str, ...], re.Pattern[str], float], ...]:
    rows = []
    with (Path(__file__).parent / "words.tsv").open(encoding="utf-8", newline="") as file:
        for effect, weight, zh, en in csv.reader(file, delimiter="\t"):
            chinese = tuple(each for each in zh.split(" ") if each)
            english = "|".join(re.escape(each.replace("_", " ")) for each in en.split(" ") if each)
            rows.append((effect, chinese, re.compile(rf"\b(?:{english})\b", re.IGNORECASE), float(weight)))
    return tuple(rows)


def effects_for(text: str, most: int = 2) -> tuple[str, ...]:
    """Names of at most `most` effects that a passage calls for, the surest first; none for a passage without such words."""
    found: dict[str, float] = {}
    for effect, chinese, english, weight in _lexicon():
        places = [match.span() for word in chinese for match in re.finditer(re.escape(word), text)]
        places += [match.span() for match in english.finditer(text)]
        count = sum(not _denied(text, start, end) for start, end in places)
        if count:
            found[effect] = found.get(effect, 0.0) + weight * count
    return tuple(sorted(found, key=lambda name: (-found[name], name))[:most])


def _denied(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - REACH) : start].lower(), text[end : end + AFTER].lower()
    if any(each in before for each in NOT):
        return True
    return any(after.lstrip().startswith(each) for each in ("停", "stopped", "had stopped", "has stopped"))
