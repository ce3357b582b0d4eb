"""Mandarin: what is said for what is written, how tones change, which reading a character has."""

import pytest

from mofang.sound.frontend import normalise, phonemize
from mofang.sound.frontend.mandarin.numbers import cardinal
from mofang.sound.frontend.mandarin.readings import readings, table
from mofang.sound.frontend.mandarin.sandhi import sandhi
from mofang.sound.frontend.mandarin.segment import segment
from mofang.sound.frontend.mandarin.syllables import ipa

SPOKEN = """
0|零
10086人|一万零八十六人
100000010|一亿零一十
-3.5|负三点五
2个、12个、20000|两个、十二个、两万
3/4和1/2|四分之三和二分之一
50%~60%|百分之五十到百分之六十
3:2领先|三比二领先
08:30到12:05|八点三十分到十二点零五分
2024年3月5日|二零二四年三月五日
2024-03-05|二零二四年三月五日
3000年历史|三千年历史
¥1,299.00|一千二百九十九元
$5和€3.5|五美元和三点五欧元
2.5万元，3亿|二点五万元，三亿
5km、2kg、50m²、16GB|五公里、两公斤、五十平方米、十六G B
120km/h|一百二十公里每小时
-5℃|零下五摄氏度
13812345678|幺三八幺二三四五六七八
电话010-62345678|电话零幺零，六二三四五六七八
验证码1024|验证码幺零二四
3-5天、2~3个|三到五天、二到三个
第3、第II章、Ⅲ期|第三、第二章、三期
2号2月2楼|二号二月二楼
2+3=5|二加三等于五
5-3=2|五减三等于二
3D、5G|三D、五G
a.b@c.com|a点b艾特c点com
２０２４年|二零二四年
90后|九零后
101路、302室|幺零幺路、三零二室
"""


@pytest.mark.parametrize("line", SPOKEN.strip().splitlines())
def test_written_to_spoken(line: str) -> None:
    written, said = line.split("|")
    assert "".join(run.spoken for run in normalise(written, "zh")) == said


def test_every_cardinal_names_its_value() -> None:
    digit = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2}
    unit = {"十": 10, "百": 100, "千": 1000}

    def value(words: str) -> int:
        for name, size in (("亿", 10**8), ("万", 10**4)):
            if name in words:
                high, low = words.split(name)
                return value(high) * size + value(low)
        total = number = 0
        for c in words:
            if c in digit:
                number = digit[c]
            else:
                total, number = total + (number or 1) * unit[c], 0
        return total + number

    for n in [*range(0, 12_000), 20_000, 100_000, 10_010_010, 123_456_789, 200_000_002]:
        assert value(cardinal(n)) == n


def surface(text: str) -> list[str]:
    words = segment(text)
    return sandhi(text, words, readings(text, words))


@pytest.mark.parametrize(("text", "said"), [
    ("你好", "ni2 hao3"), ("展览馆", "zhan2 lan2 guan3"), ("我想", "wo2 xiang3"), ("一个", "yi2 ge4"),
    ("一天", "yi4 tian1"),
    ("第一", "di4 yi1"), ("不去", "bu2 qu4"), ("不好", "bu4 hao3"), ("看一看", "kan4 yi5 kan4"),
    ("好不好", "hao3 bu5 hao3"),
    ("妈妈", "ma1 ma5"), ("我们", "wo3 men5"), ("朋友", "peng2 you5"), ("桌子", "zhuo1 zi5"),
    ("想想", "xiang2 xiang5"), ("电子", "dian4 zi3"),
    ("知识分子", "zhi1 shi5 fen4 zi3"),
])
def test_sandhi(text: str, said: str) -> None:
    assert " ".join(surface(text)) == said


def test_erhua_takes_the_nasal() -> None:
    assert "".join(u.phonemes for u in phonemize("玩儿", "zh")) == "wa↗ɚ"
    assert phonemize("女儿", "zh")[1].phonemes == "ɚ↗"


@pytest.mark.parametrize(("text", "at", "reading"), [
    ("我去银行。", 3, "hang2"), ("他把书还给我。", 3, "huan2"), ("这件事你得跟她说。", 4, "dei3"),
    ("他盛了一碗饭。", 1, "cheng2"),
    ("她在山村教书。", 4, "jiao1"), ("睡不着。", 2, "zhao2"), ("头髮", 1, "fa4"), ("重慶", 0, "chong2"),
    ("一隻貓", 1, "zhi1"),
])
def test_readings(text: str, at: int, reading: str) -> None:
    assert phonemize(text, "zh")[at].phonemes.strip(" .。")[:2] == ipa(reading)[:2]


def test_every_rule_reads_a_syllable() -> None:
    read = table()
    assert all(ipa(rule.reading) for rules in read.rules.values() for rule in rules)
    assert all(ipa(sound) for phrases in read.phrases.values() for _, sounds in phrases for sound in sounds)


def test_jieba_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    segment("今天天气很好")
    assert capfd.readouterr() == ("", "")
