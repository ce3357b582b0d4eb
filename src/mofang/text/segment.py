"""Text to sentences, and sentences to the passages of a film."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mofang.text.language import Lang, han_count, word_count
from mofang.text.markdown import Block, Kind
from mofang.text.read import Manuscript

_ENDS = "。！？!?…．"
_CLOSERS = "”’」』）)]】》〉\"'"
_PAIRS = {"“": "”", "「": "」", "『": "』", "（": "）", '"': '"'}
_SHORT = (
    "mr mrs ms dr prof st sr jr vs etc eg ie e.g i.e a.m p.m no vol fig inc ltd co gen col capt lt rev hon gov sen rep mt ft "
    "approx dept est jan feb mar apr jun jul aug sep sept oct nov dec u.s u.k ph.d b.c a.d"
)
_ABBREVIATIONS = frozenset(_SHORT.split())
_OPENERS = "he she it i we they you the a an this that these those there then but and so when in on at"
_STARTERS = frozenset(_OPENERS.split())
_LAST_WORD = re.compile(r"([A-Za-z][A-Za-z.]*)\.$")
_SAYS = re.compile(r"[^。！？!?“”「」，,]{0,6}(?:说|說|道|问|問|答|喊|叫|想|笑)[^。！？!?]{0,3}[。！？!?，,：:]?")
_CLAUSE = re.compile(r"(?<=[，；：、,;:—])(?=\s|[^\d\s])\s*")
_QUOTE_REACH = 160


def sentences(text: str, lang: Lang) -> list[str]:
    """The sentences of `text`; joined they give the text back, white space staying with the sentence before it.

    Both languages' punctuation counts in both, since texts mix them; `lang` decides how freely a quotation is divided:
    Chinese keeps a short quotation of several sentences whole, English does not need to.
    """
    found: list[str] = []
    start = at = 0
    while at < len(text):
        character = text[at]
        if character == "\n" or character in _ENDS or character == ".":
            end = _sentence_end(text, start, at)
            if end:
                found.append(text[start:end])
                start = at = end
                continue
            while at + 1 < len(text) and text[at + 1] in _ENDS + ".":
                at += 1
        elif lang == "zh" and character in _PAIRS:
            close = text.find(_PAIRS[character], at + 1, at + _QUOTE_REACH)
            if close > 0 and "\n" not in text[at:close]:
                # The last stop inside the quotation is the one that may end the sentence.
                at = close if text[close - 1] not in _ENDS + "." else close - 1
                if at < close and (end := _sentence_end(text, start, at)):
                    found.append(text[start:end])
                    start = at = end
                    continue
                at = close
        at += 1
    if start < len(text):
        found.append(text[start:])
    return _without_crumbs(found)


def _sentence_end(text: str, start: int, at: int) -> int:
    """Where the sentence ends that the stop at `at` closes, or 0 if it does not."""
    end = at
    if text[at] != "\n":
        while end < len(text) and text[end] in _ENDS + ".":
            end += 1
        stops = text[at:end]
        while end < len(text) and text[end] in _CLOSERS:
            # A straight quotation mark closes only when nothing was opened right after a space.
            end += 1
        rest = text[end : end + 80]
        if stops == "." and not _full_stop(text[start:end], text[at + 1 : at + 3], rest):
            return 0
        if set(stops) <= {"…", "."} and len(stops) > 1 and _goes_on(rest, end - start):
            return 0
        tail = rest.lstrip()
        if tail[:1].islower() or (text[end - 1] in _CLOSERS and _SAYS.match(tail)):
            return 0  # “Go!” he said.
        if tail[:1] in "，,；;：:、" and tail:
            return 0
    while end < len(text) and text[end].isspace():
        end += 1
    return end


def _full_stop(sentence: str, after: str, rest: str) -> bool:
    if rest and not rest[0].isspace() and not han_count(rest[0]) and after[:1] not in _CLOSERS:
        return False  # 3.14, example.com, e.g.
    last = _LAST_WORD.search(sentence.rstrip(_CLOSERS))
    if last:
        word = last[1].lower().rstrip(".")
        following = rest.split()[0].strip(_CLOSERS).lower() if rest.split() else ""
        if word in _ABBREVIATIONS or (len(word) == 1 and word != "i"):
            # “… at 5 p.m. The train left”: an abbreviation may stand last, and then a common opener follows.
            return not rest.strip() or (following in _STARTERS and word in ("a.m", "p.m", "etc", "u.s", "u.k", "b.c", "a.d"))
    return True


def _goes_on(rest: str, so_far: int) -> bool:
    return bool(rest) and not rest[0].isspace() and so_far < 12


def _without_crumbs(found: list[str]) -> list[str]:
    """A piece without a letter or digit is no sentence: it stays with the one before (or after, at the beginning)."""
    kept: list[str] = []
    for piece in found:
        if kept and not (any(map(str.isalnum, piece)) and any(map(str.isalnum, kept[-1]))):
            kept[-1] += piece
        else:
            kept.append(piece)
    return kept


def spoken_seconds(text: str, lang: Lang) -> float:
    """About how long a voice needs: 4.4 Chinese characters or 2.6 English words a second, and its pauses."""
    digits = sum(character.isdigit() for character in text)
    stops = sum(character in "。！？!?；;…." for character in text)
    commas = sum(character in "，,、：:—\n" for character in text)
    pauses = 0.35 * stops + 0.2 * commas
    return han_count(text) / 4.4 + word_count(text) / 2.6 + digits / (4.4 if lang == "zh" else 3.0) + pauses


@dataclass(frozen=True, slots=True)
class Passage:
    """What is said over one picture. `paragraph` is the index of its block in the manuscript; `picture` a file named
    in the text; verse keeps its line breaks."""

    text: str
    paragraph: int
    picture: str = ""
    kind: Kind = "paragraph"


def passages(manuscript: Manuscript, lang: Lang | None = None, *, seconds: tuple[float, float] = (5.0, 9.0)) -> list[Passage]:
    """The manuscript as film scenes that take about `seconds` (shortest, longest) to say.

    A passage never crosses a paragraph. Sentences are kept whole unless one is far too long; then it is divided where it
    has a comma. Verse goes by couplets. Together the passages hold every word of the text, in order.
    """
    language = lang or manuscript.lang
    result: list[Passage] = []
    for index, block in enumerate(manuscript.blocks):
        for piece in _pieces(block, language, seconds):
            result.append(Passage(piece, index, block.picture, block.kind))
    return result


def _pieces(block: Block, lang: Lang, seconds: tuple[float, float]) -> list[str]:
    if block.kind == "heading":
        return [block.text]
    if block.kind == "verse":
        return _couplets(block.text.split("\n"), lang, seconds[1])
    units: list[str] = []
    for sentence in sentences(block.text, lang):
        if spoken_seconds(sentence, lang) > seconds[1] * 1.4:
            units += _divide(sentence, lang, seconds)
        else:
            units.append(sentence)
    if _is_regulated(units):
        return [unit.strip() for unit in units]
    return [piece.strip() for piece in _group(units, lambda text: spoken_seconds(text, lang), seconds)]


def _couplets(lines: Sequence[str], lang: Lang, longest: float) -> list[str]:
    """Two lines a passage; a line that is a couplet by itself (it has a comma inside and ends with a stop) stays alone."""
    result: list[str] = []
    held = ""
    for line in lines:
        whole = line[-1] in _ENDS + "." and any(mark in line[:-1] for mark in "，,；;。")
        if held and spoken_seconds(held + line, lang) <= longest * 1.4 and not (whole and lang == "zh"):
            result.append(f"{held}\n{line}")
            held = ""
        elif held:
            result.append(held)
            held = line
        else:
            held = line
        if held and whole and lang == "zh":
            result.append(held)
            held = ""
    if held:
        result.append(held)
    return [piece for long in result for piece in _split_long(long, lang, longest)]


def _split_long(text: str, lang: Lang, longest: float) -> list[str]:
    return [text] if spoken_seconds(text, lang) <= longest * 1.6 else [p.strip() for p in _divide(text, lang, (5.0, longest))]


def _is_regulated(units: Sequence[str]) -> bool:
    """Classical verse printed as prose: every clause has five characters, or every clause has seven."""
    clauses = [clause for clause in re.split(r"[，。！？；\s]+", "".join(units)) if clause]
    return len(clauses) >= 4 and len({len(clause) for clause in clauses}) == 1 and len(clauses[0]) in (5, 7) \
        and han_count(clauses[0]) == len(clauses[0])  # fmt: skip


def _divide(sentence: str, lang: Lang, seconds: tuple[float, float]) -> list[str]:
    """A sentence that is too long for one picture, divided at its commas; at spaces or anywhere if it has none."""
    def measure(text: str) -> float:
        return spoken_seconds(text, lang)

    cuts = [0, *(found.end() for found in _CLAUSE.finditer(sentence) if 0 < found.end() < len(sentence)), len(sentence)]
    clauses = [sentence[a:b] for a, b in pairwise(cuts)]
    small: list[str] = []
    for clause in clauses:
        rate = max(measure(clause), 0.01) / len(clause)
        if rate * len(clause) <= seconds[1] * 1.6 and len(clause) <= 400:
            small.append(clause)
            continue
        size = max(12, min(int(seconds[1] / rate), 300))
        while len(clause) > size * 1.3:
            # A space near the end keeps words whole; a text without one (Chinese) may be cut between characters.
            cut = clause.rfind(" ", size // 2, size) + 1 or size
            while cut < len(clause) and not _may_cut(clause, cut):
                cut += 1
            small.append(clause[:cut])
            clause = clause[cut:]
        small.append(clause)
    return _group([piece for piece in small if piece], measure, seconds)


def _may_cut(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    word = before.isascii() and before.isalnum() and after.isascii() and after.isalnum()
    # Marks, joiners and variation selectors belong to the character before them.
    return not word and after.isprintable() and after not in "，。！？、；：”’）\u200d\ufe0f" and before != "\u200d" \
        and not "\u0300" <= after <= "\u036f"  # fmt: skip


def _group(units: Sequence[str], measure: Callable[[str], float], seconds: tuple[float, float]) -> list[str]:
    """Neighbours joined so that each group takes about the middle of `seconds`: the cheapest division, by dynamic
    programming over the last cut (as Knuth and Plass break lines)."""
    shortest, longest = seconds
    target = (shortest + longest) / 2
    lengths = [measure(unit) for unit in units]
    best = [0.0] + [float("inf")] * len(units)
    came = [0] * (len(units) + 1)
    for end in range(1, len(units) + 1):
        total = 0.0
        for begin in range(end - 1, -1, -1):
            total += lengths[begin]
            if total > longest * 1.25 and begin < end - 1:
                break
            outside = max(0.0, shortest - total, total - longest)
            cost = best[begin] + ((total - target) / target) ** 2 + (outside / target) ** 2 * 2
            if cost < best[end]:
                best[end], came[end] = cost, begin
    groups: list[str] = []
    end = len(units)
    while end:
        groups.insert(0, "".join(units[came[end] : end]))
        end = came[end]
    return groups
