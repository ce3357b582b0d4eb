"""Numbers in Mandarin words."""

_DIGITS = "零一二三四五六七八九"
_GROUPS = ("", "万", "亿", "万亿", "亿亿")


def digits(number: str, telephone: bool = False) -> str:
    """Digit by digit; in telephone and room numbers 1 is said 幺, which cannot be taken for 七."""
    names = "零幺二三四五六七八九" if telephone else _DIGITS
    return "".join(names[int(d)] if d.isdigit() else d for d in number)


def _group(value: int, lead: bool) -> str:
    """A number below ten thousand; `lead`: digits stand before it, so a gap is said 零."""
    out, gap = "", lead and value < 1000
    for power, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, power)
        if not digit:
            gap = gap or bool(out)
            continue
        out += "零" if gap and (out or lead) else ""
        gap = False
        # 两千, 两百 but 二十 and a final 二; 十五 rather than 一十五 where the number begins with it.
        word = "两" if digit == 2 and power >= 100 and not out and not lead else _DIGITS[digit]
        out += ("" if power == 10 and digit == 1 and not out and not lead else word) + name
    return out


def cardinal(value: int) -> str:
    """1299 → 一千二百九十九, 20000 → 两万, 100000010 → 一亿零一十. Longer than 20 digits is read digit by digit."""
    if value < 0:
        return "负" + cardinal(-value)
    if value == 0:
        return "零"
    if value >= 10 ** (4 * len(_GROUPS)):
        return digits(str(value))
    groups = []
    while value:
        value, group = divmod(value, 10_000)
        groups.append(group)
    out, gap = "", False
    for power in range(len(groups) - 1, -1, -1):
        group = groups[power]
        if not group:
            gap = bool(out)
            continue
        words = _group(group, lead=bool(out))
        if gap and not words.startswith("零"):
            words = "零" + words
        if words == "二" and power:
            words = "两"
        # 万亿 after 亿亿 would name 亿 twice; readers say the unit of each group, which is what people do.
        out, gap = out + words + _GROUPS[power], False
    return out


def number(text: str) -> str:
    """A written number, with thousands commas, a decimal point or a sign: '-1,299.50' → 负一千二百九十九点五零."""
    sign, text = ("负", text[1:]) if text[:1] in ("-", "−") else ("", text.lstrip("+"))
    whole, point, fraction = text.replace(",", "").partition(".")
    words = cardinal(int(whole or "0")) if len(whole) <= 1 or whole[0] != "0" else digits(whole)
    return sign + words + ("点" + digits(fraction) if point and fraction else "")


def counted(text: str) -> str:
    """A number before what it counts: 2 is 两 (两个, 两点五 stays 二点五)."""
    return "两" if text.lstrip("0") == "2" and text[0] != "0" else number(text)


def amount(text: str) -> str:
    """A sum of money: cents that are zero go unsaid, and so does a zero at the end."""
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return counted(text or "0")


def roman(numeral: str) -> int:
    """IX → 9."""
    values = [{"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}[c] for c in numeral]
    return sum(-v if v < after else v for v, after in zip(values, [*values[1:], 0], strict=True))
