"""Written English to spoken English: what digits, dates, money, units, signs and abbreviations are called.

At one place the first rule that fits speaks, so the particular stands before the general. American usage.
"""
# ruff: noqa: E501 (a rule of the grammar is one line, so that it can be read across)

import re
from collections.abc import Iterable

from mofang.sound.frontend.english import numbers as say
from mofang.sound.frontend.english.tables import (
    ABBREVIATIONS,
    BIG,
    CHAPTERS,
    COUNTERS,
    MONARCHS,
    MONEY,
    MONTHS,
    SIGNS,
    TITLES,
    UNITS,
    WORDS,
)
from mofang.sound.frontend.spoken import Rule, Run, rewrite

Match = re.Match[str]


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))


N = r"(?:[0-9]+(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
DASH = r"\s?[-–—~]\s?"
START_OF_NUMBER = r"(?<![0-9A-Za-z.,])"
MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?)"
ROMAN = r"(?=[IVX])X{0,3}(?:IX|IV|V?I{0,3})"
_NO_STREETS = frozenset(["In", "At", "The", "Near", "From", "To", "Of", "On", "And", "But", "By", "For", "With", "As", "Saint", "Mount", "Mr", "Mrs"])
_FRACTIONS = {2: "half", 3: "third", 4: "quarter"}
START = re.compile(r"[0-9]|[" + re.escape("".join(s for s in SIGNS if len(s) == 1)) + re.escape("".join(m for m in MONEY if len(m) == 1)) +
                   r"(#~\-−'’.¢]|(?<![A-Za-z])[A-Za-z]|(?<= )[IVX]")


def _month(name: str) -> str:
    return next(m for m in MONTHS if m.startswith(name[:3]))


def _year(digits: str) -> str:
    return say.year(int(digits)) if len(digits) == 4 else say.number(digits)


def _date(year: str, month: int, day: int) -> str | None:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    if len(year) == 2:
        year = ("19" if int(year) > 50 else "20") + year
    return f"{MONTHS[month - 1]} {say.ordinal(day)}, {_year(year)}"


def _month_day(m: Match) -> str | None:
    day = int(m["d"])
    if not 1 <= day <= 31:
        return None
    return f"{_month(m['m'])} {say.ordinal(day)}" + (f" to {say.ordinal(int(m['to']))}" if m["to"] else "") + (
        f", {_year(m['y'])}" if m["y"] else "")


def _day_month(m: Match) -> str | None:
    if not 1 <= int(m["d"]) <= 31:
        return None
    return f"{m['the'] or 'the '}{say.ordinal(int(m['d']))} of {_month(m['m'])}" + (f", {_year(m['y'])}" if m["y"] else "")


def _clock(hour: str, minute: str, second: str | None, half: str | None) -> str | None:
    h, mi = int(hour), int(minute)
    if h > 24 or mi > 59:
        return None
    words = say.cardinal(h)
    if mi or second:
        words += f" oh {say.cardinal(mi)}" if 0 < mi < 10 else f" {say.cardinal(mi)}" if mi else " o'clock"
    elif not half:
        words += " o'clock" if h <= 12 and h else " hundred hours"
    if second:
        words += f" and {say.cardinal(int(second))} seconds"
    return words + (f" {half.upper()}.M." if half else "")


def _time(m: Match) -> str | None:
    words = _clock(m["h"], m["min"], m["s"], m["half"])
    return words and _ended(m, words)


def _ended(m: Match, words: str) -> str:
    """`words` with the full stop that an abbreviation's dot swallowed, where the sentence or the text ends there."""
    if not m[0].endswith(".") or re.match(r"\s*[^\sA-Z\"”’')]", m.string[m.end():]):
        return words
    return words.replace("A.M.", "AM").replace("P.M.", "PM") + "."


def _hour(m: Match) -> str:
    return _ended(m, f"{say.cardinal(int(m['h']))} {m['half'].upper()}.M.")


