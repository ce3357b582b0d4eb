"""Chat logs as the programs export them: who said what, a day a document, without times and notices."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from mofang.text.corpus.readers.piece import PIECE, Piece
from mofang.text.corpus.tally import Tally

_DATE = r"(?P<date>\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}日?)"
_TIME = r"\d{1,2}:\d{2}(?::\d{2})?(?:[  ]?[AaPp]\.?[Mm]\.?)?"
_INLINE = (
    # WhatsApp: [12/31/20, 9:41:00 PM] Name: text, or 12/31/20, 21:41 - Name: text
    re.compile(
        rf"[\u200e\u200f]*\[?{_DATE},?[  ]+{_TIME}\]?(?:[  ]*[-–])?[  ]+(?P<who>[^:：]{{1,60}})[:：][  ](?P<said>.*)"
    ),
    # IRC: [21:41] <nick> text
    re.compile(rf"\[?(?:{_DATE}[ T])?{_TIME}\]?[ ]+<[ @+%]?(?P<who>[^<>\s]{{1,60}})>[ ](?P<said>.*)"),
)
_HEADER = (
    # QQ and WeChat: 2020-12-31 21:41:00 Name(12345), the message on the next lines
    re.compile(rf"{_DATE}[  ]+{_TIME}[  ]+(?P<who>[^:：\n]{{1,60}}?)(?:[(（<]\d+[)）>])?\s*$"),
    # DiscordChatExporter: [12/31/2020 9:41 PM] Name
    re.compile(rf"\[{_DATE}[  ]+{_TIME}\][  ]+(?P<who>[^:：\n]{{1,60}}?)\s*$"),
    # WeChat on Windows: Name 2020-12-31 21:41:00
    re.compile(rf"(?P<who>[^:：\n]{{1,60}}?)(?:[(（]\d+[)）])?[  ]+{_DATE}[  ]+{_TIME}\s*$"),
)
_NOTICE = re.compile(
    r"<Media omitted>|\S* ?omitted|<attached: .*>|This message was deleted\.?|You deleted this message\.?|Missed (?:voice|video) call"
    r"|\[(?:图片|表情|语音|视频|文件|动画表情|链接|位置|红包|转账|Photo|Sticker|Voice|Video|File)\]|.{0,30}撤回了一条消息|.{0,30}加入了?群聊"
    r"|Messages and calls are end-to-end encrypted.*|\{(?:Attachments|Reactions|Embed)\}"
)
_SAMPLE = 400


def is_chat(text: str) -> bool:
    """Whether the beginning of a file looks like the export of a chat."""
    lines = [line for line in text[:50_000].split("\n") if line.strip()][:_SAMPLE]
    inline = max(sum(bool(form.match(line)) for line in lines) for form in _INLINE)
    header = max(sum(bool(form.match(line)) for line in lines) for form in _HEADER)
    return len(lines) >= 4 and (inline >= 0.5 * len(lines) or header >= max(2, 0.25 * len(lines)))


def chat_pieces(texts: Iterable[str], tally: Tally) -> Iterator[Piece]:
    """The days of a chat as documents: `Name: text` paragraphs."""
    held: list[str] = []
    length, day, begun = 0, "", False
    for date, line in _messages(texts, tally):
        if date and date != day:
            if held or begun:
                yield Piece("\n".join(held), True)
            held, length, day, begun = [], 0, date, False
        held.append(line)
        length += len(line)
        if length >= PIECE:
            yield Piece("\n".join(held) + "\n", False)
            held, length, begun = [], 0, True
    if held or begun:
        yield Piece("\n".join(held), True)


def _messages(texts: Iterable[str], tally: Tally) -> Iterator[tuple[str, str]]:
    """(date or "", line) of each message, continued lines joined to theirs."""
    date, who, said = "", "", [""]
    for line in chain(_lines(texts), [None]):
        found = (
            None if line is None else next((hit for form in (*_INLINE, *_HEADER) if (hit := form.match(line))), None)
        )
        if line is not None and found is None:
            said.append(line)
            continue
        text = "\n".join(said).strip()
        if text and _NOTICE.fullmatch(text):
            tally.drop("chat notice", text)
        elif text:
            yield date, f"{who}: {text}" if who else text
        if found:
            groups = found.groupdict()
            date, who, said = groups["date"] or "", groups["who"].strip(), [groups.get("said") or ""]


def _lines(texts: Iterable[str]) -> Iterator[str]:
    held = ""
    for text in texts:
        *whole, held = (held + text).split("\n")
        yield from whole
    yield held
