"""Who speaks whom: the creator's choice first, then voices that fit and differ."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mofang.sound.cast import Lang, Voice, default_voice, voices
from mofang.sound.cast import voice as find_voice
from mofang.sound.stage.script import NARRATOR, Line
from mofang.studio.errors import UserError

_WOMEN = re.compile(r"[妈娘奶婆姨姑姐妹婶嫂女妃后婷丽芳娜]|公主|小姐|太太|夫人|\b(?:mother|mum|mom|queen|girl|woman|lady|aunt|"
                    r"sister|grandma|princess|mrs|miss|ms|witch|anna|alice|mary|emma|wife|daughter)\b", re.IGNORECASE)  # fmt: skip
_MEN = re.compile(r"[爸爹爷叔伯舅哥弟公父男汉翁]|先生|王子|国王|老师傅|少爷|\b(?:father|dad|king|boy|man|uncle|brother|grandpa|prince|"
                  r"mr|sir|wizard|tom|jack|john|peter|bob|husband|son)\b", re.IGNORECASE)  # fmt: skip


def pairs(texts: Iterable[str]) -> dict[str, str]:
    """`name=voice` lines as a table; empty lines and `#` comments are passed over. Raises `UserError`."""
    found = {}
    for text in texts:
        line = text.split("#", 1)[0].strip() if text.lstrip().startswith("#") else text.strip()
        if not line:
            continue
        name, voice = (part.strip() for part in [*re.split("[：:＝=]", line, maxsplit=1), ""][:2])
        if not voice:
            raise UserError(f"'{line[:40]}' casts nobody; write NAME=VOICE, such as 小狐狸=zf_xiaobei")
        found[NARRATOR if name.lower() in ("旁白", "narrator") else name] = voice
    return found


def cast(lines: Sequence[Line], chosen: Mapping[str, str], studio: Path | None = None) -> dict[str, Voice]:
    """A voice for every speaker, those in `chosen` as asked; the others by language and name, no two alike while there are
    voices left. The same script is always cast the same. Raises `UserError` for a name nobody has or an unknown voice."""
    speakers = list(dict.fromkeys(line.speaker for line in lines))
    if strangers := [name for name in chosen if name not in speakers and name != NARRATOR]:
        have = ", ".join(name or "旁白" for name in speakers)
        raise UserError(f"nobody in the script is called {strangers[0][:40]}; it has: {have[:200]}")
    done = {name: find_voice(voice, studio) for name, voice in chosen.items() if name in speakers}
    taken = {voice.name for voice in done.values()}
    for name in speakers:
        if name in done:
            continue
        language = _language(lines, name)
        if name == NARRATOR and default_voice(language).name not in taken:
            done[name] = default_voice(language)
        else:
            done[name] = _fitting(name, language, taken)
        taken.add(done[name].name)
    return {name: done[name] for name in speakers}


def _language(lines: Sequence[Line], speaker: str) -> Lang:
    said = "".join(line.text for line in lines if line.speaker == speaker)
    han = len(re.findall(r"[\u3400-\u9fff]", said))
    return "zh" if han * 4 > sum(letter.isalpha() for letter in said) else "en"


def _fitting(name: str, language: str, taken: set[str]) -> Voice:
    """The first voice of the language and the gender the name speaks of that is not taken; then of any gender; then any."""
    woman, man = bool(_WOMEN.search(name)), bool(_MEN.search(name))
    gender = "female" if woman and not man else "male" if man and not woman else ""
    able = [voice for voice in voices().values() if voice.language == language]
    if not gender:
        # Nothing speaks for either: take turns, so that two in a dialogue are told apart.
        women = sum(voice.name in taken and voice.gender == "female" for voice in able)
        men = sum(voice.name in taken and voice.gender == "male" for voice in able)
        gender = "male" if women > men else "female"
    free = [voice for voice in able if voice.name not in taken]
    return next((voice for voice in free if voice.gender == gender), (free or able)[0])
