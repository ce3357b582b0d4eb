"""Written Mandarin to spoken Mandarin: what digits, dates, money, units and signs are called.

The order of `RULES` is the grammar: at one place the first rule that fits speaks, so the particular (a date, a
telephone number) stands before the general (a number). Readings follow GB/T 15835-2011 (numerals in text) and usage.
"""
# ruff: noqa: E501 (a rule of the grammar is one line, so that it can be read across)

import re
import unicodedata
from collections.abc import Iterator

from mofang.sound.frontend.mandarin import numbers as say
from mofang.sound.frontend.mandarin.units import CURRENCIES, SIGNS, UNITS
from mofang.sound.frontend.spoken import Rule, Run, rewrite

Match = re.Match[str]


def _any(words: dict[str, str]) -> str:
    return "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))


N = r"[0-9]+(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?"
DASH = r"\s*[-–—~～−]{1,2}\s*"
MINUS = r"(?<![0-9A-Za-z)）\]a-zA-Z年月日号点])[-−]"
BIG = r"(?:十|百|千|万亿|万|亿)"
UNIT = rf"(?:{_any(UNITS)})(?![A-Za-z])"
MONEY = _any(CURRENCIES)
# What a lone 2 before it is said 两 for; 号, 月, 楼, 班 number things instead of counting them and keep 二.
COUNTS = (r"(?:个|位|名|人|只|条|张|本|部|把|件|次|遍|回|趟|天|周|年(?!级)|小时|分钟|秒|点|岁|元|块|毛|米|公里|千米|公斤|千克|斤(?!两)|吨|升"
          r"|克|厘米|毫米|平方|立方|种|类|样|套|间|座|栋|幢|家|所|场|台|辆|架|艘|颗|粒|棵|朵|头|匹|口|杯|碗|瓶|盒|包|袋|箱|双|对|副|幅|首|段|篇|句|章|则|节|门|项"
          r"|步|层|倍|成|级|代|届|支|枝|根|片|块|股|份|批|组|队|排|行|页|集|亩|顷|英|海里|光年|刻|季|度|万|亿|千|百(?!分)|美元|欧元|英镑|日元|港元|韩元|角|分)")
START = re.compile(r"[0-9+\-−@#&%‰" + re.escape("".join(set("".join(CURRENCIES) + "".join(SIGNS)) - set("-*<>")) + "–—~～①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳") +
                   r"*<>]|[A-Z](?![a-z])|https?:|www\.|[A-Za-z][\w.+-]*@|(?<=第)[IVX]+|[ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ]|[a-zA-Z0-9-]+\.(?:com|cn|org|net|io|ai)")


def _date(m: Match) -> str | None:
    year, month, day = m["y"], int(m["m"]), m["d"]
    if not 1 <= month <= 12 or (day and not 1 <= int(day) <= 31):
        return None
    return f"{say.digits(year)}年{say.cardinal(month)}月" + (f"{say.cardinal(int(day))}日" if day else "")


def _clock(hour: str, minute: str, second: str | None) -> str | None:
    if int(hour) > 24 or int(minute) > 59 or int(second or 0) > 59:
        return None
    words = say.counted(str(int(hour))) + "点"
    if int(minute) or second:
        words += ("零" if 0 < int(minute) < 10 else "") + say.cardinal(int(minute)) + "分"
    return words + (say.cardinal(int(second)) + "秒" if second else "")


def _time(m: Match) -> str | None:
    return _clock(m[1], m[2], m[3])


def _times(m: Match) -> str | None:
    first, second = _clock(m[1], m[2], None), _clock(m[3], m[4], None)
    return f"{first}到{second}" if first and second else None


def _money(m: Match) -> str:
    return say.amount(m["n"]) + (m["big"] or "") + CURRENCIES[m["c"]]


def _percent(n: str, sign: str) -> str:
    base = "百分之" if sign == "%" else "千分之"
    return ("负" if n[0] in "-−" else "") + base + say.number(n.lstrip("-−+"))


def _measure(n: str, big: str, unit: str) -> str:
    cold = n[0] in "-−" and unit in ("℃", "°C", "℉", "°F", "°", "度", "摄氏度")
    n = n if not cold else n[1:]
    return ("零下" if cold else "") + (say.counted(n) if n[0] not in "-−+" else say.number(n)) + big + UNITS.get(unit, unit)


def _range(m: Match) -> str:
    first, last, unit = m[1], m[2], m["unit"] or ""
    if unit in ("%", "‰"):
        return f"{_percent(first, unit)}到{_percent(last, unit)}"
    if not unit and not m["after"]:
        return f"{say.number(first)}到{say.number(last)}"
    if not unit:
        return f"{say.counted(first)}到{say.counted(last)}"
    return f"{_measure(first, '', unit).removesuffix(UNITS[unit])}到{_measure(last, '', unit)}"