def _money(m: Match) -> str:
    one, many, cent, cents = MONEY[m["c"]]
    amount, big = m["n"].replace(",", ""), m["big"]
    if big:
        return f"{say.number(amount)} {BIG[big]} {many}"
    whole, _, fraction = amount.partition(".")
    if len(fraction) != 2:
        return f"{say.number(amount)} {one if amount == '1' else many}"
    dollars, rest = int(whole or 0), int(fraction)
    parts = []
    if dollars or not rest:
        parts.append(f"{say.cardinal(dollars)} {one if dollars == 1 else many}")
    if rest:
        parts.append(f"{say.cardinal(rest)} {cent if rest == 1 else cents}")
    return " and ".join(parts)


def _measure(m: Match) -> str:
    one, many = UNITS[m["u"]]
    single = m["n"].lstrip("-−+") == "1"
    if m["to"]:
        return f"{say.number(m['n'])} to {say.number(m['to'])} {many}"
    return f"{say.number(m['n'])} {one if single else many}"


def _fraction(m: Match) -> str:
    top, bottom = int(m[1]), int(m[2])
    if (top, bottom) == (24, 7):
        return "twenty-four seven"
    if not 0 < top < bottom or bottom > 100:
        return f"{say.cardinal(top)} over {say.cardinal(bottom)}"
    name = _FRACTIONS.get(bottom) or say.ordinal(bottom)
    return f"{say.cardinal(top)} " + (name if top == 1 else "halves" if bottom == 2 else name + "s")


def _roman(numeral: str) -> int:
    values = [{"I": 1, "V": 5, "X": 10}[c] for c in numeral]
    return sum(-v if v < after else v for v, after in zip(values, [*values[1:], 0], strict=True))


def _phone(m: Match) -> str:
    return ", ".join(say.digits(part) for part in re.findall(r"[0-9]+", m[0]))


def _web(m: Match) -> str:
    names = {".": " dot ", "/": " slash ", "@": " at ", "-": " dash ", "_": " underscore ", ":": " colon ", "?": " question mark ",
             "=": " equals ", "&": " and ", "#": " hash ", "%": " percent ", "+": " plus ", "~": " tilde "}
    address = re.sub(r"^https?://", "", m[0]).rstrip("/")
    address = re.sub(r"^www\.", "W W W.", address)
    return " ".join("".join(names.get(c, f" {say.digits(c)} " if c.isdigit() else c) for c in address).split())


def _bare(m: Match) -> str:
    """A number on its own: four digits between 1100 and 2099 are a year, a leading zero or great length are a code."""
    text = m[0]
    if len(text) == 4 and text.isdigit() and 1100 <= int(text) <= 2099:
        return say.year(int(text))
    if text.isdigit() and (len(text) > 9 or (len(text) > 1 and text[0] == "0")):
        return say.digits(text)
    return say.number(text)


def _sign(m: Match) -> str | None:
    """A sign is said between numbers and letters; elsewhere (arrows, ornaments) it is silent."""
    sign, before, after = m[0], m.string[:m.start()].rstrip()[-1:], m.string[m.end():].lstrip()[:1]
    if sign in "+*<>=%" and not before.isalnum():
        return ""
    if sign in "*<>=" and not (after.isalnum() or after in "(√-−±"):
        return ""
    words = SIGNS[sign]
    return (" " if m.string[m.start() - 1:m.start()].strip() else "") + words + (" " if m.string[m.end():m.end() + 1].strip() else "")


def _title(m: Match) -> str:
    return TITLES[m[1]]


def _saint(m: Match) -> str | None:
    """St. between capitals is a saint, unless the word before is the name of a street."""
    before = re.search(r"(\w+) $", m.string[max(0, m.start() - 24):m.start()])
    is_street = before and (before[1][0].isupper() or before[1][0].isdigit()) and before[1] not in _NO_STREETS
    return None if is_street else "Saint"


def _spelled_room(m: Match) -> str:
    return say.digits(m[0], zero="oh")


def _abbreviation(m: Match) -> str:
    return _ended(m, ABBREVIATIONS[m[1]])


