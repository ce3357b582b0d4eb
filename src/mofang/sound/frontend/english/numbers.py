"""Numbers in English words, as an American speaker says them: no 'and', years in pairs."""

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALES = ["", " thousand", " million", " billion", " trillion", " quadrillion", " quintillion"]
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}


def digits(number: str, zero: str = "zero") -> str:
    """Digit by digit: '007' → zero zero seven."""
    return " ".join(zero if d == "0" else _ONES[int(d)] for d in number if d.isdigit())


def _below_thousand(value: int) -> str:
    words = [_ONES[value // 100], "hundred"] if value >= 100 else []
    value %= 100
    if value >= 20:
        words.append(_TENS[value // 10] + (f"-{_ONES[value % 10]}" if value % 10 else ""))
    elif value or not words:
        words.append(_ONES[value])
    return " ".join(words)


def cardinal(value: int) -> str:
    """1299 → one thousand two hundred ninety-nine; beyond quintillions digit by digit."""
    if value < 1000:
        return _below_thousand(value)
    if value >= 1000 ** len(_SCALES):
        return digits(str(value))
    groups = []
    for scale in _SCALES:
        value, group = divmod(value, 1000)
        if group:
            groups.append(_below_thousand(group) + scale)
    return " ".join(reversed(groups))


def ordinal(value: int) -> str:
    """21 → twenty-first."""
    head, joint, last = cardinal(value).rpartition(" ")
    tens, dash, one = last.rpartition("-")
    one = _ORDINALS.get(one) or (one[:-1] + "ieth" if one.endswith("y") else one + "th")
    return head + joint + tens + dash + one


def year(value: int) -> str:
    """1905 → nineteen oh five, 2000 → two thousand, 2007 → two thousand seven, 2024 → twenty twenty-four."""
    century, rest = divmod(value, 100)
    if value % 1000 < 10 or century < 10:
        return cardinal(value)
    return f"{cardinal(century)} " + ("hundred" if rest == 0 else f"oh {_ONES[rest]}" if rest < 10 else cardinal(rest))


def plural(words: str) -> str:
    """The plural of number words: nineteen ninety → nineteen nineties."""
    return words[:-1] + "ies" if words.endswith("y") else words + ("es" if words.endswith("x") else "s")


def number(text: str) -> str:
    """A written number, with commas, a point or a sign: '-1,299.5' → minus one thousand … point five."""
    sign, text = ("minus ", text[1:]) if text[:1] in ("-", "−") else ("", text.lstrip("+"))
    whole, _, fraction = text.replace(",", "").partition(".")
    words = digits(whole) if len(whole) > 1 and whole[0] == "0" else cardinal(int(whole or "0"))
    return sign + words + (f" point {digits(fraction)}" if fraction else "")