def _web(address: str) -> str:
    address = re.sub(r"^https?://", "", address).rstrip("/")
    names = {".": "点", "/": "斜杠", "@": "艾特", "-": "杠", "_": "下划线", ":": "冒号", "?": "问号", "=": "等于", "&": "和",
             "#": "井号", "%": "百分号", "+": "加", "~": "波浪号"}
    return "".join(names.get(c, say.digits(c) if c.isdigit() else c) for c in address)


def _year(m: Match) -> str:
    return say.digits(m[1])


def _generation(m: Match) -> str:
    """90后: those born in the nineties."""
    return say.digits(m[0])


def _dotted(m: Match) -> str:
    return "点".join(say.cardinal(int(p)) if len(p) < 3 and not p.startswith("0") else say.digits(p) for p in m[0].split("."))


def _phone(m: Match) -> str:
    return "，".join(say.digits(part, telephone=True) for part in re.findall(r"[0-9]+", m[0]))


def _coded(m: Match) -> str:
    """Digits that name a thing: bus 101, room 302, flight CA1234."""
    return say.digits(m[0], telephone=True)



_ROMAN = {c: n for n, c in enumerate("ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ", 1)}
_BEFORE_CODE = r"(?:拨打|致电|热线|电话|密码|验证码|编号|代码|邮编|账号|卡号|尾号|工号|学号|单号|证号|号码|房号|门牌|QQ群?|微信号?|尾数)(?:号|是|为|：|:|\s)*"
_BEHIND_CODE = re.compile(rf"{_BEFORE_CODE}$")


def _after_code_word(m: Match) -> str | None:
    """A run of digits right behind a word such as 验证码; Python has no look-behind of open length."""
    if not _BEHIND_CODE.search(m.string[max(0, m.start() - 12):m.start()]):
        return None
    return "，".join(say.digits(p, telephone=True) for p in m[0].split("-"))


def _score(m: Match) -> str | None:
    return f"{say.number(m[1])}比{say.number(m[2])}"


def _equation_dash(m: Match) -> str:
    return f"{say.number(m[1])}减{say.number(m[2])}"


def _sign(m: Match) -> str | None:
    """A sign is said between numbers, letters and words of a formula; elsewhere (arrows, ornaments) it is silent."""
    sign, before, after = m[0], m.string[:m.start()].rstrip()[-1:], m.string[m.end():].lstrip()[:1]
    if sign == "&" and before.isascii() and before.isalpha():
        return None
    if sign == "+" and before.isalpha() and before.isascii():
        return "加"
    if sign in "*<>=+→&%‰" and not (before.isalnum() and (after.isalnum() or after in "(√-−±")):
        return ""
    return SIGNS[sign]