RULES: list[Rule] = [(re.compile(pattern), read) for pattern, read in [
    # Addresses and codes
    (r"(?<![\w.])(?:[A-Za-z0-9][\w.+-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|https?://[!-~]*[\w/]|www\.[!-~]*[\w/]"
     r"|(?:[A-Za-z0-9-]+\.)+(?:com|cn|org|net|io|ai|gov|edu)(?:/[!-~]*[\w/])?(?!\w))", _web),
    (r"(?<![\w.])(?:\+?[0-9]{1,3}[- ])?\(?[0-9]{3}\)?[- .][0-9]{3}[- .][0-9]{4}(?![\w-])", _phone),
    (r"(?<![\w.-])[0-9]{3}-[0-9]{4}(?![\w-])|(?<![\w.])\+[0-9]{7,15}(?!\w)", _phone),
    (r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.])", lambda m: " dot ".join(say.digits(p) for p in m[0].split("."))),
    (r"(?<=[Cc]all )[0-9]{3}(?![\w.,-]*[0-9])|(?<=[Dd]ial )[0-9]{3}(?!\w)|(?<=[Rr]oom )[0-9]{3}(?!\w)|(?<=light )[0-9]{3,4}(?!\w)", _spelled_room),
    # Dates and times
    (r"(?<![\w/-])([12][0-9]{3})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?![\w/-])", lambda m: _date(m[1], int(m[2]), int(m[3]))),
    (r"(?<![\w/])([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}|[0-9]{2})(?![\w/])",
     lambda m: _date(m[3], int(m[1]), int(m[2])) or _date(m[3], int(m[2]), int(m[1]))),
    (rf"(?<!\w)(?P<m>{MONTH}) (?P<d>[0-9]{{1,2}})(?:st|nd|rd|th)?(?:[-–](?P<to>[0-9]{{1,2}}))?(?![\w:%]|\.[0-9])(?:,? (?P<y>[12][0-9]{{3}})(?!\w))?", _month_day),
    (rf"(?<!\w)(?P<the>the )?(?P<d>[0-9]{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<m>{MONTH})(?!\w)(?:,? (?P<y>[12][0-9]{{3}})(?!\w))?", _day_month),
    (r"(?<![\w:.])(?P<h>[0-9]{1,2}):(?P<min>[0-9]{2})(?::(?P<s>[0-9]{2}))?(?:\s?(?P<half>[AaPp])\.?[Mm](?:\.|(?![A-Za-z])))?(?![0-9:])", _time),
    (r"(?<![\w:.])(?P<h>1[0-2]|[1-9])\s?(?P<half>[AaPp])\.?[Mm](?:\.|(?![A-Za-z]))", _hour),
    (r"(?<!\w)([12][0-9])([0-9]0)s(?!\w)", lambda m: say.plural(say.year(int(m[1] + m[2])))),
    (r"['’]?(?<!\w)([2-9]0)s(?!\w)", lambda m: say.plural(say.cardinal(int(m[1])))),
    # Money
    (rf"(?P<c>{_any(MONEY)})\s?(?P<n>{N})\s?(?P<big>{_any(BIG)})?(?![A-Za-z])", _money),
    (rf"{START_OF_NUMBER}(?P<n>{N})\s?(?P<big>{_any(BIG)})?\s?(?P<c>USD|EUR|GBP|CNY|RMB|JPY|€|£|¥)(?!\w)", _money),
    (rf"{START_OF_NUMBER}({N})\s?¢", lambda m: say.number(m[1]) + (" cent" if m[1] == "1" else " cents")),
    # Per cent, measures, ranges, scores
    (rf"{START_OF_NUMBER}((?:[-−])?{N})(?:%)?{DASH}({N})\s?%", lambda m: f"{say.number(m[1])} to {say.number(m[2])} percent"),
    (rf"{START_OF_NUMBER}((?:[-−+])?{N})\s?%", lambda m: f"{say.number(m[1])} percent"),
    (rf"{START_OF_NUMBER}(?P<n>[-−]?{N})(?:{DASH}(?P<to>{N}))?[ -]?(?P<u>{_any(UNITS)})(?![\w/])", _measure),
    (rf"{START_OF_NUMBER}([0-9]{{4}}){DASH}([0-9]{{4}})(?![\w-])", lambda m: f"{_year(m[1])} to {_year(m[2])}"),
    (rf"{START_OF_NUMBER}([12][0-9]{{3}})[-–]([0-9]{{2}})(?![\w-])", lambda m: f"{_year(m[1])} to {say.cardinal(int(m[2]))}"),
    (rf"{START_OF_NUMBER}({N})(?:\s-\s|-)({N})(?=\s?=)", lambda m: f"{say.number(m[1])} minus {say.number(m[2])}"),
    (rf"{START_OF_NUMBER}({N}){DASH}({N})(?![\w-])", lambda m: f"{say.number(m[1])} to {say.number(m[2])}"),
    (rf"{START_OF_NUMBER}([0-9]+):([0-9]+)(?![\w:])", lambda m: f"{say.number(m[1])} to {say.number(m[2])}"),
    (r"(?<![\w/.])([0-9]{1,3})/([0-9]{1,3})(?![\w/])", _fraction),
    # Ordinals, names with numbers
    (r"(?<!\w)([0-9]{1,3}(?:,[0-9]{3})*|[0-9]{1,12})(?:st|nd|rd|th)(?!\w)", lambda m: say.ordinal(int(m[1].replace(",", "")))),
    (r"#(?=[0-9])", lambda m: "number "),
    (rf"(?<!\w)({_any(COUNTERS)})\.\s?(?=[0-9])", lambda m: COUNTERS[m[1]] + " "),
    (rf"(?<!\w)({CHAPTERS}) ({ROMAN})(?![\w.'’])", lambda m: f"{m[1]} {say.cardinal(_roman(m[2]))}"),
    (rf"(?<!\w)({CHAPTERS}) ({ROMAN})(?=[.'’](?!\w))", lambda m: f"{m[1]} {say.cardinal(_roman(m[2]))}"),
    (rf"(?<!\w)({MONARCHS}) (?!I[ ,.'’][a-z])({ROMAN})(?!\w)", lambda m: f"{m[1]} the {say.ordinal(_roman(m[2]))}"),
    # Abbreviations
    (rf"(?<![\w.])({_any(TITLES)})\.(?=\s?[A-Z])(?<!St\.)", _title),
    (rf"(?<![\w.])({_any(TITLES)})(?= [A-Z][a-z])(?<!\bFr)(?<!\bHon)(?<!\bGen)(?<!\bRep)(?<!\bCol)(?<!\bRev)", _title),
    (r"(?<![\w.])St\.(?= ?[A-Z])", _saint),
    (rf"(?<![\w.])({_any(ABBREVIATIONS)})\.(?![A-Za-z])", _abbreviation),
    (rf"(?<![\w./])({_any(WORDS)})(?!\w)", lambda m: WORDS[m[1]]),
    # Numbers
    (r"(?<![\w.])v([0-9]+(?:\.[0-9]+)*)(?!\w)", lambda m: "version " + " point ".join(map(say.number, m[1].split(".")))),
    (r"[0-9]+(?:\.[0-9]+){2,}", lambda m: " point ".join(map(say.number, m[0].split(".")))),
    (r"(?<=[A-Za-z])-?([0-9]+(?:\.[0-9]+)?)(?=[A-Za-z])", lambda m: f" {_bare(re.match(r'.*', m[1]) or m)} "),
    (r"(?<=[A-Za-z])-?([0-9]+(?:\.[0-9]+)?)", lambda m: f" {_bare(re.match(r'.*', m[1]) or m)}"),
    (rf"(?<![0-9.,])({N})x(?![A-Za-z0-9])", lambda m: f"{say.number(m[1])} times"),
    (rf"(?<![0-9.,])({N})(?P<big>[kKMB]|bn)(?![A-Za-z0-9])(?<!4K)(?<!8K)", lambda m: f"{say.number(m[1])} {BIG[m['big']]}"),
    (r"([0-9]+(?:\.[0-9]+)?)(?=[A-Za-z])", lambda m: f"{_bare(re.match(r'.*', m[1]) or m)} "),
    (rf"(?<![0-9A-Za-z)\]])[-−]{N}", lambda m: say.number(m[0])),
    (rf"{N}(?![0-9])", _bare),
    (r"[0-9]+", _bare),
    # Signs
    (f"[{re.escape(''.join(s for s in SIGNS if len(s) == 1))}]", _sign),
]]


def normalise(text: str) -> list[Run]:
    """The runs of `text` with what an English speaker says for them; their texts joined are `text`."""
    return list(rewrite(text, RULES, START))