RULES: list[Rule] = [(re.compile(pattern, re.ASCII), read) for pattern, read in [
    # Addresses
    (r"(?<![\w.])(?:[A-Za-z0-9][\w.+-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
     r"|https?://[!-~]*[\w/]|www\.[!-~]*[\w/]|(?:[A-Za-z0-9-]+\.)+(?:com|cn|org|net|io|ai)(?:/[!-~]*[\w/])?(?![A-Za-z0-9]))",
     lambda m: _web(m[0])),
    # Telephone numbers and other codes
    (r"(?<![0-9.])(?:\+[0-9]{1,3}[- ]?)?1[3-9][0-9](?:[0-9]{8}|[- ][0-9]{4}[- ][0-9]{4})(?![0-9])", _phone),
    (r"(?<![0-9.])(?:\(?0[0-9]{2,3}\)?[- ]?[0-9]{7,8}|[48]00-[0-9]{3,4}-[0-9]{3,4}|[0-9]{3,4}-[0-9]{7,8})(?![0-9])", _phone),
    (r"[0-9][0-9-]{2,}[Xx]?(?![0-9]|[.,][0-9])", _after_code_word),
    (rf"(?<![0-9.])(?:12306|12315|12345|10086|10010|95[0-9]{{3}})(?![0-9.,]|{COUNTS}|{BIG})", _coded),
    (r"(?<![0-9.])[0-9]{17}[0-9Xx](?![0-9])", _coded),
    (r"(?<![0-9])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.])", lambda m: "点".join(map(say.digits, m[0].split(".")))),
    # Dates and times
    (r"(?<![0-9])(?P<y>[12][0-9]{3})(?P<s>[-/.])(?P<m>[0-9]{1,2})(?P=s)(?P<d>[0-9]{1,2})(?![0-9.]{2}|[0-9])", _date),
    (r"(?<![0-9])([0-9]{4})(?:年)?[-–—~～]([0-9]{4})(?=年)", lambda m: f"{say.digits(m[1])}{'年' if '年' in m[0] else ''}到{say.digits(m[2])}"),
    (r"(?<![0-9,.])([12][0-9]{3}|0[0-9]|(?<=[在于从自到至，。（])[5-9][0-9])(?=年(?!历史|来|间|以前|之前|前|后|以后|之后|多|左右|以上|级))", _year),
    (r"[0-9]0(?=后(?!来|面|天|的人))", _generation),
    (r"(?<![0-9:])([01]?[0-9]|2[0-4])[:：]([0-5][0-9])\s*[-–—~～]\s*([01]?[0-9]|2[0-4])[:：]([0-5][0-9])(?![0-9:])", _times),
    (r"(?<![0-9:])([0-9]{1,3})\s*[:：]\s*([0-9]{1,3})(?=\s*(?:的?(?:比分|比例|优势)|战胜|击败|获胜|取胜|领先|落后|大胜|险胜|战平|逆转|负于|完胜|不敌))", _score),
    (r"(?<=[以比分例成按])([0-9]{1,3})\s*[:：]\s*([0-9]{1,3})(?![0-9:])", _score),
    (r"(?<![0-9:])([01]?[0-9]|2[0-4])[:：]([0-5][0-9])(?:[:：]([0-5][0-9]))?(?![0-9:])", _time),
    (r"(?<![0-9])([0-9]+(?:\.[0-9]+)?)\s*[:：]\s*([0-9]+(?:\.[0-9]+)?)(?![0-9:])", _score),
    # Money
    (rf"(?P<c>{MONEY})\s?(?P<n>{N})\s?(?P<big>{BIG})?(?!美元|元)", _money),
    (rf"(?P<n>{N})\s?(?P<big>{BIG})?\s?(?P<c>{MONEY})(?![A-Za-z0-9])", _money),
    (rf"({N})(?={BIG}?(?:美元|欧元|英镑|日元|港元|元))", lambda m: say.amount(m[1])),
    # Per cent, measures, ranges
    (rf"((?:{MINUS}|\+)?(?:{N}))(?:%|‰)?{DASH}([-−]?(?:{N}))\s?(?P<unit>%|‰|{UNIT})(?P<after>)", _range),
    (rf"((?:{MINUS}|\+)?(?:{N})) ?([%‰])", lambda m: _percent(m[1].lstrip("+"), m[2])),
    (rf"((?:{MINUS})?(?:{N}))\s?({BIG}?)\s?({UNIT})", lambda m: _measure(m[1], m[2], m[3])),
    (rf"({MINUS}(?:{N}))(?=摄氏度|度)", lambda m: _measure(m[1], "", "°")[:-1]),
    (rf"({N})-({N})(?=\s*=)", _equation_dash),
    (rf"(?<![A-Za-z0-9-])({N}){DASH}({N})(?P<unit>)(?![-0-9A-Za-z])(?P<after>(?={BIG}?{COUNTS}))?", _range),
    (r"(?<![0-9/])([0-9]+)/([0-9]+)(?![0-9/])", lambda m: f"{say.number(m[2])}分之{say.number(m[1])}"),
    # Things with numbers for names
    (r"(?<![0-9.])[0-9]{3,4}(?=路(?!程)|室|房间|寝室|次列车|航班|次航班|国道|医院|工程|报警|急救)", _coded),
    (r"(?<=[A-Z])[0-9]{3,}(?=次|航班|号?列车)", _coded),
    (r"(?<![0-9.])0[0-9]+(?![0-9.])", lambda m: say.digits(m[0])),
    (r"(?<![0-9.,])[0-9]{12,}(?![0-9.,])", lambda m: say.digits(m[0])),
    (r"[0-9]+(?:\.[0-9]+){2,}", _dotted),
    (r"(?<=第)([0-9]+)", lambda m: say.cardinal(int(m[1])) if len(m[1]) < 20 else say.digits(m[1])),
    (r"(?<=第)([IVX]+)(?![A-Za-z])", lambda m: say.cardinal(say.roman(m[1]))),
    (r"[ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ]", lambda m: say.cardinal(_ROMAN[m[0]])),
    # Numbers
    (rf"({N})(?={COUNTS}(?<!2月))(?<![A-Za-z].)", lambda m: say.counted(m[1])),
    (rf"(?:{MINUS})?(?:{N})", lambda m: say.number(m[0])),
    (r"[①-⑳]", lambda m: say.cardinal(int(unicodedata.numeric(m[0])))),
    # Signs
    (r"(?<=[年月日号点分时])\s*[-–—~～]\s*(?=[0-9])", lambda m: "到"),
    (r"(?<=[A-Za-z])\+\+", lambda m: "加加"),
    (f"[{re.escape(''.join(s for s in SIGNS if len(s) == 1))}]", _sign),
]]


def normalise(text: str) -> list[Run]:
    """The runs of `text` with what a Mandarin speaker says for them; their texts joined are `text`."""
    return list(_runs(text))


def _runs(text: str) -> Iterator[Run]:
    yield from rewrite(text, RULES, START)
